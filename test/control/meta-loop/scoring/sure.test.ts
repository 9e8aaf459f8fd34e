/** Goals that are below by more than chance: the same share of few tasks says nothing, of many it does. */
import { expect, it } from 'vitest'
import type { OperationMetrics } from '../../../../modules/contracts/meta-metrics.ts'
import { META_GOAL_DEFAULTS } from '../../../../modules/control/meta-loop/scoring/goals.ts'
import { scoresOf } from '../../../../modules/control/meta-loop/scoring/scores.ts'
import { surelyBelow } from '../../../../modules/control/meta-loop/scoring/sure.ts'
import { worked } from '../made.ts'

const both = (more: Partial<OperationMetrics>): [below: string[], sure: string[]] => {
  const operation = worked(more)
  const scores = scoresOf(operation)
  return [scores.below_threshold, surelyBelow(scores, operation, META_GOAL_DEFAULTS)]
}
const tried = (first: number, tasks: number): Partial<OperationMetrics> => ({
  task_count: tasks,
  task_count_first_try: first,
})

it('a share below its threshold is sure only where there was so much work that chance does not explain it', () => {
  expect(both(tried(10, 12))).toEqual([['G3_reliable'], []])
  expect(both(tried(6, 12))).toEqual([['G3_reliable'], ['G3_reliable']])
  expect(both(tried(800, 1_000))).toEqual([['G3_reliable'], ['G3_reliable']])
  expect(both(tried(0, 9))).toEqual([['G3_reliable'], []])
  const tools = (count: number): Partial<OperationMetrics> => ({ tool_call_count: count, tool_call_success_rate: 0.85 })
  expect([both(tools(50)), both(tools(500))]).toEqual([
    [['G4_capable'], []],
    [['G4_capable'], ['G4_capable']],
  ])
})

it('tokens a task are sure with ten tasks; what is not below is never sure', () => {
  const dear = (tasks: number): Partial<OperationMetrics> => ({ ...tried(tasks, tasks), tokens_per_task: 40_000 })
  expect([both(dear(9)), both(dear(10))]).toEqual([
    [['G2_economical'], []],
    [['G2_economical'], ['G2_economical']],
  ])
  expect(both({ ...tried(100, 100), tokens_per_task: 1_000 })).toEqual([[], []])
})
