/** What is measured for a proposal: before it goes live, of the versions that serve then, and after, of its own. */
import {
  EFFECT_METRICS,
  type EffectMetric,
  type Measured,
  type Proposal,
  type ProposalInput,
} from '../../contracts/proposals.ts'
import type { Config } from './config.ts'
import { measured, TIMES_MIN } from './compare.ts'
import type { Means } from './means.ts'
import { sampleOf, servingSince, type Sample } from './samples.ts'

/** of a window; looks do not begin where it does */
const MOST = 0.8
const LOOKS_MIN = 10

/** The system may ask for more samples than its config, never for fewer; a person may do without. */
export function windowOf(
  { origin, verify = {} }: ProposalInput,
  config: Config,
): { window_ms: number; samples_min: number } {
  const { window_ms = config.window_ms, samples_min = config.samples_min } = verify
  return { window_ms, samples_min: origin === 'human' ? samples_min : Math.max(samples_min, config.samples_min) }
}

export const servicesOf = ({ service }: Pick<Proposal, 'service'>, touches: readonly string[]): string[] => [
  ...new Set([service, ...touches]),
]

export function baselineOf(
  { kernel, config, seen }: Means,
  proposal: Proposal,
  touches: readonly string[],
): { before: NonNullable<Proposal['before']>; baseline: Record<string, Sample> } {
  const now = kernel.clock.monotonic()
  const { window_ms } = windowOf(proposal, config)
  const samples = servicesOf(proposal, touches).map((api) => {
    const from = Math.max(now - window_ms, servingSince(seen, api))
    return [api, sampleOf(seen, api, from, now)] as const
  })
  const baseline = Object.fromEntries(samples)
  const before = EFFECT_METRICS.map((metric): [EffectMetric, Measured] => [
    metric,
    measured(baseline[proposal.service], metric),
  ])
  return { before: Object.fromEntries(before), baseline }
}

/** Too little has been seen of a service that is called, and only for a short time: a little later there is enough to compare. */
export function isTooEarly({ kernel, config, seen }: Means, proposal: Proposal): boolean {
  const now = kernel.clock.monotonic()
  const { window_ms, samples_min } = windowOf(proposal, config)
  // Where looks are as rare as windows are short there is nothing to wait for.
  if (config.check_ms * LOOKS_MIN > window_ms) return false
  const from = Math.max(now - window_ms, servingSince(seen, proposal.service))
  const { calls, seconds, times } = sampleOf(seen, proposal.service, from, now)
  const isCalled = calls + times.length > 0
  // Who asks for no samples is not made to wait for any.
  const isEnough = calls >= samples_min && (samples_min === 0 || times.length >= TIMES_MIN)
  return isCalled && !isEnough && seconds * 1_000 < MOST * window_ms
}
