/**
 * A module's state on its way from one version to the next: taken as a copy, so that the old version can go on with
 * its own, and given as a copy, so that the kept one stays as it was. Both callbacks are synchronous by contract: a
 * Promise would let calls run between the copy and the switch. Called by `switch.ts` when nothing is under way.
 */
import type { StateCopy } from '../contracts/changes.ts'
import type { GenerationRecord } from '../contracts/state.ts'
import { coded, reasonOf } from '../lib/errors.ts'
import { quickCopy } from '../lib/quick-copy.ts'
import { within } from '../lib/within.ts'
import type { Machine } from './machine.ts'
import type { Problem } from './refuse.ts'
import type { Candidate } from './switch.ts'

/** undefined when the module hands nothing over. Throws `hand_over_failed` or `hand_over_not_cloneable`. */
function takeCopy(machine: Machine, generation: GenerationRecord): StateCopy | undefined {
  const { api, instance } = generation
  if (typeof instance?.handOver !== 'function') return undefined
  const state = guarded(machine, generation, 'handOver', () => instance.handOver?.())
  try {
    return { state: structuredClone(state), version: generation.stateVersion }
  } catch (thrown) {
    throw coded('hand_over_not_cloneable', { api, reason: reasonOf(thrown) }, { file: generation.scan.entry }, thrown)
  }
}

/** False when the module takes no state. Throws `hand_over_failed`. */
export function giveCopy(machine: Machine, generation: GenerationRecord, copy: StateCopy): boolean {
  const { instance } = generation
  if (typeof instance?.takeOver !== 'function') return false
  guarded(machine, generation, 'takeOver', () => instance.takeOver?.(quickCopy(copy.state), copy.version))
  return true
}

function guarded(machine: Machine, generation: GenerationRecord, phase: string, work: () => unknown): unknown {
  const { api, scan } = generation
  const failed = (reason: string, cause?: unknown): Error =>
    coded('hand_over_failed', { api, reason }, machine.options.loader.placeOf(cause) ?? { file: scan.entry }, cause)
  let result: unknown
  try {
    result = work()
  } catch (thrown) {
    throw failed(`${phase} threw: ${reasonOf(thrown)}`, thrown)
  }
  if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
    Promise.resolve(result).catch(() => undefined)
    throw failed(`${phase} returned a Promise; it must be synchronous`)
  }
  return result
}

/** Where one side knows no state, it is lost, and the result says so. Throws when a side that does know it fails. */
export function handOver(machine: Machine, candidate: Candidate): void {
  const { incumbent, generation, stood, back } = candidate
  if (incumbent === undefined || stood === 'serving') return
  if (stood === 'quiet') candidate.copy = copyOf(machine, candidate, incumbent)
  const { copy } = candidate
  try {
    if (copy !== undefined && giveCopy(machine, generation, copy)) candidate.state = 'carried'
    else if (back?.copy !== undefined && giveCopy(machine, generation, back.copy)) candidate.state = 'restored'
  } catch (thrown) {
    if (back === undefined) throw thrown
    restore(machine, candidate)
  }
}

/** The version that is gone back to may not know the newer state: then it gets the last one it handed over itself. */
function restore(machine: Machine, candidate: Candidate): void {
  const copy = candidate.back?.copy
  try {
    if (copy !== undefined && giveCopy(machine, candidate.generation, copy)) candidate.state = 'restored'
  } catch (thrown) {
    machine.faults.noteError(candidate.service, thrown, candidate.generation)
  }
}

/** A failing version's state is taken if that works: going back does not depend on it. */
export function copyOf(machine: Machine, candidate: Candidate, incumbent: GenerationRecord): StateCopy | undefined {
  try {
    return takeCopy(machine, incumbent)
  } catch (thrown) {
    if (candidate.back === undefined) throw thrown
    return undefined
  }
}

/** Code that runs elsewhere is asked for its state before the tick in which it has to be there. Never rejects. */
export async function fetchStates(machine: Machine, incumbents: readonly GenerationRecord[]): Promise<void> {
  await Promise.all(incumbents.map((one) => inTime(machine, one, 'fetchState').catch(() => undefined)))
}

/** What candidates elsewhere were given is theirs before they serve. Resolves with the first problem. */
export async function statesArrive(machine: Machine, candidates: readonly Candidate[]): Promise<Problem | undefined> {
  for (const candidate of candidates) {
    const { api, scan } = candidate.generation
    try {
      await inTime(machine, candidate.generation, 'stateArrived')
    } catch (thrown) {
      const failed = coded('hand_over_failed', { api, reason: reasonOf(thrown) }, { file: scan.entry }, thrown)
      return { kind: 'failed', of: candidate, error: machine.faults.describe(failed) }
    }
    if (machine.stopping) return { kind: 'abandoned', of: candidate }
  }
  return undefined
}

function inTime(machine: Machine, generation: GenerationRecord, what: 'fetchState' | 'stateArrived'): Promise<void> {
  const { quiesce_ms: ms } = machine.limitsOf(generation.desired)
  const late = (): Error => new Error(`its host did not answer within ${ms} ms`)
  return within(machine.clock, ms, generation.evaluated?.[what]?.() ?? Promise.resolve(), late)
}
