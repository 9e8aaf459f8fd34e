/** An event of the bus, as it is counted: one table of what each type says. No text of it is kept. */
import type { MachineEvent } from '../../../contracts/module.ts'
import type { Usage } from '../../../contracts/services.ts'
import { breachOf, counterOf } from '../compliance.ts'
import type { Seen } from './index.ts'

type Data = Record<string, unknown>
type See = (seen: Seen, time: number, data: Data) => void

const nameOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const failure: See = (seen, time, { api, error }) => {
  const { code } = (error ?? {}) as { code?: unknown }
  seen.counts.add(time, `failure ${nameOf(api)} ${nameOf(code) || 'error'}`)
  seen.recoveries.failed(nameOf(api), time)
}

const counted =
  (...names: string[]): See =>
  (seen, time) => {
    for (const name of names) seen.counts.add(time, name)
  }

/** What the parameters of a call were: half as good where they had to be repaired. */
const WRONG: ReadonlySet<string> = new Set(['bad_params', 'tool_not_found'])

const TYPES: Readonly<Record<string, See>> = {
  'call.failed': failure,
  'service.fault': failure,
  'kernel.fault': counted('fault of nobody'),
  'service.live': (seen, time, { from }) => {
    seen.counts.add(time, 'load ok')
    if (from === null || from === undefined) seen.counts.add(time, 'scale done')
  },
  'service.refused': (seen, time, { api, serving }) => {
    seen.counts.add(time, 'load refused')
    seen.counts.add(time, `alert ${nameOf(api)}`)
    if (serving === null || serving === undefined) seen.counts.add(time, 'scale failed')
  },
  'service.stopped': counted('scale done'),
  'service.configured': counted('scale done'),
  'service.tripped': (seen, time, { api }) => {
    seen.counts.add(time, 'scale failed')
    seen.counts.add(time, `alert ${nameOf(api)}`)
    seen.recoveries.failed(nameOf(api), time)
  },
  'tool.called': (seen, time, { code }) => {
    seen.counts.add(time, 'quality seen')
    seen.counts.add(time, 'quality points', WRONG.has(nameOf(code)) ? 0 : 1)
  },
  'call.repaired': (seen, time) => seen.counts.add(time, 'quality points', -0.5),
  'model.called': (seen, time, { usage }) => {
    const told = (usage ?? null) as Usage | null
    seen.counts.add(time, 'model tokens', (told?.input_tokens ?? 0) + (told?.output_tokens ?? 0))
    seen.spend.add(time, told?.cost_usd ?? null)
    if (told === null || told.cost_usd === null) return
    seen.counts.add(time, 'model priced')
    seen.counts.add(time, 'model usd', told.cost_usd)
  },
  'approval.requested': (seen, time, { target }) => seen.counts.add(time, `asked ${nameOf(target)}`),
  'policy.refused': (seen, time, { tier }) => seen.counts.add(time, counterOf(tier === 'NEVER' ? 'blocking' : 'info')),
  'event.refused': counted(counterOf('info')),
  'proposal.alarm': counted(counterOf('critical')),
  'ledger.broken': counted(counterOf('critical')),
  // Of a checker outside: what it found, and how bad that is.
  'signed.breach': (seen, time, { payload }) =>
    seen.counts.add(time, counterOf(breachOf((payload as { severity?: unknown } | undefined)?.severity))),
}

/** A person's word: 0 to 1. */
export function rate(seen: Seen, time: number, rating: unknown): void {
  if (typeof rating !== 'number' || !(rating >= 0 && rating <= 1)) return
  seen.counts.add(time, 'quality seen')
  seen.counts.add(time, 'quality points', rating)
}

/** False for one that was seen: two versions of this service hear while one takes over from the other. */
export function seeEvent(seen: Seen, { id, type, time, data }: MachineEvent): boolean {
  if (id <= seen.lastEvent) return false
  seen.lastEvent = id
  if (isOfMeasuring(seen, type, data)) return true
  seen.counts.add(time, `event ${type}`)
  if (isFailure(type)) seen.counts.add(time, 'bus failure')
  if (Object.hasOwn(TYPES, type)) TYPES[type]?.(seen, time, data)
  return true
}

/** A service that cannot answer while it is measured: nobody else has asked. */
const isOfMeasuring = (seen: Seen, type: string, { api }: Data): boolean =>
  type === 'call.failed' && seen.asking.has(nameOf(api))

const isFailure = (type: string): boolean =>
  type === 'service.fault' || type === 'service.tripped' || /\.(?:failed|refused)$/.test(type)
