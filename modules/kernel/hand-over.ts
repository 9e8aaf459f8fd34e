/**
 * A module's state on its way from one version to the next: taken as a copy, so that the old version can go on with
 * its own, and given as a copy, so that the kept one stays as it was. Both callbacks are synchronous by contract: a
 * Promise would let calls run between the copy and the switch. Called by `switch.ts` when nothing is under way.
 */
import type { StateCopy } from '../contracts/changes.ts'
import type { GenerationRecord } from '../contracts/state.ts'
import { coded, reasonOf } from '../lib/errors.ts'
import type { Machine } from './machine.ts'

/** undefined when the module hands nothing over. Throws `hand_over_failed` or `hand_over_not_cloneable`. */
export function takeCopy(machine: Machine, generation: GenerationRecord): StateCopy | undefined {
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
  guarded(machine, generation, 'takeOver', () => instance.takeOver?.(structuredClone(copy.state), copy.version))
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
