/** The line in the prompt, and the bars. */
import { expect, it } from 'vitest'
import { PATHS } from '../../../../modules/control/meta-loop/rules/paths.ts'
import { goalBars } from '../../../../modules/control/meta-loop/scoring/bars.ts'
import { gapsOf } from '../../../../modules/control/meta-loop/scoring/gaps.ts'
import { STRATEGIC_GOALS } from '../../../../modules/control/meta-loop/scoring/goals.ts'
import { scoresOf } from '../../../../modules/control/meta-loop/scoring/scores.ts'
import { LINE_CHARS_MAX, statusLine } from '../../../../modules/control/meta-loop/scoring/status-line.ts'
import { HEALTHY } from '../asked.ts'
import { snapshotOf, worked } from '../made.ts'

const STATUS: Parameters<typeof statusLine>[0] = {
  running: false,
  last_cycle: null,
  cadence_mode: 'balanced',
  pending_approvals: 0,
  scores: null,
  scores_error: null,
  gaps: [],
}

it('says what there is, and only that', () => {
  expect(statusLine(STATUS)).toBe('[Meta-loop: balanced, no cycle yet, 0 pending approvals, no scores]')
  const scores = { ...scoresOf(HEALTHY), below_threshold: ['G2_economical' as const] }
  const last_cycle = {
    number: 7,
    trigger: 'manual',
    status: 'completed',
    started_at: 1,
    ended_at: 2,
    steps_completed: 6,
    identity: null,
  } as const
  const gaps = gapsOf(STRATEGIC_GOALS, snapshotOf({ [PATHS.overall_success]: 0.5, [PATHS.recovery]: 3 }).values)
  expect(statusLine({ ...STATUS, running: true, last_cycle, pending_approvals: 1, scores, gaps })).toBe(
    '[Meta-loop: balanced, a cycle runs, last cycle #7 completed, 1 pending approval, score 0.894, below threshold: G2_economical, not reached: success_rate]',
  )
})

it('never has more than 500 characters, nor a second line', () => {
  const line = statusLine({ ...STATUS, scores_error: 'disk\nfull '.repeat(200) })
  expect([line.length, line.includes('\n'), line.at(-1)]).toEqual([LINE_CHARS_MAX, false, ']'])
})

it('a goal is a bar of ten cells; without data it says so, and below its threshold too', () => {
  const scores = scoresOf({ ...HEALTHY, tokens_per_task: 40_000, confidence_accuracy: null })
  const lines = goalBars(scores)
  expect(lines).toHaveLength(7)
  expect(lines[0]).toBe('G1 truthful    ██████████ 100 %')
  expect(lines[1]).toBe('G2 economical  ██░░░░░░░░  20 %  below 70 %')
  expect(lines[5]).toBe('G6 self-know   ·········· no data')
  expect(goalBars(scoresOf(worked())).every((line) => line.includes('no data'))).toBe(true)
})

it('a cell stands for a tenth, to the nearest', () => {
  const idle = scoresOf(worked())
  const cells = (score: number): number =>
    (goalBars({ ...idle, goals: { ...idle.goals, G1_truthful: score } })[0] ?? '').split('█').length - 1
  expect([0, 0.04, 0.05, 0.5, 0.949, 1].map(cells)).toEqual([0, 0, 1, 5, 9, 10])
})
