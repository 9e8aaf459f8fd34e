/**
 * How an agent did against the six goals, from what it did: 0 to 1. What there is no data for has no score, is not below
 * its threshold, and does not count in the whole; an idle agent has no scores at all. Pure; called at perceive.
 */
import { META_GOALS, type MetaGoal, type MetaGoalConfig, type Scores } from '../../../contracts/meta-loop.ts'
import type { OperationMetrics } from '../../../contracts/meta-metrics.ts'
import { META_GOAL_DEFAULTS } from './goals.ts'

/** A task that takes so many tokens is not economical at all. */
const TOKENS_PER_TASK_MAX = 50_000
/** So many tasks in seven days are enough. */
const TASKS_PER_WEEK = 10

const within = (score: number): number => Math.round(Math.max(0, Math.min(1, score)) * 1_000) / 1_000

const ofNone = (score: number, of: number): number | null => (of > 0 ? score / of : null)

const FORMULAS: Readonly<Record<MetaGoal, (operation: OperationMetrics) => number | null>> = {
  G1_truthful: ({ error_count_by_type: errors, event_count: events }) =>
    ofNone(events - Object.values(errors).reduce((sum, count) => sum + count, 0), events),
  G2_economical: ({ tokens_per_task: tokens }) => (tokens === null ? null : 1 - tokens / TOKENS_PER_TASK_MAX),
  // Tasks without a retry, not tasks minus retries: one task with many is one.
  G3_reliable: ({ task_count_first_try: first, task_count: tasks }) => ofNone(first, tasks),
  G4_capable: ({ tool_call_success_rate: rate }) => rate,
  // Nobody who asked for nothing was served badly.
  G5_diligent: ({ task_count_7d: tasks }) => (tasks > 0 ? tasks / TASKS_PER_WEEK : null),
  G6_self_know: ({ confidence_accuracy: accuracy }) => accuracy,
}

export function scoresOf(
  operation: OperationMetrics,
  config: Readonly<Record<MetaGoal, MetaGoalConfig>> = META_GOAL_DEFAULTS,
): Scores {
  const scored = META_GOALS.map((goal) => {
    const score = FORMULAS[goal](operation)
    return { goal, ...config[goal], score: score === null || !Number.isFinite(score) ? null : within(score) }
  })
  let [sum, weights] = [0, 0]
  for (const { score, weight } of scored) {
    if (score === null) continue
    sum += weight * score
    weights += weight
  }
  return {
    goals: Object.fromEntries(scored.map(({ goal, score }) => [goal, score])) as Scores['goals'],
    aggregate: weights > 0 ? within(sum / weights) : null,
    below_threshold: scored.flatMap(({ goal, score, threshold }) =>
      score !== null && score < threshold ? [goal] : [],
    ),
  }
}
