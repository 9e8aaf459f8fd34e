/**
 * A newest value that does not belong to those before it: more than three sigma from their median, by a spread that is
 * not widened by earlier spikes nor narrower than counting alone makes it. Only what is worse is a finding. Pure; the
 * meta-loop hands in the history of each metric.
 */
import type { Finding } from '../../../contracts/meta-loop.ts'
import type { MetricDescriptor, MetricHistoryPoint } from '../../../contracts/meta-metrics.ts'
import { chanceSpread } from './chance.ts'
import { shown } from './conditions.ts'
import { isWorse } from './direction.ts'
import { fingerprintOf } from './fingerprint.ts'
import { median, spread } from './robust.ts'

export interface Anomaly {
  is_anomaly: boolean
  /** the newest; null: it is unknown, or too few are before it */
  value: number | null
  baseline: number | null
  sigmas: number | null
  /** null: nobody can say */
  worse: boolean | null
  points: number
}

export interface AnomalyOptions {
  /** before the newest */
  points_min: number
  points_max: number
  sigmas_max: number
  /** from here on it is critical */
  sigmas_critical: number
  /** of the median: a spread is taken to be at least so much */
  spread_share_min: number
}

export const ANOMALY_DEFAULTS: AnomalyOptions = {
  points_min: 12,
  points_max: 120,
  sigmas_max: 3,
  sigmas_critical: 6,
  spread_share_min: 0.01,
}

/** A spread that is known from few values may well be larger, about as Student has it. */
const FEW = 3

export type Judged = Pick<MetricDescriptor, 'direction' | 'target' | 'unit'>

/** Oldest first; the last is judged by those before it. */
export function anomalyOf(points: readonly MetricHistoryPoint[], metric: Judged, options = ANOMALY_DEFAULTS): Anomaly {
  const last = points.at(-1)
  const before = points
    .slice(0, -1)
    .flatMap(({ value }) => (value === null || !Number.isFinite(value) ? [] : [value]))
    .slice(-options.points_max)
  const unknown: Anomaly = {
    is_anomaly: false,
    value: null,
    baseline: null,
    sigmas: null,
    worse: null,
    points: before.length,
  }
  if (last === undefined || last.value === null || !Number.isFinite(last.value)) return unknown
  if (before.length < options.points_min) return unknown
  const center = median(before)
  const floor = Math.max(options.spread_share_min * Math.abs(center), chanceSpread(metric, center, last.samples))
  const sigma = Math.max(spread(before) * (1 + FEW / before.length), floor)
  const distance = Math.abs(last.value - center)
  // All before were 0, and nothing says what one more means: no scale, no verdict.
  const sigmas = sigma === 0 ? (distance === 0 ? 0 : null) : distance / sigma
  return {
    is_anomaly: sigmas !== null && sigmas > options.sigmas_max,
    value: last.value,
    baseline: center,
    sigmas,
    worse: isWorse(metric, center, last.value),
    points: before.length,
  }
}

/** One finding for each metric whose newest value is far off, to the worse. */
export function anomalyFindings(
  histories: Readonly<Record<string, readonly MetricHistoryPoint[]>>,
  catalogue: readonly MetricDescriptor[],
  options = ANOMALY_DEFAULTS,
): Finding[] {
  return catalogue.flatMap((metric): Finding[] => {
    const points = (histories[metric.path] ?? []).slice(-options.points_max - 1)
    const { is_anomaly, value, baseline, sigmas, worse, points: count } = anomalyOf(points, metric, options)
    if (!is_anomaly || worse !== true || value === null || baseline === null || sigmas === null) return []
    return [
      {
        rule: 'anomaly',
        kind: 'anomaly',
        severity: sigmas >= options.sigmas_critical ? 'critical' : 'warning',
        description: `${metric.path} is ${shown(value)}, ${shown(sigmas)} sigma from its usual ${shown(baseline)}`,
        context: { metric: metric.path, value, baseline, sigmas, points: count },
        altitudes: ['config', 'code'],
        fingerprint: fingerprintOf({ rule: 'anomaly', metrics: [metric.path] }),
        confidence: Math.round((count / (points.length - 1)) * 1_000) / 1_000,
      },
    ]
  })
}
