/** A rule on snapshots that were taken: where it would have held, and why not elsewhere. */
import { expect, it } from 'vitest'
import type { RuleDefinition } from '../../../../modules/contracts/meta-loop.ts'
import { previewOf } from '../../../../modules/control/meta-loop/rules/preview.ts'
import { NOW, snapshotOf } from '../made.ts'

const RULE: RuleDefinition = {
  name: 'slow_and_failing',
  conditions: [
    { metric: 'a', comparator: 'gt', threshold: 2 },
    { metric: 'b', comparator: 'lt', threshold: 0.9 },
  ],
  severity: 'warning',
  altitudes: ['config'],
  enabled: false,
}

const VALUES = [
  { a: 3, b: 0.5 },
  { a: 2, b: 0.5 },
  { a: 3, b: 1 },
  { a: null, b: 0.5 },
  { a: { value: 3, samples: 1 }, b: 0.5 },
  { a: 4, b: 0.1 },
]

it('each snapshot is judged as a cycle would, also for a rule that is switched off, and again and again', () => {
  const snapshots = VALUES.map((values, at) => snapshotOf(values, { id: `s${at + 1}`, at: NOW + at }))
  const { fires, points } = previewOf(RULE, snapshots, 0.7)
  expect(points.map(({ outcome }) => outcome)).toEqual([
    'fires',
    'does_not_hold',
    'does_not_hold',
    'no_data',
    'below_confidence',
    'fires',
  ])
  expect(fires).toBe(2)
  expect(points[3]).toEqual({ snapshot: 's4', at: NOW + 3, outcome: 'no_data', values: [null, 0.5] })
  expect(previewOf({ ...RULE, confidence_min: 0 }, snapshots, 0.7).fires).toBe(3)
  expect(previewOf(RULE, [], 0.7)).toEqual({ fires: 0, points: [] })
})
