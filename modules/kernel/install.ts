/**
 * The synchronous tick of a switch: routes, records and the incumbent's tasks, all at once, so that no call can see
 * half of it. What follows the tick (starting the new tasks, draining the old version) is `switch.ts`.
 */
import type { ReloadResult } from '../contracts/kernel.ts'
import type { StateCopy } from '../contracts/changes.ts'
import type { ModuleInstance } from '../contracts/module.ts'
import type { AspectContract, Contract, DesiredService, GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { aspectOf, readAspect } from '../lib/module-contract.ts'
import { nextTurn } from '../lib/next-turn.ts'
import { callsOf, drained, openCalls } from './counts.ts'
import { end } from './generation.ts'
import { closeRoute, openRoute } from './handle.ts'
import type { ModuleIsolator } from './isolator.ts'
import type { Machine } from './machine.ts'
import { setState } from './service.ts'

/** Makes `generation` the one that serves. The incumbent drains; it is kept as the way back. */
export function install(
  machine: Machine,
  service: ServiceRecord,
  generation: GenerationRecord,
  copy: StateCopy | undefined,
): void {
  const old = service.live
  if (old !== undefined) {
    old.state = 'draining'
    service.draining.add(old)
    ;(old.isolator as ModuleIsolator).abortTasks()
    keep(service, old, generation, copy)
  }
  service.live = generation
  service.lastNumber = generation.number
  service.candidate = undefined
  // On a way back: what was read last belongs to another module.
  if (service.desired?.prog !== generation.desired.prog) service.dirty = true
  service.desired = generation.desired
  service.refusedAttempt = undefined
  service.deferral = undefined
  const { supervision } = service
  // There is nothing to start anew any more.
  if (supervision.timer !== undefined) machine.clock.clear(supervision.timer)
  Object.assign(supervision, { timer: undefined, restartAt: undefined })
  service.quietWith = undefined
  service.stoodDown = undefined
  service.waitingFor = []
  service.refusal = undefined
  service.lastError = null
  generation.state = 'live'
  generation.liveAt = machine.options.clock.monotonic()
  generation.versionSince = old !== undefined && isSame(old, generation) ? old.versionSince : generation.liveAt
  if (generation.instance?.run !== undefined) {
    const { instance } = generation
    ;(generation.isolator as ModuleIsolator).addBackground('run()', (signal) => instance.run?.(signal))
  }
  openRoutes(machine, service, generation)
  setState(service, 'live')
}

interface Sources {
  scan: { key: string }
  desired: DesiredService
}

const isSame = (a: Sources, b: Sources): boolean => a.scan.key === b.scan.key && a.desired.hash === b.desired.hash

/** A restart of the same version is no change: the way back still leads to the version before. */
export function keep(service: ServiceRecord, old: GenerationRecord, next: Sources, copy: StateCopy | undefined): void {
  if (isSame(old, next)) return
  const { desired, scan, number, configText } = old
  service.kept = { desired, scan, number, configText, copy }
}

export function openRoutes(machine: Machine, service: ServiceRecord, generation: GenerationRecord): void {
  const { switchboard } = machine.options
  const { contract, instance, admission } = generation
  if (contract === undefined || instance === undefined) return
  // What nobody has asked for yet is opened by the first handle: most services of a large system wait for none.
  for (const [name, route] of switchboard.routes.get(service.api)?.aspects ?? []) {
    const aspect = contract.aspects.get(name) ?? readLate(contract, instance, name)
    if (aspect === undefined) closeRoute(route)
    else openRoute(route, aspect, admission, machine.calls)
  }
}

/** An aspect besides `default` and `tool` that somebody has asked an earlier version for. */
function readLate({ aspects }: Contract, instance: ModuleInstance, name: string): AspectContract | undefined {
  const found = aspectOf(instance, name)
  if (found === undefined) return undefined
  const aspect = readAspect(found)
  aspects.set(name, aspect)
  return aspect
}

/** Whose tasks were waited for in vain: nobody waits for them again. */
const overdue = new WeakSet<GenerationRecord>()

/** They were told to end. */
export async function stopTasks(machine: Machine, old: GenerationRecord): Promise<void> {
  const isolator = old.isolator as ModuleIsolator
  if (isolator.tasks.size === 0 || overdue.has(old)) return
  const ms = machine.limitsOf(old.desired).task_stop_ms
  if (await isolator.tasksEnded(ms)) return
  overdue.add(old)
  const labels = [...isolator.tasks].map((task) => task.label)
  machine.events.emit('service.task_overrun', { api: old.api, generation: old.number, tasks: labels })
}

/** The config goes before the class, the class before the limits of all. */
const drainTime = (machine: Machine, { desired, drainMs }: GenerationRecord): number =>
  desired.limits['drain_ms'] ?? drainMs ?? machine.limitsOf(desired).drain_ms

/** Its end comes before that of its calls. */
export function overran(machine: Machine, old: GenerationRecord): void {
  const { api, number: generation } = old
  machine.events.emit('service.drain_overrun', { api, generation, in_flight: openCalls(old) })
}

/**
 * Calls drain, then the old version ends. A call past the limit loses its instance; who waits with options, and who
 * reads a stream, is told.
 */
export async function retire(
  machine: Machine,
  service: ServiceRecord,
  old: GenerationRecord,
  drainMs = drainTime(machine, old),
): Promise<void> {
  const { api, number: generation } = old
  old.drainUntil = machine.clock.monotonic() + drainMs
  // What was switched has taken long enough for one turn of the event loop.
  await nextTurn(machine.clock)
  const clean = await drained(machine, old, drainMs)
  if (!clean && old.state !== 'stopped') overran(machine, old)
  await end(machine, service, old, { shutdown: true })
  // A stop may have waited for the same version.
  if (!service.draining.delete(old)) return
  service.pastCalls += callsOf(old)
  service.pastErrors += old.errors
  machine.events.emit('service.drained', { api, generation, clean })
  machine.ring()
}

interface Switched extends Pick<ReloadResult, 'state' | 'from'> {
  generation: GenerationRecord
  since: number
  refusedBefore: number
}

/** What a switch comes to. */
export const switched = (machine: Machine, service: ServiceRecord, facts: Switched): ReloadResult => ({
  ok: true,
  generation: facts.generation.number,
  error: null,
  rolled_back: false,
  state: facts.state,
  from: facts.from,
  ms: Math.round((machine.options.clock.monotonic() - facts.since) * 10) / 10,
  failed_calls: service.refusedCalls - facts.refusedBefore,
  deferred: false,
})

export function announce(machine: Machine, service: ServiceRecord, result: ReloadResult): void {
  const { api } = service
  const { from, generation, ms, failed_calls, state, rolled_back } = result
  if (from !== null) service.reloads++
  machine.events.emit('service.live', { api, generation, from, ms, failed_calls, state, rolled_back })
  const { log } = machine.options
  if (from === null) {
    log.info(`${api}  g${generation} live  ${ms} ms`)
    return
  }
  const why = rolled_back ? '  taken back' : ''
  log.info(`${api}  g${from} → g${generation}  ${ms} ms  ${failed_calls} calls failed  state ${state}${why}`)
}
