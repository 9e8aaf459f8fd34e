/** Derived signals: which inputs validate one, and what an idle agent gives. */
import { expect, it } from 'vitest'
import { META_GOALS, type DerivedSignal } from '../../../../modules/contracts/meta-loop.ts'
import { PATHS } from '../../../../modules/control/meta-loop/rules/paths.ts'
import { gapsOf } from '../../../../modules/control/meta-loop/scoring/gaps.ts'
import { STRATEGIC_GOALS } from '../../../../modules/control/meta-loop/scoring/goals.ts'
import { scoresOf } from '../../../../modules/control/meta-loop/scoring/scores.ts'
import { derivedSignals, mayProposeFor } from '../../../../modules/control/meta-loop/scoring/signals.ts'
import { HEALTHY, allSignals, signalInput } from '../asked.ts'
import { snapshotOf, worked } from '../made.ts'

const of = (source: DerivedSignal['source'], more: Parameters<typeof signalInput>[0]): DerivedSignal | undefined =>
  derivedSignals(signalInput(more)).find((one) => one.source === source)

it('of an idle agent nothing is validated and nothing is urgent', () => {
  const signals = derivedSignals(signalInput())
  expect(signals.map(({ validation }) => validation)).toEqual(Array.from({ length: 5 }, () => 'unvalidated'))
  expect(signals.map(({ payload }) => payload['verdict'])).toEqual(Array.from({ length: 5 }, () => 'unknown'))
  expect(signals.some(({ priority }) => priority === 'urgent')).toBe(false)
})

it('retries of a fifth of the tasks are no longer effective', () => {
  const verdict = (retry_count: number): unknown =>
    of('strategy_effectiveness', { operation: worked({ task_count: 10, retry_count }) })?.payload['verdict']
  expect([verdict(1), verdict(2)]).toEqual(['effective', 'needs_improvement'])
})

it('tools are used enough from three tenths of five calls a tool on', () => {
  const at = (tool_call_count: number) =>
    of('tool_underutilization', { operation: worked({ event_count: 90, tool_call_count }), tools: 2 })
  expect([at(3), at(4)]).toMatchObject([
    { priority: 'normal', payload: { utilization: 0.3, verdict: 'underutilized' } },
    { priority: 'low', payload: { utilization: 0.4, verdict: 'adequate' } },
  ])
})

it('one who is surer than it should be by a tenth is not calibrated', () => {
  const at = (confidence_accuracy: number) =>
    of('confidence_calibration', { operation: worked({ tool_call_success_rate: 0.9, confidence_accuracy }) })
  expect([at(0.85), at(0.8), at(0.5)]).toMatchObject([
    { priority: 'low', payload: { verdict: 'calibrated' } },
    { priority: 'low', payload: { verdict: 'miscalibrated' } },
    { priority: 'normal', payload: { verdict: 'miscalibrated', difference: 0.4 } },
  ])
})

it('errors that come again are told with how often; the days before are another source', () => {
  const operation = worked({ event_count: 50, error_count_by_type: { timeout: 2, once: 1 } })
  const week = worked({ event_count: 90, error_count_by_type: { timeout: 5, once: 1 } })
  const found = of('pattern_recurrence', { operation, week })
  expect(found).toMatchObject({
    priority: 'high',
    validation: 'validated',
    payload: { recurring: { timeout: 2 }, verdict: 'recurring_patterns' },
  })
  // A week that is only today is no second source.
  expect(of('pattern_recurrence', { operation, week: operation })?.validation).toBe('unvalidated')
  expect(
    of('pattern_recurrence', { operation, week: null, snapshot: snapshotOf({ [PATHS.findings]: 7 }) })?.validation,
  ).toBe('validated')
  expect(
    of('pattern_recurrence', { operation, week: null, snapshot: snapshotOf({ [PATHS.findings]: 0 }) })?.validation,
  ).toBe('unvalidated')
})

it('one that differs does not undo two that agree; one against one is not enough', () => {
  const tasks = worked({ task_count: 20, retry_count: 10, event_count: 40 })
  const week = worked({ task_count: 60, retry_count: 40, event_count: 140 })
  const measured = (success: number) => snapshotOf({ [PATHS.success]: success })
  expect(of('strategy_effectiveness', { operation: tasks, week, snapshot: measured(0.99) })?.validation).toBe(
    'validated',
  )
  expect(of('strategy_effectiveness', { operation: tasks, week: null, snapshot: measured(0.99) })?.validation).toBe(
    'unvalidated',
  )
})

it('drift is validated by gaps of the system that are open as often', () => {
  const scores = { ...scoresOf(HEALTHY), below_threshold: META_GOALS.slice(0, 4) }
  const snapshot = snapshotOf({ [PATHS.overall_success]: 0.5, [PATHS.recovery]: 90, [PATHS.compliance]: 99 })
  const asked = (gaps: ReturnType<typeof gapsOf>) => of('drift_score', { operation: HEALTHY, scores, gaps, snapshot })
  expect(asked(gapsOf(STRATEGIC_GOALS, snapshot.values))).toMatchObject({ priority: 'urgent', validation: 'validated' })
  expect(asked([])?.validation).toBe('unvalidated')
})

it('nothing may be proposed for any goal on the signals of an idle agent', () => {
  const signals = derivedSignals(signalInput())
  expect(META_GOALS.filter((goal) => mayProposeFor(goal, signals))).toEqual([])
  expect(META_GOALS.filter((goal) => mayProposeFor(goal, allSignals('validated')))).toEqual([...META_GOALS])
})
