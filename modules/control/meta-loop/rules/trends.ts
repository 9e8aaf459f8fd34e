/**
 * Where a metric is going: a slope that a few wild values do not bend, large enough to matter and too steady for chance.
 * Whether that is good depends on the metric: rising latency degrades, a rising success rate does not. Pure; the
 * meta-loop hands in the history of each metric.
 */
import type { Finding } from '../../../contracts/meta-loop.ts'
import type { MetricDescriptor, MetricHistoryPoint } from '../../../contracts/meta-metrics.ts'
import { shown } from './conditions.ts'
import { isWorse, type Aim } from './direction.ts'
import { fingerprintOf } from './fingerprint.ts'
import { chanceOf, median, slopeOf, type Point } from './robust.ts'

export interface Trend {
  /** `unknown`: too few points, or a metric that says nothing by itself */
  verdict: 'improving' | 'degrading' | 'stable' | 'unknown'
  /** in the metric's unit */
  slope_per_hour: number | null
  /** from the first point to the last, as a share of the median */
  change: number | null
  /** how likely it is chance */
  chance: number | null
  points: number
}

export interface TrendOptions {
  points_min: number
  /** the newest ones are looked at */
  points_max: number
  /** a smaller change is none */
  change_min: number
  /** from here on it is critical */
  change_critical: number
  chance_max: number
}

export const TREND_DEFAULTS: TrendOptions = {
  points_min: 8,
  points_max: 60,
  change_min: 0.1,
  change_critical: 0.5,
  chance_max: 0.001,
}

const HOUR_MS = 3_600_000
const TINY = 1e-9

const known = (points: readonly MetricHistoryPoint[]): Point[] =>
  points.flatMap(({ at, value }) => (value === null || !Number.isFinite(value) ? [] : [{ at, value }]))

/** Oldest first. */
export function trendOf(points: readonly MetricHistoryPoint[], aim: Aim, options = TREND_DEFAULTS): Trend {
  const used = known(points).slice(-options.points_max)
  const [first, last] = [used[0], used.at(-1)]
  if (first === undefined || last === undefined || used.length < options.points_min || first.at === last.at)
    return { verdict: 'unknown', slope_per_hour: null, change: null, chance: null, points: used.length }
  const slope = slopeOf(used)
  const level = median(used.map(({ value }) => value))
  const moved = slope * (last.at - first.at)
  const change = moved / Math.max(Math.abs(level), TINY)
  const chance = chanceOf(used, slope)
  const counts = Math.abs(change) >= options.change_min && chance <= options.chance_max
  const worse = isWorse(aim, level - moved / 2, level + moved / 2)
  const verdict = !counts ? 'stable' : worse === null ? 'unknown' : worse ? 'degrading' : 'improving'
  return { verdict, slope_per_hour: slope * HOUR_MS, change, chance, points: used.length }
}

/** One finding for each metric that gets worse. */
export function trendFindings(
  histories: Readonly<Record<string, readonly MetricHistoryPoint[]>>,
  catalogue: readonly MetricDescriptor[],
  options = TREND_DEFAULTS,
): Finding[] {
  return catalogue.flatMap((metric): Finding[] => {
    const points = (histories[metric.path] ?? []).slice(-options.points_max)
    const { verdict, change, slope_per_hour, chance, points: count } = trendOf(points, metric, options)
    if (verdict !== 'degrading' || change === null) return []
    const percent = `${shown(Math.abs(change) * 100)} %`
    return [
      {
        rule: 'trend',
        kind: 'trend',
        severity: Math.abs(change) >= options.change_critical ? 'critical' : 'warning',
        description: `${metric.path} is degrading: ${change > 0 ? 'up' : 'down'} ${percent} over ${count} points`,
        context: { metric: metric.path, change, slope_per_hour, chance, points: count },
        altitudes: ['config', 'code'],
        fingerprint: fingerprintOf({ rule: 'trend', metrics: [metric.path] }),
        // Points that are missing are points one cannot be sure of.
        confidence: Math.round((count / points.length) * 1_000) / 1_000,
      },
    ]
  })
}
