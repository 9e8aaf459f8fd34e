/**
 * The two policies of the loop that follow from goals (GRACE), as rules like all others: too few successes make the loop
 * ask for more confidence before it proposes; a slow recovery is told. Their limits move with the goals' targets.
 */
import type { RuleDefinition, StrategicGoal } from '../../../contracts/meta-loop.ts'

/** Failures that are over within a window are few, and each counts. */
const RECOVERIES_MIN = 3
/** How far below its target the success rate may be. */
const SUCCESS_GAP = 0.05
const CONFIDENCE_STEP = 0.05

const POLICIES: Readonly<Record<string, (goal: StrategicGoal) => RuleDefinition>> = {
  success_rate: ({ metric, target }) => ({
    name: 'improve_success_rate',
    description: 'the success rate is far below its goal',
    conditions: [{ metric, comparator: 'le', threshold: target - SUCCESS_GAP }],
    severity: 'warning',
    altitudes: ['tuning'],
    change: { file: 'configs/control/meta-loop.yml', key: 'confidence_min', add: CONFIDENCE_STEP },
  }),
  recovery_time: ({ metric, target }) => ({
    name: 'reduce_recovery_latency',
    description: 'it takes too long until a failure is over',
    conditions: [{ metric, comparator: 'gt', threshold: target }],
    severity: 'warning',
    altitudes: ['config', 'structure'],
    samples_min: RECOVERIES_MIN,
  }),
}

/** Those of the goals there are. */
export const goalPolicies = (goals: readonly StrategicGoal[]): RuleDefinition[] =>
  goals.flatMap((goal) => (Object.hasOwn(POLICIES, goal.id) ? [POLICIES[goal.id]?.(goal) ?? []].flat() : []))
