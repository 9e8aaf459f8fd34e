/**
 * How far a finding can be believed: the share of what it needs to know that is known, times how nearly there are enough
 * observations. Nothing else goes into it, so that a limit on it means something. Pure; used by rules and patterns.
 */
import type { MetricValue } from '../../../contracts/meta-metrics.ts'

/** What is read and not counted (a limit, a number of services) has no samples, and is as sure as it can be. */
const adequacy = ({ samples }: MetricValue, needed: number): number =>
  samples === 0 ? 1 : Math.min(1, samples / needed)

export const isKnown = (one: MetricValue | undefined): one is MetricValue & { value: number } =>
  one !== undefined && one.value !== null && Number.isFinite(one.value)

/** 0 to 1, three decimals. `needed`: observations of each that are enough. */
export function confidenceOf(inputs: readonly (MetricValue | undefined)[], needed: number): number {
  const known = inputs.filter(isKnown)
  if (known.length === 0) return 0
  const weakest = Math.min(...known.map((one) => adequacy(one, Math.max(1, needed))))
  return Math.round((known.length / inputs.length) * weakest * 1_000) / 1_000
}
