/** What makes a finding the same as an earlier one. */
import { expect, it } from 'vitest'
import { fingerprintOf } from '../../../../modules/control/meta-loop/rules/fingerprint.ts'

const ONE = { rule: 'slow', metrics: ['a.x', 'a.y'], target: { file: 'configs/a.yml', key: 'x' } }

it('the order of metrics, and what else a change says, do not matter', () => {
  const change = { ...ONE.target, factor: 1.2 }
  expect(fingerprintOf({ ...ONE, metrics: ['a.y', 'a.x', 'a.y'], target: change })).toBe(fingerprintOf(ONE))
})

it('another rule, metric or target is another finding', () => {
  const others = [
    { ...ONE, rule: 'slower' },
    { ...ONE, metrics: ['a.x'] },
    { ...ONE, target: { ...ONE.target, key: 'y' } },
    { ...ONE, target: { ...ONE.target, file: 'configs/b.yml' } },
    { rule: ONE.rule, metrics: ONE.metrics },
  ]
  expect(new Set([ONE, ...others].map(fingerprintOf)).size).toBe(6)
})
