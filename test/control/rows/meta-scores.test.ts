/** Rows of goals, signals and what the critic makes of them. */
import { expect, it } from 'vitest'
import { META_GOALS, type DerivedSignal, type MetaGoal, type Scores } from '../../../modules/contracts/meta-loop.ts'
import type { MetricValue } from '../../../modules/contracts/meta-metrics.ts'
import type { Json } from '../../../modules/contracts/seams.ts'
import { PATHS } from '../../../modules/control/meta-loop/rules/paths.ts'
import { critic } from '../../../modules/control/meta-loop/scoring/critic.ts'
import { gapsOf } from '../../../modules/control/meta-loop/scoring/gaps.ts'
import { META_GOAL_DEFAULTS, STRATEGIC_GOALS } from '../../../modules/control/meta-loop/scoring/goals.ts'
import { KNOBS } from '../../../modules/control/meta-loop/scoring/knobs.ts'
import { scoresOf } from '../../../modules/control/meta-loop/scoring/scores.ts'
import { derivedSignals, type SignalInput } from '../../../modules/control/meta-loop/scoring/signals.ts'
import { HEALTHY, allSignals, belowAs, criticized, signalInput, type Values } from '../meta-loop/asked.ts'
import { snapshotOf, worked } from '../meta-loop/made.ts'

const scoredAs = (scores: Scores): (number | null)[] => META_GOALS.map((goal) => scores.goals[goal])

// The vectors of the original, whose sixth goal was the fourth again; how sure an agent was is given here, as that number.

it('AROS 14: an agent that fails at everything is below all six thresholds', () => {
  const scores = scoresOf(
    worked({
      event_count: 10,
      error_count_by_type: { timeout: 5 },
      tokens_per_task: 40_000,
      task_count: 2,
      task_count_first_try: 1,
      task_count_7d: 2,
      retry_count: 1,
      tool_call_success_rate: 0.5,
      confidence_accuracy: 0.5,
    }),
  )
  expect(scoredAs(scores)).toEqual([0.5, 0.2, 0.5, 0.5, 0.2, 0.5])
  expect([scores.aggregate, scores.below_threshold]).toEqual([0.415, [...META_GOALS]])
})

it('AROS 15: an idle agent has no scores and none is below, where the original took it for half economical', () => {
  const scores = scoresOf(worked())
  expect(scoredAs(scores)).toEqual([null, null, null, null, null, null])
  expect([scores.aggregate, scores.below_threshold]).toEqual([null, []])
})

it('AROS 16: one that uses too many tokens and retries every task scores 0 for both', () => {
  const scores = scoresOf(
    worked({
      event_count: 20,
      error_count_by_type: { timeout: 2, refused: 1 },
      tokens_per_task: 60_000,
      task_count: 4,
      task_count_7d: 4,
      retry_count: 9,
      tool_call_success_rate: 0.95,
      confidence_accuracy: 0.95,
    }),
  )
  expect(scoredAs(scores)).toEqual([0.85, 0, 0, 0.95, 0.4, 0.95])
  expect(scores.aggregate).toBe(0.521)
  expect(scores.below_threshold).toEqual(['G2_economical', 'G3_reliable', 'G5_diligent'])
  // Of three tasks with 1, 0 and 2 retries one was reliable, where the original said none.
  expect(scoresOf(worked({ task_count: 3, task_count_first_try: 1, retry_count: 3 })).goals.G3_reliable).toBe(0.333)
})

it('AROS 17: a healthy one is below nothing; how well it knows itself counts only where it said how sure it was', () => {
  const scores = scoresOf(HEALTHY)
  expect(scoredAs(scores)).toEqual([1, 0.7, 0.917, 0.9, 1, 0.9])
  expect([scores.aggregate, scores.below_threshold]).toEqual([0.894, []])
  const unsure = scoresOf({ ...HEALTHY, confidence_accuracy: null })
  expect([unsure.goals.G6_self_know, unsure.aggregate]).toEqual([null, 0.893])
})

it('AROS 19: weights and thresholds are those of the config that is handed in', () => {
  const stricter = { ...META_GOAL_DEFAULTS, G2_economical: { weight: 9, threshold: 0.8 } }
  const scores = scoresOf(HEALTHY, stricter)
  expect(scores.below_threshold).toEqual(['G2_economical'])
  expect(scores.aggregate).toBe(0.777)
})

it('AROS 20: a score exactly at its threshold is not below it', () => {
  const at = (tokens_per_task: number): MetaGoal[] => scoresOf(worked({ tokens_per_task })).below_threshold
  expect(at(15_000)).toEqual([])
  expect(at(15_050)).toEqual(['G2_economical'])
})

const signalOf = (source: DerivedSignal['source'], input: SignalInput): DerivedSignal =>
  derivedSignals(input).find((one) => one.source === source) as DerivedSignal

it('AROS 21: there are always five signals with two inputs or more; drift is urgent at 4 of 6, high at 2, normal at 1', () => {
  for (const input of [signalInput(), signalInput({ operation: HEALTHY, week: HEALTHY, scores: scoresOf(HEALTHY) })]) {
    const signals = derivedSignals(input)
    expect(new Set(signals.map(({ source }) => source)).size).toBe(5)
    for (const { payload } of signals) expect(new Set(payload.cross_validated_with).size).toBeGreaterThanOrEqual(2)
  }
  const priority = (count: number): string =>
    signalOf('drift_score', signalInput({ scores: belowAs(META_GOALS.slice(0, count)) })).priority
  expect([4, 3, 2, 1, 0].map(priority)).toEqual(['urgent', 'high', 'high', 'normal', 'normal'])
})

it('AROS 22: a signal whose inputs are too few or differ is not validated, and nothing is proposed on it', () => {
  const retried = worked({ event_count: 40, task_count: 20, task_count_first_try: 10, retry_count: 10 })
  const validation = (success: MetricValue, operation = retried): string =>
    signalOf('strategy_effectiveness', signalInput({ operation, snapshot: snapshotOf({ [PATHS.success]: success }) }))
      .validation
  expect(validation({ value: 0.6, samples: 50 })).toBe('validated')
  expect(validation({ value: 0.99, samples: 50 })).toBe('unvalidated')
  expect(validation({ value: 0.6, samples: 2 })).toBe('unvalidated')
  expect(validation({ value: 0.6, samples: 50 }, { ...retried, task_count: 2 })).toBe('unvalidated')
  expect(validation({ value: null, samples: 0 })).toBe('unvalidated')
  expect(criticized(['G3_reliable']).changes).toHaveLength(1)
  const unsure = criticized(['G3_reliable'], [], allSignals('unvalidated'))
  expect([unsure.changes, unsure.reason]).toEqual([[], expect.stringContaining('no validated signal')])
})

it('AROS 29: one change for a goal at most, from the live value, by one at least, and none that changes nothing', () => {
  const none = criticized([])
  expect([none.action, none.confidence, none.changes]).toEqual(['NO_ACTION', 0.9, []])
  const three = criticized(['G2_economical', 'G3_reliable', 'G4_capable'])
  expect([three.action, three.confidence, three.changes]).toEqual(['ALERT', 0.7, []])
  const two = criticized(['G2_economical', 'G3_reliable'])
  expect([two.action, two.confidence]).toEqual(['POLICY_UPDATE', 0.6])
  expect(two.changes).toMatchObject([
    { key: 'steps_max', old: 8, new: 6, for: 'G2_economical', change_id: expect.stringMatching(/^[0-9a-f]{8}$/) },
    { key: 'params.retries', old: 2, new: 3, for: 'G3_reliable' },
  ])
  expect(criticized(['G5_diligent', 'G6_self_know']).changes).toEqual([])
  const at = (steps: Json | undefined): Json[] =>
    critic(
      {
        scores: belowAs(['G2_economical']),
        signals: allSignals('validated'),
        snapshot: { id: 's1' },
        sure: ['G2_economical'],
      },
      [],
      () => steps,
      [...KNOBS, ...KNOBS],
    ).changes.map((change) => change.new)
  expect([10, 2, 1, 0, 0.5, 'eight', undefined].map(at)).toEqual([[8], [1], [], [], [0.4], [], []])
})

const gaps = (values: Values): Record<string, number | null> =>
  Object.fromEntries(gapsOf(STRATEGIC_GOALS, snapshotOf(values).values).map(({ goal, gap }) => [goal, gap]))

it('GRACE 10: what is not measured is no gap', () => {
  const unknown = {
    success_rate: null,
    recovery_time: null,
    autonomy_rate: null,
    compliance: null,
    human_intervention: null,
  }
  expect(gaps({})).toEqual(unknown)
  expect(gaps({ [PATHS.compliance]: null, [PATHS.overall_success]: Number.NaN })).toEqual(unknown)
})

it('GRACE 11: a gap above 0 is worse, whichever way the goal points', () => {
  const at = {
    [PATHS.overall_success]: 0.87,
    [PATHS.recovery]: 42.3,
    [PATHS.autonomy]: 0.8,
    [PATHS.compliance]: 99,
    [PATHS.intervention]: 0.25,
  }
  expect(gaps(at)).toEqual({
    success_rate: 0.08,
    recovery_time: 12.3,
    autonomy_rate: 0,
    compliance: 0,
    human_intervention: 0.1,
  })
  expect(gaps({ [PATHS.recovery]: 20 }).recovery_time).toBe(0)
})
