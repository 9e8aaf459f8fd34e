/**
 * The one movement: prepare → verify → switch → drain → confirm. A first start, a reload and a config change are the
 * same steps with a different incumbent. Members of a group are prepared side by side and switched in one tick, or
 * none of them. Any failure before the switch leaves every incumbent serving, untouched.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { ReloadResult } from '../contracts/kernel.ts'
import type { Scan } from '../contracts/seams.ts'
import type { DesiredService, GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { callsOf, openCalls } from './counts.ts'
import { abandon, createGeneration, drained, end, prepare, type Prepared } from './generation.ts'
import { aspectRouteOf, CLOSED, closeRoute, openRoute, routeOf } from './handle.ts'
import type { ModuleIsolator } from './isolator.ts'
import type { Machine } from './machine.ts'
import { aspectOf, readAspect } from './contract.ts'
import { setState } from './service.ts'

export interface Member {
  service: ServiceRecord
  desired: DesiredService
  scan: Scan
}

interface Candidate extends Member {
  generation: GenerationRecord
  prepared: Prepared
}

/** Never rejects. One result a member, in their order. `since` is when the change was noticed (monotonic ms). */
export async function move(machine: Machine, members: readonly Member[], since: number): Promise<ReloadResult[]> {
  const refusedBefore = members.map((member) => member.service.refusedCalls)
  const candidates = await Promise.all(members.map((member) => prepareMember(machine, member)))
  const bad = candidates.find((one) => one.prepared.kind !== 'ready')
  if (bad !== undefined) {
    return Promise.all(candidates.map((one) => refuse(machine, one, bad, since)))
  }
  const incumbents = candidates.map((one) => one.service.live)
  for (const candidate of candidates) install(machine, candidate)
  await Promise.all(incumbents.map((old) => stopTasks(machine, old)))
  return candidates.map((candidate, index) => {
    const { service, generation } = candidate
    const old = incumbents[index]
    if (service.live === generation) (generation.isolator as ModuleIsolator).startBackground()
    if (old !== undefined) void retire(machine, service, old)
    const refused = service.refusedCalls - (refusedBefore[index] ?? 0)
    const result: ReloadResult = {
      ok: true,
      generation: generation.number,
      error: null,
      rolled_back: false,
      state: old === undefined ? 'none' : 'lost',
      from: old?.number ?? null,
      ms: Math.round((machine.options.clock.monotonic() - since) * 10) / 10,
      failed_calls: refused,
    }
    announce(machine, service, result)
    return result
  })
}

async function prepareMember(machine: Machine, member: Member): Promise<Candidate> {
  const { service, desired, scan } = member
  if (service.live === undefined) setState(service, 'starting')
  const generation = createGeneration(machine, service, desired, scan)
  service.candidate = generation
  machine.events.emit('service.starting', { api: service.api, generation: generation.number })
  const prepared = await prepare(machine, service, generation)
  return { ...member, generation, prepared }
}

/** The synchronous tick: routes, state, and the incumbent's tasks, all at once. */
function install(machine: Machine, { service, generation, desired }: Candidate): void {
  const old = service.live
  if (old !== undefined) {
    old.state = 'draining'
    service.draining.add(old)
    ;(old.isolator as ModuleIsolator).abortTasks()
  }
  service.live = generation
  service.lastNumber = generation.number
  service.candidate = undefined
  service.desired = desired
  service.refusedAttempt = undefined
  service.waitingFor = []
  service.refusal = undefined
  service.lastError = null
  generation.state = 'live'
  generation.liveAt = machine.options.clock.monotonic()
  if (generation.instance?.run !== undefined) {
    const { instance } = generation
    ;(generation.isolator as ModuleIsolator).addBackground('run()', (signal) => instance.run?.(signal))
  }
  openRoutes(machine, service, generation)
  setState(service, 'live')
  machine.calls.queue.flush(service)
}

function openRoutes(machine: Machine, service: ServiceRecord, generation: GenerationRecord): void {
  const { switchboard } = machine.options
  const { contract, instance, admission } = generation
  if (contract === undefined || instance === undefined) return
  for (const name of routeOf(switchboard, service.api).aspects.keys()) {
    if (contract.aspects.has(name)) continue
    const found = aspectOf(instance, name)
    if (found === undefined) closeRoute(aspectRouteOf(switchboard, service.api, name))
    else contract.aspects.set(name, readAspect(found))
  }
  for (const [name, aspect] of contract.aspects) {
    openRoute(aspectRouteOf(switchboard, service.api, name), aspect, admission, machine.calls)
  }
}

async function stopTasks(machine: Machine, old: GenerationRecord | undefined): Promise<void> {
  if (old === undefined) return
  const isolator = old.isolator as ModuleIsolator
  if (isolator.tasks.size === 0) return
  const ms = machine.limitsOf(old.desired).task_stop_ms
  if (await isolator.tasksEnded(ms)) return
  const labels = [...isolator.tasks].map((task) => task.label)
  machine.events.emit('service.task_overrun', { api: old.api, generation: old.number, tasks: labels })
}

/** Calls drain, then the old version ends. A call past `drain_ms` loses its instance; who waits with options is told. */
async function retire(machine: Machine, service: ServiceRecord, old: GenerationRecord): Promise<void> {
  const ms = machine.limitsOf(old.desired).drain_ms
  const clean = await drained(machine, old, ms)
  if (!clean)
    machine.events.emit('service.drain_overrun', { api: old.api, generation: old.number, in_flight: openCalls(old) })
  await end(machine, service, old, { shutdown: true })
  service.draining.delete(old)
  service.pastCalls += callsOf(old)
  service.pastErrors += old.errors
  machine.events.emit('service.drained', { api: old.api, generation: old.number, clean })
  machine.ring()
}

export const failedReload = (error: ErrorData): ReloadResult => ({
  ok: false,
  generation: null,
  error,
  rolled_back: false,
  state: 'none',
  from: null,
  ms: 0,
  failed_calls: 0,
})

async function refuse(machine: Machine, candidate: Candidate, bad: Candidate, since: number): Promise<ReloadResult> {
  const { service, generation, desired, scan, prepared } = candidate
  const { clock } = machine.options
  if (prepared.kind === 'ready') await end(machine, service, generation, { shutdown: true })
  if (service.candidate === generation) service.candidate = undefined
  const serving = service.live?.number ?? null
  const ms = Math.round((clock.monotonic() - since) * 10) / 10
  const result = (error: ErrorData): ReloadResult => ({
    ...failedReload(error),
    generation: serving,
    from: serving,
    ms,
  })
  if (prepared.kind === 'abandoned') return result(toErrorData(coded('stopped')))
  if (prepared.kind === 'waiting') {
    service.waitingFor = prepared.for
    service.refusedAttempt = { configHash: desired.hash, sourceKey: scan.key }
    if (service.live === undefined) {
      setState(service, 'waiting')
      machine.events.emit('service.waiting', { api: service.api, waiting_for: prepared.for })
    }
    return result(
      toErrorData(coded('service_failed', { api: service.api, reason: `it waits for ${prepared.for.join(', ')}` })),
    )
  }
  const error = prepared.kind === 'failed' ? prepared.error : groupError(bad)
  service.refusedAttempt = { configHash: desired.hash, sourceKey: scan.key }
  service.refusal = error
  service.lastErrorAt = clock.now()
  service.waitingFor = []
  if (service.live === undefined) {
    setState(service, 'failed')
    machine.calls.queue.refuseAll(service, coded('service_failed', { api: service.api, reason: error.message }))
  }
  machine.refused(service, error, scan.modified_ms)
  return result(error)
}

/** A good member of a group whose other member failed: it stays on its incumbent, and says whose fault it was. */
function groupError(bad: Candidate): ErrorData {
  const cause = bad.prepared.kind === 'failed' ? bad.prepared.error : toErrorData(coded('stopped'))
  return { ...cause, message: `${bad.service.api}, which shares a changed file, failed: ${cause.message}` }
}

function announce(machine: Machine, service: ServiceRecord, result: ReloadResult): void {
  const { api } = service
  const { from, generation, ms, failed_calls, state } = result
  if (from !== null) service.reloads++
  machine.events.emit('service.live', { api, generation, from, ms, failed_calls, state })
  const { log } = machine.options
  if (from === null) log.info(`${api}  g${generation} live  ${ms} ms`)
  else log.info(`${api}  g${from} → g${generation}  ${ms} ms  ${failed_calls} calls failed  state ${state}`)
}

/** The desired state has no such service any more: no new calls, the open ones drain, then everything is released. */
export async function stopService(machine: Machine, service: ServiceRecord, drainMs?: number): Promise<void> {
  const { live, candidate } = service
  setState(service, 'draining')
  for (const route of routeOf(machine.options.switchboard, service.api).aspects.values()) {
    for (const cell of route.cells.values()) cell.admission = CLOSED
  }
  machine.calls.queue.refuseAll(service, coded('service_stopped', { api: service.api }))
  if (candidate !== undefined) abandon(candidate)
  if (live !== undefined) {
    live.state = 'draining'
    service.draining.add(live)
    service.live = undefined
    ;(live.isolator as ModuleIsolator).abortTasks()
    await stopTasks(machine, live)
    await drained(machine, live, drainMs ?? machine.limitsOf(live.desired).drain_ms)
    await end(machine, service, live, { shutdown: true })
    service.draining.delete(live)
    service.pastCalls += callsOf(live)
    service.pastErrors += live.errors
  }
  setState(service, 'stopped')
  machine.events.emit('service.stopped', { api: service.api })
  machine.options.log.info(`${service.api}  stopped`)
}
