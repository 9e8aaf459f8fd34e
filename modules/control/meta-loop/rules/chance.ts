/**
 * How far chance alone moves a value of a metric, however steady what it counts is: so that three failures after one are
 * not taken for three times as many. By its unit; 0 where nobody can say. Pure; used by anomalies and inflections.
 */
import type { MetricDescriptor } from '../../../contracts/meta-metrics.ts'

/** Of ten points. */
const POINTS = 10
const PERCENT = 100

/** One standard deviation, of a value that was made from so many samples. */
export function chanceSpread({ unit }: Pick<MetricDescriptor, 'unit'>, value: number, samples: number): number {
  if (unit === 'count') return Math.sqrt(Math.max(1, value))
  if (samples === 0) return 0
  switch (unit) {
    case 'ratio':
      return ofShare(value, samples)
    case 'points':
      return POINTS * ofShare(value / POINTS, samples)
    case 'percent':
      return (PERCENT * Math.sqrt(Math.max(0, value / PERCENT) + 1 / samples)) / Math.sqrt(samples)
    // A sum of so many amounts.
    case 'usd':
      return Math.abs(value) / Math.sqrt(samples)
    default:
      return 0
  }
}

/** As if one more of each kind had been seen: of none, nobody knows that there are none. */
function ofShare(value: number, samples: number): number {
  const share = Math.max(0, Math.min(1, (value * samples + 1) / (samples + 2)))
  return Math.sqrt((share * (1 - share)) / samples)
}
