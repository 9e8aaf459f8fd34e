/**
 * The one movement: prepare → verify → switch → drain → confirm. A first start, a reload, a config change, a restart
 * and a rollback are the same steps with a different incumbent. Members of a group are prepared side by side and
 * switched in one tick, or none of them. Any failure before the switch leaves every incumbent serving, with its state.
 */
import type { ReloadResult } from '../contracts/kernel.ts'
import type { StateCopy, VersionSource } from '../contracts/changes.ts'
import type { GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { abandon, createGeneration, end, prepare, type Prepared } from './generation.ts'
import { fetchStates, handOver, statesArrive } from './hand-over.ts'
import { closeRoute, routeOf } from './handle.ts'
import { announce, install, retire, stopTasks, switched } from './install.ts'
import type { ModuleIsolator } from './isolator.ts'
import type { Machine } from './machine.ts'
import { quiesce, reopen } from './quiesce.ts'
import { setState } from './service.ts'
import { restore, standDown } from './stand-down.ts'
import { deferredReload, settleFailure, type Problem } from './refuse.ts'

export interface Member extends VersionSource {
  service: ServiceRecord
  /** somebody asked for it: it happens even if nothing differs */
  asked: boolean
  /**
   * going back to the kept version, whose last state this is: never put off, never refused for its state. `anew`: it is the
   * one that serves
   */
  back?: { copy: StateCopy | undefined; reason: string; anew?: boolean }
}

export interface Candidate extends Member {
  generation: GenerationRecord
  incumbent: GenerationRecord | undefined
  prepared: Prepared
  /** what the incumbent handed over */
  copy: StateCopy | undefined
  state: ReloadResult['state']
  /** its incumbent was made quiet, or was ended because nothing can be shared */
  stood: 'serving' | 'quiet' | 'ended'
  refusedBefore: number
}

/** Never rejects. One result a member, in their order. `since` is when the change was noticed (monotonic ms). */
export async function move(machine: Machine, members: readonly Member[], since: number): Promise<ReloadResult[]> {
  const candidates = members.map((member) => createCandidate(machine, member))
  if (members.length > 1) {
    const group = new Set(members.map(({ service }) => service.api))
    for (const { generation } of candidates) generation.group = group
  }
  await Promise.all(candidates.map((candidate) => prepareCandidate(machine, candidate)))
  const problem = machine.gone ? undefined : await makeReady(machine, candidates)
  if (machine.gone) return leave(machine, candidates)
  if (problem !== undefined) {
    return Promise.all(candidates.map((one) => giveUp(machine, one, problem, since)))
  }
  for (const { service, generation, copy } of candidates) install(machine, service, generation, copy)
  for (const { service } of candidates) machine.secondTries.wentLive(service)
  const results = candidates.map((candidate) => succeeded(machine, candidate, since))
  for (const [index, { service }] of candidates.entries()) announce(machine, service, results[index] as ReloadResult)
  await Promise.all(candidates.map((candidate) => start(machine, candidate)))
  return results
}

/** Another kernel has taken over: the services and their versions are its business, what was built here is not. */
async function leave(machine: Machine, candidates: readonly Candidate[]): Promise<ReloadResult[]> {
  const built = candidates.filter(({ prepared }) => prepared.kind === 'ready')
  await Promise.all(built.map(({ service, generation }) => end(machine, service, generation, { shutdown: true })))
  return []
}

function createCandidate(machine: Machine, member: Member): Candidate {
  const { service } = member
  if (service.live === undefined) setState(service, 'starting')
  const generation = createGeneration(machine, service, member)
  service.candidate = generation
  machine.events.emit('service.starting', { api: service.api, generation: generation.number })
  return {
    ...member,
    generation,
    incumbent: service.live,
    prepared: { kind: 'abandoned' },
    copy: undefined,
    state: service.live === undefined ? 'none' : 'lost',
    stood: 'serving',
    refusedBefore: service.refusedCalls,
  }
}

async function prepareCandidate(machine: Machine, candidate: Candidate): Promise<void> {
  const { service, generation, incumbent } = candidate
  candidate.prepared = await prepare(machine, service, generation, async () => {
    const drains = [...service.draining].find(({ mode }) => mode === 'exclusive' || generation.mode === 'exclusive')
    if (drains !== undefined && candidate.back === undefined) {
      throw coded('reload_deferred', {
        api: service.api,
        reason: `g${drains.number} drains, and nothing can be shared`,
      })
    }
    if (incumbent === undefined) return
    if (generation.mode === 'exclusive' || incumbent.mode === 'exclusive')
      await standDown(machine, candidate, incumbent)
  })
}

/** Everything between prepared and the switch. Resolves with the first problem, when there is one. */
async function makeReady(machine: Machine, candidates: readonly Candidate[]): Promise<Problem | undefined> {
  const unready = candidates.find((one) => one.prepared.kind !== 'ready')
  if (unready !== undefined) return problemOf(unready)
  const quieting = candidates.flatMap((one) => {
    const { incumbent, generation, stood } = one
    if (incumbent === undefined || stood === 'ended') return []
    return incumbent.mode === 'quiesce' || generation.mode === 'quiesce' ? [{ one, incumbent }] : []
  })
  const noise =
    quieting.length === 0
      ? undefined
      : await quiesce(
          machine,
          quieting.map(({ one, incumbent }) => ({ service: one.service, generation: incumbent })),
        )
  for (const { one } of quieting) one.stood = 'quiet'
  // For code in this process nothing is awaited from here on: no call may run between the copy and the switch.
  const away = quieting.flatMap(({ incumbent }) => (incumbent.evaluated?.fetchState === undefined ? [] : [incumbent]))
  if (noise === undefined && away.length > 0) await fetchStates(machine, away)
  if (machine.gone) return undefined
  const first = candidates[0]
  if (machine.stopping && first !== undefined) return { kind: 'abandoned', of: first }
  const late = candidates.find((one) => one.service === noise?.service)
  if (late !== undefined && late.back === undefined) {
    const error = toErrorData(coded('reload_deferred', { api: late.service.api, reason: noise?.reason }))
    return { kind: 'deferred', of: late, error }
  }
  for (const candidate of candidates) {
    try {
      handOver(machine, candidate)
    } catch (thrown) {
      return { kind: 'failed', of: candidate, error: machine.faults.describe(thrown) }
    }
  }
  const given = candidates.filter(({ generation }) => generation.evaluated?.stateArrived !== undefined)
  return given.length === 0 ? undefined : statesArrive(machine, given)
}

function problemOf(candidate: Candidate): Problem {
  const { prepared } = candidate
  switch (prepared.kind) {
    case 'ready':
    case 'abandoned':
      return { kind: 'abandoned', of: candidate }
    case 'waiting':
      return { kind: 'waiting', of: candidate, for: prepared.for }
    case 'failed':
      return prepared.error.code === 'reload_deferred'
        ? { kind: 'deferred', of: candidate, error: prepared.error }
        : { kind: 'failed', of: candidate, error: prepared.error }
    case 'entangled':
      return { kind: 'deferred', of: candidate, error: prepared.error, alone: true }
    default: {
      const never: never = prepared
      return never
    }
  }
}

/** After the tick: the old tasks end, the new ones start, who waited goes on, the old version drains. */
async function start(machine: Machine, { service, generation, incumbent, stood }: Candidate): Promise<void> {
  // Also on a way back that did not wait for it to become quiet, and where a kernel before was waiting for an older one.
  const ending = [...service.draining].filter(hasTasks)
  if (ending.length > 0 || (incumbent !== undefined && stood === 'serving')) {
    machine.calls.queue.flush(service)
    await Promise.all(ending.map((old) => stopTasks(machine, old)))
  }
  if (service.live === generation) {
    ;(generation.isolator as ModuleIsolator).startBackground()
    machine.calls.queue.flush(service)
  }
  if (incumbent !== undefined && stood !== 'ended') void retire(machine, service, incumbent)
}

const hasTasks = ({ isolator }: GenerationRecord): boolean => (isolator as ModuleIsolator).tasks.size > 0

function succeeded(machine: Machine, candidate: Candidate, since: number): ReloadResult {
  const { service, incumbent, back } = candidate
  const from = incumbent?.number ?? null
  return {
    ...switched(machine, service, { ...candidate, from, since }),
    rolled_back: back !== undefined && back.anew !== true,
  }
}

/** Nothing goes live: the candidate ends, its incumbent goes on or is built again, and the reason is recorded. */
async function giveUp(machine: Machine, candidate: Candidate, problem: Problem, since: number): Promise<ReloadResult> {
  const { service, generation, incumbent, prepared, stood } = candidate
  if (prepared.kind === 'ready') await end(machine, service, generation, { shutdown: true })
  if (machine.gone) return deferredReload(0)
  if (service.candidate === generation) service.candidate = undefined
  let state: ReloadResult['state'] = 'none'
  if (stood === 'quiet' && incumbent !== undefined) reopen(machine, service, incumbent)
  if (stood === 'ended' && !machine.stopping) {
    state = await restore(machine, service, since)
    if (machine.gone) return deferredReload(0)
  }
  const ms = Math.round((machine.options.clock.monotonic() - since) * 10) / 10
  return { ...settleFailure(machine, candidate, problem), state, ms }
}

/** The desired state has no such service any more: no new calls, the open ones drain, then everything is released. */
export function stopService(machine: Machine, service: ServiceRecord, drainMs?: number): Promise<void> {
  return endService(machine, service, 'draining', coded('service_stopped', { api: service.api }), drainMs)
}

/** What `stopService` began has come to its end. */
export function stopped(machine: Machine, service: ServiceRecord): void {
  setState(service, 'stopped')
  machine.events.emit('service.stopped', { api: service.api })
  machine.options.log.info(`${service.api}  stopped`)
}

/** How long it may still drain. */
export const leftOf = ({ clock }: Machine, { drainUntil }: GenerationRecord): number | undefined =>
  drainUntil === undefined ? undefined : Math.max(0, drainUntil - clock.monotonic())

/** Ends what a service runs. Calls are refused with `reason` from now on, or queue when there is none. */
export async function endService(
  machine: Machine,
  service: ServiceRecord,
  state: 'draining' | 'tripped' | 'quarantined',
  reason: Error,
  drainMs?: number,
): Promise<void> {
  const { live, candidate } = service
  setState(service, state)
  service.stoodDown = undefined
  for (const route of routeOf(machine.options.switchboard, service.api).aspects.values()) closeRoute(route)
  machine.calls.queue.refuseAll(service, reason)
  if (candidate !== undefined) abandon(candidate)
  if (live !== undefined) {
    live.state = 'draining'
    service.draining.add(live)
    service.live = undefined
    ;(live.isolator as ModuleIsolator).abortTasks()
    await stopTasks(machine, live)
    await retire(machine, service, live, drainMs)
  }
  // Versions before it, and one that drained for a kernel before: while one is there, so is what it holds.
  const endOne = async (old: GenerationRecord): Promise<void> => {
    await stopTasks(machine, old)
    await retire(machine, service, old, drainMs ?? leftOf(machine, old))
  }
  await Promise.all([...service.draining].map(endOne))
}
