/**
 * A metric that changed much from one window to the next: by 15 % a warning, by 30 % critical, measured against the
 * larger of both, so that doubling and halving weigh the same. What got better is no alert, nor what chance alone does:
 * of few calls one failure more is a large share, and says nothing. Pure; the watch clock of the meta-loop asks, and a
 * cycle may follow.
 */
import type { Finding, Severity } from '../../../contracts/meta-loop.ts'
import type { MetricDescriptor, MetricSnapshot } from '../../../contracts/meta-metrics.ts'
import { chanceSpread } from './chance.ts'
import { holds, shown } from './conditions.ts'
import { confidenceOf, isKnown } from './confidence.ts'
import { isWorse } from './direction.ts'
import { fingerprintOf } from './fingerprint.ts'
import { PATHS } from './paths.ts'

const TRACKED: readonly string[] = [
  PATHS.quality,
  PATHS.success,
  PATHS.spend,
  PATHS.orchestration_overhead,
  PATHS.overhead_pct,
  PATHS.findings,
]

export interface InflectionOptions {
  tracked: readonly string[]
  warning: number
  critical: number
  samples_min: number
}

export const INFLECTION_DEFAULTS: InflectionOptions = {
  tracked: TRACKED,
  warning: 0.15,
  critical: 0.3,
  samples_min: 10,
}

const TINY = 1e-9
/** Standard deviations of both values together. */
const CHANCE_SIGMAS = 3

/** 0 to 1 for values of one sign. null where one is unknown, or both are 0. */
export function changeRatio(old: number | null, next: number | null): number | null {
  if (old === null || next === null || (old === 0 && next === 0)) return null
  return Math.abs(next - old) / Math.max(Math.abs(old), Math.abs(next), TINY)
}

export function severityOf(
  ratio: number | null,
  { warning, critical }: Pick<InflectionOptions, 'warning' | 'critical'> = INFLECTION_DEFAULTS,
): Exclude<Severity, 'info'> | null {
  if (holds('ge', ratio, critical)) return 'critical'
  return holds('ge', ratio, warning) ? 'warning' : null
}

export function inflectionFindings(
  before: Pick<MetricSnapshot, 'values'>,
  after: Pick<MetricSnapshot, 'values'>,
  catalogue: readonly MetricDescriptor[],
  options = INFLECTION_DEFAULTS,
): Finding[] {
  return options.tracked.flatMap((path): Finding[] => {
    const metric = catalogue.find((one) => one.path === path)
    const [old, next] = [before.values[path], after.values[path]]
    if (metric === undefined || !isKnown(old) || !isKnown(next)) return []
    const ratio = changeRatio(old.value, next.value)
    const severity = severityOf(ratio, options)
    if (severity === null || ratio === null || isWorse(metric, old.value, next.value) !== true) return []
    const chance = Math.hypot(
      chanceSpread(metric, old.value, old.samples),
      chanceSpread(metric, next.value, next.samples),
    )
    if (Math.abs(next.value - old.value) <= CHANCE_SIGMAS * chance) return []
    return [
      {
        rule: 'inflection',
        kind: 'inflection',
        severity,
        description: `${path} went from ${shown(old.value)} to ${shown(next.value)}`,
        context: { metric: path, old: old.value, new: next.value, ratio },
        altitudes: ['config'],
        fingerprint: fingerprintOf({ rule: 'inflection', metrics: [path] }),
        confidence: confidenceOf([old, next], options.samples_min),
      },
    ]
  })
}
