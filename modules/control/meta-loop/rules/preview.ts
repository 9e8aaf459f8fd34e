/**
 * What a rule would have said of snapshots that were taken: each is judged as a cycle would judge it, but for what was
 * said before (cooldown and open proposals are of no account). Pure; called by the meta-loop when somebody makes a rule.
 */
import type { RuleDefinition, RulePreview } from '../../../contracts/meta-loop.ts'
import type { MetricSnapshot } from '../../../contracts/meta-metrics.ts'
import { evaluate, EVALUATE_DEFAULTS } from './evaluate.ts'

type Point = RulePreview['points'][number]

/** `snapshots`: oldest first. */
export function previewOf(
  rule: RuleDefinition,
  snapshots: readonly MetricSnapshot[],
  confidence_min: number,
): RulePreview {
  const options = { ...EVALUATE_DEFAULTS, now: 0, disabled_rules: [], confidence_min }
  const { enabled: _enabled, ...judged } = rule
  const points = snapshots.map((snapshot): Point => {
    const { silent } = evaluate([judged], snapshot, { pending: [], fired_at: {} }, options)
    return {
      snapshot: snapshot.id,
      at: snapshot.at,
      outcome: (silent[0]?.reason ?? 'fires') as Point['outcome'],
      values: rule.conditions.map(({ metric }) => snapshot.values[metric]?.value ?? null),
    }
  })
  return { fires: points.filter(({ outcome }) => outcome === 'fires').length, points }
}
