/**
 * How a derived signal comes to be validated: it stands on inputs that do not depend on each other, and two of them at
 * least, with enough samples, say the same. Pure; used by the five signals.
 */
import type { DerivedSignal } from '../../../contracts/meta-loop.ts'
import type { MetricSnapshot, MetricValue } from '../../../contracts/meta-metrics.ts'
import type { JsonMap } from '../../../contracts/seams.ts'
import { isKnown } from '../rules/confidence.ts'

const AGREEING_MIN = 2

/** `good` and `bad` are the two directions a signal can take; null: this input does not know. */
export interface Evidence {
  input: string
  value: number | null
  samples: number
  good: boolean | null
}

/** Two at least, with enough samples, agree with what is said. */
const isValidated = (evidence: readonly Evidence[], said: boolean, samplesMin: number): boolean =>
  evidence.filter(({ good, samples }) => good === said && samples >= samplesMin).length >= AGREEING_MIN

/** What is said is what the first input says. */
export function signal(
  source: DerivedSignal['source'],
  priority: DerivedSignal['priority'],
  evidence: readonly Evidence[],
  samplesMin: number,
  payload: JsonMap,
): DerivedSignal {
  const said = evidence[0]?.good ?? null
  const validation = said !== null && isValidated(evidence, said, samplesMin) ? 'validated' : 'unvalidated'
  const inputs = evidence.map(({ input, value, samples, good }) => ({ input, value, samples, good }))
  return {
    source,
    priority,
    validation,
    payload: { ...payload, inputs, cross_validated_with: evidence.map(({ input }) => input) },
  }
}

/** What is read and not counted is as sure as what was counted often enough. */
export const enoughOrCounted = (one: MetricValue | undefined, samplesMin: number): number =>
  !isKnown(one) ? 0 : one.samples === 0 ? samplesMin : one.samples

/** A metric of the kernel's, with whether it is good. */
export function measured(
  snapshot: Pick<MetricSnapshot, 'values'>,
  samplesMin: number,
  path: string,
  isGood: (value: number) => boolean,
): Evidence {
  const one = snapshot.values[path]
  if (!isKnown(one)) return { input: path, value: null, samples: 0, good: null }
  return { input: path, value: one.value, samples: enoughOrCounted(one, samplesMin), good: isGood(one.value) }
}
