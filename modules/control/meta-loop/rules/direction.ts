/**
 * Whether a metric that moved is better or worse off: `up` and `down` say it themselves, a band by the distance from its
 * target, and a count that says nothing by itself is neither. Pure; used by trends, anomalies and inflections.
 */
import type { MetricDescriptor } from '../../../contracts/meta-metrics.ts'

export type Aim = Pick<MetricDescriptor, 'direction' | 'target'>

/** null: nobody can say. */
export function isWorse({ direction, target }: Aim, before: number, after: number): boolean | null {
  switch (direction) {
    case 'up':
      return after < before
    case 'down':
      return after > before
    case 'band':
      return target === null ? null : Math.abs(after - target) > Math.abs(before - target)
    case 'neither':
      return null
    default:
      return direction satisfies never
  }
}
