/**
 * One metric of a service before and after a change: better, the same, worse, or unknown. Worse is only what is worse by
 * more than the tolerance, than each half of the time before, and than chance makes of so few samples; better likewise, and
 * by more than other programs that let go of the processor explain. Fewer calls are the service's doing only where about
 * as many as before wait in it: callers come and go by themselves. Pure.
 */
import type { EffectComparison, EffectMetric, Measured } from '../../contracts/proposals.ts'
import type { Sample } from './samples.ts'
import { fisher, mean, quantile, ranks } from './statistics.ts'

export interface Tolerances {
  tolerance: number
  min_effect: number
  latency_floor_ms: number
  samples_min: number
}

/** Chance makes as much of the same once in a hundred times. */
const ALPHA = 0.01
/** Timed calls below which no time is compared. */
export const TIMES_MIN = 20
/** Times the value before: what lies beyond is worse, however uneven it was. */
const NOISE_MAX = 1.5

/** So much at most is laid to the machine: what is better than that is better. */
const QUIETER_MAX = 2

const SHARES = { latency_p50_ms: 0.5, latency_p95_ms: 0.95 } as const
export const isLatency = (metric: EffectMetric): metric is keyof typeof SHARES => metric in SHARES

export function measured(sample: Sample | undefined, metric: EffectMetric): Measured {
  if (sample === undefined) return { value: null, samples: 0 }
  const { calls, errors, seconds, times } = sample
  if (isLatency(metric)) return { value: quantile(times, SHARES[metric]), samples: times.length }
  if (metric === 'error_share') return { value: calls === 0 ? null : errors / calls, samples: calls }
  return { value: seconds > 0 && calls > 0 ? calls / seconds : null, samples: calls }
}

export function compare(
  service: string,
  metric: EffectMetric,
  [before, after]: readonly [Sample | undefined, Sample],
  tolerances: Tolerances,
): EffectComparison {
  const [old, now] = [measured(before, metric), measured(after, metric)]
  const change = old.value === null || now.value === null || old.value === 0 ? null : now.value / old.value - 1
  const found =
    before === undefined || old.value === null || now.value === null
      ? 'unknown'
      : outcomeOf(metric, before, after, tolerances)
  // What is so bad that few samples show it is bad; anything else takes enough of them.
  const least = isLatency(metric) ? TIMES_MIN : tolerances.samples_min
  const outcome = found === 'worse' || Math.min(old.samples, now.samples) >= least ? found : 'unknown'
  return { service, metric, before: old, after: now, change, outcome }
}

function outcomeOf(
  metric: EffectMetric,
  before: Sample,
  after: Sample,
  tolerances: Tolerances,
): EffectComparison['outcome'] {
  switch (metric) {
    case 'latency_p50_ms':
    case 'latency_p95_ms':
      return ofTimes(SHARES[metric], before, after, tolerances)
    case 'error_share':
      return ofErrors(before, after, tolerances)
    case 'calls_per_s':
      return ofRates(before, after, tolerances)
    default:
      return metric satisfies never
  }
}

/** How many lie above a limit is compared: that of so many before, and of so many after. */
function ofTimes(
  share: number,
  sampleBefore: Sample,
  sampleAfter: Sample,
  { tolerance, min_effect, latency_floor_ms }: Tolerances,
): EffectComparison['outcome'] {
  const [before, after] = [sampleBefore.times, sampleAfter.times]
  const [old, now] = [quantile(before, share) ?? 0, quantile(after, share) ?? 0]
  if (Math.abs(now - old) < latency_floor_ms) return 'same'
  const above = (times: readonly number[], limit: number): number => times.filter((ms) => ms > limit).length
  const [low, high] = halvesOf(before, (half) => quantile(half, share) ?? 0)
  const limit = old * (1 + tolerance)
  const isWorse = now > Math.min(high, old * NOISE_MAX) * (1 + tolerance) && now > limit
  if (isWorse && fisher(above(before, old), before.length, above(after, limit), after.length) < ALPHA) return 'worse'
  const quieter = quieterBy(sampleBefore, sampleAfter)
  const aim = (old * (1 - min_effect)) / quieter
  const isBetter = now <= (low * (1 - min_effect)) / quieter && now <= aim
  return isBetter && chanceOfFewer(above(before, aim), before.length, above(after, aim), after.length) < ALPHA
    ? 'better'
    : 'same'
}

const chanceOfFewer = (k0: number, n0: number, k1: number, n1: number): number => fisher(k1, n1, k0, n0)

function ofErrors(before: Sample, after: Sample, { tolerance, min_effect }: Tolerances): EffectComparison['outcome'] {
  const [old, now] = [before.errors / before.calls, after.errors / after.calls]
  const [k0, n0, k1, n1] = [before.errors, before.calls, after.errors, after.calls]
  if (now > old * (1 + tolerance) && fisher(k0, n0, k1, n1) < ALPHA) return 'worse'
  return now <= old * (1 - min_effect) && chanceOfFewer(k0, n0, k1, n1) < ALPHA ? 'better' : 'same'
}

function ofRates(before: Sample, after: Sample, { tolerance, min_effect }: Tolerances): EffectComparison['outcome'] {
  const [old, now] = [before.calls / before.seconds, after.calls / after.seconds]
  const [low, high] = halvesOf(before.rates, mean)
  const stays = after.waiting / before.waiting
  // Calls under way are calls a second times how long each takes (Little's law).
  const takes = stays / (now / old)
  const isHeldUp = after.waiting >= 0.5 && stays >= 1 / NOISE_MAX && takes >= NOISE_MAX
  const isWorse = now < Math.max(low, old / NOISE_MAX) * (1 - tolerance) && now < old * (1 - tolerance)
  const lowered = before.rates.map((rate) => rate * (1 - tolerance))
  if (isHeldUp && isWorse && ranks(after.rates, lowered) < ALPHA) return 'worse'
  const isBetter = now >= Math.max(high, old) * (1 + min_effect) * quieterBy(before, after)
  return isBetter && ranks(before.rates, after.rates) < ALPHA ? 'better' : 'same'
}

/** How much less time other programs took after than before. That they took more makes nothing better, and excuses nothing. */
const quieterBy = (before: Sample, after: Sample): number =>
  Math.min(QUIETER_MAX, Math.max(1, (before.slowed ?? 1) / (after.slowed ?? 1)))

/** The lower and the higher of both halves: nothing had changed between them, so what lies there is noise. */
function halvesOf(values: readonly number[], of: (half: readonly number[]) => number): [low: number, high: number] {
  const middle = Math.floor(values.length / 2)
  if (middle < TIMES_MIN) return [of(values), of(values)]
  const [first, second] = [of(values.slice(0, middle)), of(values.slice(middle))]
  return [Math.min(first, second), Math.max(first, second)]
}
