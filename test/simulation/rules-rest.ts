/**
 * What holds at rest: nothing is under way or waits for ever, every service runs what its files ask for where they can
 * be used and what it ran before where they cannot, and after the end no timer is left.
 */
import { readKernel } from './kernels.ts'
import { UNREADABLE } from './oracle.ts'
import type { Dated, ExpectedService, ServiceAtRest } from './history.ts'

type Of<K extends Dated['kind']> = Extract<Dated, { kind: K }>

export function restRules(entries: readonly Dated[]): string[] {
  const wrong: string[] = []
  for (const [place, entry] of entries.entries()) {
    if (entry.kind === 'rest') wrong.push(...atRest(entry, entries.slice(0, place)))
    if (entry.kind === 'end' && entry.timers > 0) wrong.push(`${entry.timers} timers are left at the end`)
  }
  const asked = new Map<number, Of<'asked'>>()
  for (const entry of entries) {
    if (entry.kind === 'asked') asked.set(entry.ask, entry)
    if (entry.kind === 'told' && !asked.delete(entry.ask)) wrong.push(`request ${entry.ask} was answered twice`)
    if (entry.kind === 'told' && entry.code?.startsWith('none') === true) wrong.push(`a request failed: ${entry.code}`)
  }
  for (const { what, api } of asked.values()) wrong.push(`nobody was told what became of ${what} ${api}`)
  return wrong
}

function atRest({ quiet, services, expected, kernel }: Of<'rest'>, before: readonly Dated[]): string[] {
  const wrong = quiet ? [] : ['it does not come to rest']
  wrong.push(...wrongKernel(kernel, before))
  const bySource = new Map(before.flatMap((entry) => (entry.kind === 'born' ? [[entry.instance, entry.source]] : [])))
  const unusable = expected.filter(({ verdict }) => verdict === 'incumbent')
  const broken = {
    bases: new Set(unusable.map(({ api }) => api)),
    unreadable: new Set(unusable.filter(({ why }) => why === UNREADABLE).map(({ api }) => api)),
  }
  for (const service of services) {
    wrong.push(...service.left.map((what) => `${service.api} at rest: ${what}`))
    const target = expected.find(({ api }) => api === service.api)
    const source = bySource.get(service.instance ?? -1)
    const problem =
      target === undefined
        ? unwanted(service, broken)
        : target.verdict === 'live'
          ? different(service, source, target, expected, before)
          : undefined
    if (problem !== undefined) wrong.push(`${service.api} at rest: ${problem}`)
    if (service.generation === undefined && wasDropped(service, before)) {
      wrong.push(`${service.api} at rest: it served, nobody stopped it, and it is ${service.state}`)
    }
  }
  for (const { api, verdict } of expected) {
    if (verdict === 'live' && !services.some((one) => one.api === api)) wrong.push(`${api} at rest: it is not there`)
  }
  return wrong
}

/** What runs from a file that cannot be used goes on; so does what stands in for what an unreadable one asked for. */
function unwanted(
  { base, askedBy, state }: ServiceAtRest,
  { bases, unreadable }: Record<'bases' | 'unreadable', ReadonlySet<string>>,
): string | undefined {
  return bases.has(base ?? '') || unreadable.has(askedBy ?? '') ? undefined : `no file asks for it, and it is ${state}`
}

/** A sound kernel on disk runs, unless it was gone back from; a sick one does not. */
function wrongKernel({ runs, meta, onDisk, newest }: Of<'rest'>['kernel'], before: readonly Dated[]): string[] {
  const running = readKernel(runs)
  if (running === undefined || running.fault !== undefined) return [`the kernel that runs is ${runs}`]
  const wanted = readKernel(onDisk)
  if (wanted === undefined || wanted.fault !== undefined) return []
  if (runs === onDisk && meta === newest) return []
  const last = before.findLast((entry) => entry.kind === 'machine' && entry.type === 'kernel.refused')
  const code = last?.kind === 'machine' ? last.code : undefined
  if (code === 'kernel_unwell') return []
  return [`kernel ${runs.trim()} of ${meta} runs, and ${onDisk.trim()} of ${newest} could (${code})`]
}

/** Files that can be used, and something else runs: only for a reason that stands in the history. */
function different(
  service: ServiceAtRest,
  source: string | undefined,
  target: ExpectedService,
  expected: readonly ExpectedService[],
  before: readonly Dated[],
): string | undefined {
  const { state, refusal, refusalMessage, takenBack, api } = service
  if (state === 'live' && source === target.source && service.asks === target.asks) return undefined
  const happened = (type: string): boolean =>
    before.some((entry) => entry.kind === 'machine' && entry.type === type && entry.api === api)
  if (takenBack) return happened('service.rolled_back') ? undefined : 'it was never taken back'
  if (state === 'tripped') return happened('service.tripped') ? undefined : 'it never tripped'
  if (refusal === 'hand_over_failed' || refusal === 'configure_threw') return undefined
  const partner = /^(\S+), which shares a changed file, failed/.exec(refusalMessage)?.[1]
  const fate = expected.find((one) => one.api === partner)
  if (partner !== undefined && (fate?.verdict !== 'live' || isPartial(fate))) return undefined
  return `its files can be used (${target.source}), and it is ${state} with ${source}: ${refusal} ${refusalMessage}`
}

/** A version that can live and cannot follow every other. */
const isPartial = ({ why }: ExpectedService): boolean => why === 'hand_over' || why === 'take_over'

/** It was live and is not, though neither a file nor its own failures ended it. */
function wasDropped({ api, state }: ServiceAtRest, before: readonly Dated[]): boolean {
  if (state === 'tripped') return false
  // What can share nothing had to end for its successor, and could not be made again.
  if (before.some((entry) => entry.kind === 'evaluated' && entry.api === api && entry.exclusive)) return false
  const last = before.findLast(
    (entry) =>
      entry.kind === 'machine' &&
      entry.api === api &&
      ['service.live', 'service.stopped', 'service.tripped'].includes(entry.type),
  )
  return last?.kind === 'machine' && last.type === 'service.live'
}
