/** Scores and gaps of any work, and of any snapshot. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { META_GOALS } from '../../../../modules/contracts/meta-loop.ts'
import { gapsOf } from '../../../../modules/control/meta-loop/scoring/gaps.ts'
import { META_GOAL_DEFAULTS } from '../../../../modules/control/meta-loop/scoring/goals.ts'
import { scoresOf } from '../../../../modules/control/meta-loop/scoring/scores.ts'
import { HEALTHY } from '../asked.ts'
import { snapshotOf, worked } from '../made.ts'

const count = fc.integer({ min: 0, max: 200 })
const rate = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null })

it('a score is between 0 and 1 or unknown; below is exactly what is scored under its threshold', () => {
  const work = fc.record({
    event_count: count,
    task_count: count,
    task_count_first_try: count,
    task_count_7d: count,
    tool_call_success_rate: rate,
    confidence_accuracy: rate,
    errors: count,
    tokens: fc.option(count, { nil: null }),
  })
  fc.assert(
    fc.property(work, ({ errors, tokens, ...counts }) => {
      const tokens_per_task = tokens === null ? null : tokens * 500
      const { goals, below_threshold, aggregate } = scoresOf(
        worked({ ...counts, tokens_per_task, error_count_by_type: { any: errors } }),
      )
      for (const goal of META_GOALS) {
        const score = goals[goal]
        expect(score === null || (score >= 0 && score <= 1)).toBe(true)
        expect(below_threshold.includes(goal)).toBe(score !== null && score < META_GOAL_DEFAULTS[goal].threshold)
      }
      const known = Object.values(goals).filter((score) => score !== null)
      if (aggregate === null) expect(known).toEqual([])
      else
        expect([aggregate >= Math.min(...known) - 0.001, aggregate <= Math.max(...known) + 0.001]).toEqual([true, true])
    }),
  )
})

it('without weights there is no whole', () => {
  const weightless = Object.fromEntries(
    META_GOALS.map((goal) => [goal, { weight: 0, threshold: 0.5 }]),
  ) as typeof META_GOAL_DEFAULTS
  expect(scoresOf(HEALTHY, weightless).aggregate).toBeNull()
})

it('a gap is open on one side of its target, and the other direction opens it on the other', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e3, max: 1e3, noNaN: true }), (value) => {
      const gap = (direction: 'up' | 'down'): number | null | undefined =>
        gapsOf([{ id: 'g', metric: 'm.x', direction, target: 1, weight: 1 }], snapshotOf({ 'm.x': value }).values)[0]
          ?.gap
      expect([gap('up') ?? -1, gap('down') ?? -1].filter((one) => one > 0)).toHaveLength(
        Math.abs(value - 1) < 5e-10 ? 0 : 1,
      )
    }),
  )
})
