/**
 * What is seen only over several domains, or several errors: domains that drift together, those that do worse or better
 * than the others, errors that come again. What has no data is in no pattern. Pure; called at critique.
 */
import type { Finding } from '../../../contracts/meta-loop.ts'
import type { DomainView } from '../../../contracts/meta-metrics.ts'
import { holds } from './conditions.ts'
import { confidenceOf } from './confidence.ts'
import { fingerprintOf } from './fingerprint.ts'

const DRIFT_MAX = 0.2
const DRIFTING_MIN = 2
const SUCCESS_LOW = 0.85
const SUCCESS_HIGH = 0.95
const RECURS_MIN = 2
const RECURRING_SHOWN_MAX = 10
const SAMPLES_MIN = 10

const drifting = ({ drift }: DomainView): boolean =>
  Object.values(drift).some((share) => holds('gt', Math.abs(share), DRIFT_MAX))

/** null while less than two domains moved by more than a fifth from their baseline, either way. */
export function multiDomainDrift(domains: readonly DomainView[], samplesMin = SAMPLES_MIN): Finding | null {
  const moved = domains.filter(drifting)
  if (moved.length < DRIFTING_MIN) return null
  const names = moved.map(({ domain }) => domain).sort()
  return {
    rule: 'multi_domain_drift',
    kind: 'pattern',
    severity: 'warning',
    description: `${names.join(', ')} drift from their baseline at once`,
    context: { domains: names, drift: Object.fromEntries(moved.map(({ domain, drift }) => [domain, drift])) },
    altitudes: ['config', 'structure'],
    fingerprint: fingerprintOf({ rule: 'multi_domain_drift', metrics: names }),
    confidence: confidenceOf(
      moved.map(({ success_rate }) => success_rate),
      samplesMin,
    ),
  }
}

/** By their success rate; one without is in neither list. */
export function domainPerformance(domains: readonly DomainView[]): { under: string[]; over: string[] } {
  const those = (comparator: 'lt' | 'gt', limit: number): string[] =>
    domains.filter(({ success_rate }) => holds(comparator, success_rate.value, limit)).map(({ domain }) => domain)
  return { under: those('lt', SUCCESS_LOW), over: those('gt', SUCCESS_HIGH) }
}

/** Types of errors that came at least twice, the most frequent first. */
export const recurring = (errors: Readonly<Record<string, number>>): [type: string, count: number][] =>
  Object.entries(errors)
    .filter(([, count]) => count >= RECURS_MIN)
    .sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1))

/** One finding for each, the ten most frequent at most. `samples`: how many tasks they were counted over. */
export const recurrenceFindings = (
  errors: Readonly<Record<string, number>>,
  samples: number,
  samplesMin = SAMPLES_MIN,
): Finding[] =>
  recurring(errors)
    .slice(0, RECURRING_SHOWN_MAX)
    .map(([type, count]) => ({
      rule: 'pattern_recurrence',
      kind: 'pattern',
      severity: 'info',
      description: `${type} came ${count} times`,
      context: { error_type: type, count, samples },
      altitudes: ['config', 'code'],
      fingerprint: fingerprintOf({ rule: 'pattern_recurrence', metrics: [type] }),
      confidence: confidenceOf([{ value: count, samples }], samplesMin),
    }))
