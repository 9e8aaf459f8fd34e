/**
 * Why a service is as it is, from its status and what happened to it: what runs and since when, what brought it, what
 * stands on disk and does not run, what it waits for, its last failure, who calls it; and the commands to go on with. Pure.
 */
import type { Happening, Why } from '../../contracts/history.ts'
import type { FreezeScope, PlannedChange, ServiceDetail } from '../../contracts/kernel.ts'
import { describeError } from '../../lib/errors.ts'

type Line = Why['lines'][number]
type Next = Why['next'][number]

export interface Known {
  detail: ServiceDetail
  /** of this service, oldest first */
  happened: readonly Happening[]
  /** what stands on disk and does not run, if anything */
  pending: PlannedChange | undefined
  callers: readonly string[]
  frozen: FreezeScope
}

const now = (text: string): Line => ({ time: null, id: null, text })
const then = ({ time, id, text }: Happening): Line => ({ time, id, text })

export function whyService(known: Known): Why {
  const { detail, frozen } = known
  return {
    subject: detail.api,
    kind: 'service',
    lines: [
      now(stateOf(detail)),
      ...broughtBy(known),
      ...onDisk(known),
      ...failures(known),
      ...(frozen === 'none' ? [] : [now(`the system is frozen (${frozen}): nothing it wants to change is applied`)]),
      ...callers(known),
    ],
    next: nextOf(known),
  }
}

function stateOf({
  api,
  state,
  generation,
  calls,
  errors,
  in_flight,
  waiting_for,
  stale,
  last_good,
}: ServiceDetail): string {
  const serves = generation === null ? 'nothing serves' : `g${generation} serves`
  const counts = `${calls} calls, ${errors} failed, ${in_flight} open`
  switch (state) {
    case 'live':
      if (last_good !== null) return `${api} is live with its last good version (${serves}; ${counts})`
      return `${api} is live${stale ? ', and what stands on disk is not what runs' : ''} (${serves}; ${counts})`
    case 'waiting':
      return `${api} waits for ${waiting_for.join(', ')} (${serves})`
    case 'starting':
      return `${api} is starting (${serves})`
    case 'switching':
      return `${api} is switching to a new version (${serves}; calls wait)`
    case 'draining':
    case 'stopped':
      return `${api} is ${state}: its config is gone, or says enabled: false`
    case 'failed':
      return `${api} has failed: it could not start (${serves})`
    case 'tripped':
      return `${api} is switched off: it failed too often (${serves})`
    case 'quarantined':
      return `${api} is off: its version made the whole process stand still (${serves})`
    default: {
      const never: never = state
      return never
    }
  }
}

/** The last change that is live, and the ways back since. */
function broughtBy({ happened }: Known): Line[] {
  const types = new Set(['service.live', 'service.configured', 'service.rolled_back', 'service.last_good'])
  const last = happened.findLast((one) => types.has(one.type) && one.change)
  const started = happened.findLast((one) => one.type === 'service.live')
  return [
    ...(last === undefined ? [] : [then(last)]),
    ...(started === undefined || started === last ? [] : [then(started)]),
  ]
}

function onDisk({ pending, detail, happened }: Known): Line[] {
  const refused = happened.findLast((one) => one.type === 'service.refused')
  if (pending === undefined) return []
  const files = pending.files.length === 0 ? pending.keys.join(', ') : pending.files.join(', ')
  const error = pending.error ?? detail.last_error
  const reason = error === null ? '' : `: ${describeError(error)}`
  const line = `not live: ${files === '' ? detail.config_file : files}${reason}`
  return [{ time: refused?.time ?? null, id: refused?.id ?? null, text: line }]
}

function failures({ happened, detail, pending }: Known): Line[] {
  const types = new Set(['call.failed', 'service.fault', 'service.restarting', 'service.tripped'])
  const last = happened.filter((one) => types.has(one.type)).slice(-3)
  if (last.length > 0) return last.map(then)
  const { last_error, last_error_at } = detail
  if (last_error === null || last_error_at === null || pending !== undefined) return []
  return [{ time: last_error_at, id: null, text: `the last error: ${describeError(last_error)}` }]
}

const callers = ({ callers: found }: Known): Line[] =>
  found.length === 0 ? [] : [now(`called by, or needed by, ${found.join(', ')}`)]

function nextOf({ detail, pending, happened, frozen }: Known): Next[] {
  const { api, waiting_for, generation } = detail
  const versions = happened.filter((one) => one.type === 'service.live' && one.change)
  const before = versions.at(-1)?.data['from']
  return [
    ...(pending === undefined
      ? []
      : [{ command: `mm diff ${api}`, does: 'shows what stands on disk and does not run' }]),
    ...(pending === undefined || pending.error === null || generation === null
      ? []
      : [{ command: `mm undo ${api}`, does: 'writes the bytes that run back' }]),
    ...(typeof before === 'number' && pending === undefined
      ? [
          { command: `mm diff ${api} g${before}`, does: 'shows what the last change brought' },
          { command: `mm undo ${api}`, does: 'takes the last change back' },
        ]
      : []),
    ...waiting_for.map((name) => ({ command: `mm why ${name}`, does: 'says why that one is not there' })),
    ...(frozen === 'none' ? [] : [{ command: 'mm thaw', does: 'ends the freeze' }]),
    { command: `mm logs --service ${api}`, does: 'shows what it said' },
  ]
}

/** Of one thing that happened: itself, what else happened to the service around it, and how to look at it. */
export function whyHappening(subject: Happening, later: readonly Happening[]): Why {
  const { api, data } = subject
  const error = data['error'] as { hint?: unknown } | null | undefined
  const hint = typeof error?.hint === 'string' && error.hint !== '' ? [now(error.hint)] : []
  const isVersion = subject.type === 'service.live' && api !== null
  const before = data['from']
  return {
    subject: subject.id,
    kind: 'change',
    lines: [then(subject), ...hint, ...later.slice(0, 5).map(then)],
    next: [
      ...(isVersion && typeof before === 'number'
        ? [{ command: `mm diff ${api} g${before} ${subject.id}`, does: 'shows what it changed' }]
        : []),
      ...(api === null ? [] : [{ command: `mm why ${api}`, does: 'says how the service stands now' }]),
    ],
  }
}
