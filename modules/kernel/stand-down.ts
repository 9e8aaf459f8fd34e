/**
 * Versions that can share nothing with another: the one that serves stands down, and ends, before its successor is
 * constructed. Where the successor does not come, the same version is made again and gets its state back; what it takes
 * is kept with the service, so that a kernel which takes over meanwhile can do it too. Called by `switch.ts`.
 */
import type { ReloadResult } from '../contracts/kernel.ts'
import type { GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import { callsOf } from './counts.ts'
import { createGeneration, end, prepare } from './generation.ts'
import { copyOf, fetchStates, giveCopy } from './hand-over.ts'
import { announce, install, keep, overran, stopTasks, switched } from './install.ts'
import type { ModuleIsolator } from './isolator.ts'
import type { Machine } from './machine.ts'
import { quiesce } from './quiesce.ts'
import type { Candidate } from './switch.ts'

/** Nothing can be shared: the incumbent ends before the candidate is constructed. Throws when it does not become quiet. */
export async function standDown(machine: Machine, candidate: Candidate, incumbent: GenerationRecord): Promise<void> {
  const { service, generation } = candidate
  // From here on a newer save has to wait: half a stand-down can be neither kept nor dropped.
  generation.onAbandon = undefined
  const noise = await quiesce(machine, [{ service, generation: incumbent }])
  if (machine.gone) throw coded('stopped')
  candidate.stood = 'quiet'
  if (noise !== undefined && candidate.back === undefined) {
    throw coded('reload_deferred', { api: service.api, reason: noise.reason })
  }
  if (noise !== undefined) {
    overran(machine, incumbent)
    await stopTasks(machine, incumbent)
  }
  if (incumbent.evaluated?.fetchState !== undefined) await fetchStates(machine, [incumbent])
  if (machine.gone) throw coded('stopped')
  const copy = copyOf(machine, candidate, incumbent)
  candidate.copy = copy
  candidate.stood = 'ended'
  service.live = undefined
  const ended = end(machine, service, incumbent, { shutdown: true })
  const { desired, scan, configText, number } = incumbent
  service.stoodDown = { desired, scan, configText, number, copy, kept: service.kept, ended }
  keep(service, incumbent, generation, copy)
  await ended
  service.pastCalls += callsOf(incumbent)
  service.pastErrors += incumbent.errors
}

/**
 * A version stood down for one that failed, or that another kernel was building when it went: the same version is made
 * again and gets its state back. What this leaves undone is begun anew by the kernel that takes over meanwhile.
 */
export async function restore(machine: Machine, service: ServiceRecord, since: number): Promise<ReloadResult['state']> {
  const { stoodDown } = service
  if (stoodDown === undefined) return 'lost'
  const refusedBefore = service.refusedCalls
  await stoodDown.ended
  const generation = createGeneration(machine, service, stoodDown)
  const prepared = await prepare(machine, service, generation)
  if (machine.gone || machine.stopping) {
    if (prepared.kind === 'ready') await end(machine, service, generation, { shutdown: true })
    return 'lost'
  }
  service.quietWith = undefined
  service.stoodDown = undefined
  if (prepared.kind !== 'ready') return 'lost'
  const { copy, kept, number: from } = stoodDown
  let state: ReloadResult['state'] = 'lost'
  try {
    if (copy !== undefined && giveCopy(machine, generation, copy)) state = 'restored'
  } catch (thrown) {
    machine.faults.noteError(service, thrown, generation)
  }
  install(machine, service, generation, undefined)
  service.kept = kept
  announce(machine, service, switched(machine, service, { generation, from, state, since, refusedBefore }))
  ;(generation.isolator as ModuleIsolator).startBackground()
  machine.calls.queue.flush(service)
  return state
}
