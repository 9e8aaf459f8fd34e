/**
 * How far the system is from each strategic goal, in the metric's own unit: above 0 is worse, 0 is reached, whichever
 * way the goal points. What is not measured is no gap. Pure; called at perceive, and by the watch clock.
 */
import type { GoalGap, StrategicGoal } from '../../../contracts/meta-loop.ts'
import type { MetricSnapshot } from '../../../contracts/meta-metrics.ts'
import { isKnown } from '../rules/confidence.ts'

/** Binary fractions leave dust: 0.95 − 0.9 is a gap of 0.05. */
const clean = (gap: number): number => Math.round(gap * 1e9) / 1e9

export const gapsOf = (goals: readonly StrategicGoal[], values: MetricSnapshot['values']): GoalGap[] =>
  goals.map(({ id, metric, direction, target }) => {
    const one = values[metric]
    if (!isKnown(one)) return { goal: id, metric, current: null, target, gap: null }
    const missing = direction === 'up' ? target - one.value : one.value - target
    return { goal: id, metric, current: one.value, target, gap: Math.max(0, clean(missing)) }
  })
