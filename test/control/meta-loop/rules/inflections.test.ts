/** Inflections: how much a change weighs, either way. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { changeRatio, inflectionFindings, severityOf } from '../../../../modules/control/meta-loop/rules/inflections.ts'
import { PATHS } from '../../../../modules/control/meta-loop/rules/paths.ts'
import { metricOf, snapshotOf } from '../made.ts'

const positive = fc.double({ min: 0.001, max: 1e6, noNaN: true })

it('there and back weigh the same, between 0 and 1, and in any unit', () => {
  fc.assert(
    fc.property(positive, positive, fc.constantFrom(0.01, 1, 1_000), (old, next, unit) => {
      const ratio = changeRatio(old, next) ?? Number.NaN
      expect(ratio).toBeGreaterThanOrEqual(0)
      expect(ratio).toBeLessThan(1)
      expect(changeRatio(next, old)).toBe(ratio)
      expect(changeRatio(old * unit, next * unit)).toBeCloseTo(ratio, 9)
    }),
  )
})

it('from nothing to something is all there is; of what is unknown, and from 0 to 0, there is no ratio', () => {
  expect([changeRatio(0, 3), changeRatio(3, 0), changeRatio(null, 3), changeRatio(3, null), changeRatio(0, 0)]).toEqual(
    [1, 1, null, null, null],
  )
  expect([severityOf(null), severityOf(0.1499), severityOf(0.15), severityOf(0.2999), severityOf(0.3)]).toEqual([
    null,
    null,
    'warning',
    'warning',
    'critical',
  ])
})

it('of a change and its reverse exactly one is an alert, where the metric has a direction', () => {
  const found = (direction: 'up' | 'down', old: number, next: number): number =>
    inflectionFindings(snapshotOf({ [PATHS.quality]: old }), snapshotOf({ [PATHS.quality]: next }), [
      metricOf(PATHS.quality, direction),
    ]).length
  fc.assert(
    fc.property(positive, fc.double({ min: 1.2, max: 9, noNaN: true }), (old, times) => {
      for (const direction of ['up', 'down'] as const)
        expect(found(direction, old, old * times) + found(direction, old * times, old)).toBe(1)
      expect(found('down', old, old * times)).toBe(1)
    }),
  )
})

it('a metric that is not followed, or not in the catalogue, alerts nobody', () => {
  const two = [snapshotOf({ 'm.other': 1 }), snapshotOf({ 'm.other': 9 })] as const
  expect(inflectionFindings(...two, [metricOf('m.other', 'down')])).toEqual([])
  const options = { tracked: ['m.other'], warning: 0.15, critical: 0.3, samples_min: 10 }
  expect(inflectionFindings(...two, [], options)).toEqual([])
  expect(inflectionFindings(...two, [metricOf('m.other', 'down')], options)).toHaveLength(1)
})

it('what chance alone does is no change: one failure more of few, however large a share, and one more answer of few', () => {
  const found = (unit: string, [old, next]: [number, number], samples: number): number =>
    inflectionFindings(
      snapshotOf({ [PATHS.spend]: { value: old, samples } }),
      snapshotOf({ [PATHS.spend]: { value: next, samples } }),
      [metricOf(PATHS.spend, 'down', { unit })],
    ).length
  expect([found('count', [1, 4], 0), found('count', [0, 3], 0), found('count', [2, 30], 0)]).toEqual([0, 0, 1])
  expect([found('ratio', [0.05, 0.2], 20), found('ratio', [0.05, 0.2], 2_000)]).toEqual([0, 1])
  expect([found('points', [1, 3], 20), found('points', [1, 3], 2_000)]).toEqual([0, 1])
  expect([found('percent', [0, 20], 15), found('percent', [0, 100], 15)]).toEqual([0, 1])
  expect([found('usd', [1, 2], 15), found('usd', [1, 8], 15)]).toEqual([0, 1])
  // Nobody knows how far chance moves a time.
  expect(found('s', [1, 2], 15)).toBe(1)
})
