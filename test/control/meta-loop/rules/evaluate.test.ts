/** Rules on snapshots: what holds for every rule and every snapshot, and what becomes of a rule that is silent. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Comparator, RuleDefinition } from '../../../../modules/contracts/meta-loop.ts'
import { COMPARATORS } from '../../../../modules/control/meta-loop/rules/conditions.ts'
import { evaluate, gated } from '../../../../modules/control/meta-loop/rules/evaluate.ts'
import { findingsOf, namesOf } from '../asked.ts'
import { NOTHING_FIRED, NOW, optionsOf, snapshotOf } from '../made.ts'

const METRICS = ['a.x', 'a.y', 'b.z']
const OPPOSITE: Readonly<Record<Comparator, Comparator>> = {
  lt: 'ge',
  le: 'gt',
  gt: 'le',
  ge: 'lt',
  eq: 'ne',
  ne: 'eq',
}

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true })
const condition = fc.record({
  metric: fc.constantFrom(...METRICS),
  comparator: fc.constantFrom(...COMPARATORS),
  threshold: number,
})
const rule: fc.Arbitrary<RuleDefinition> = fc.record({
  name: fc.constant('any'),
  conditions: fc.array(condition, { minLength: 1, maxLength: 4 }),
  severity: fc.constantFrom('info' as const, 'warning' as const, 'critical' as const),
  altitudes: fc.constant(['config' as const]),
})
const values = fc.record(Object.fromEntries(METRICS.map((path) => [path, number])))

it('a rule with an unknown metric never fires, whatever its other conditions say', () => {
  fc.assert(
    fc.property(rule, values, (one, known) => {
      for (const { metric } of one.conditions)
        for (const gone of [null, Number.NaN, Number.POSITIVE_INFINITY])
          expect(namesOf([one], { ...known, [metric]: gone })).toEqual([])
    }),
  )
})

it('of a condition and its opposite exactly one fires', () => {
  fc.assert(
    fc.property(condition, values, (one, known) => {
      const made = (comparator: Comparator): RuleDefinition => ({
        name: 'any',
        conditions: [{ ...one, comparator }],
        severity: 'info',
        altitudes: ['config'],
      })
      expect(namesOf([made(one.comparator), made(OPPOSITE[one.comparator])], known)).toHaveLength(1)
    }),
  )
})

it('each rule either fires or says why it does not, and the same again gives the same', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 5 }), values, (rules, known) => {
      const asked = () => evaluate(rules, snapshotOf(known), NOTHING_FIRED, optionsOf())
      const { findings, silent } = asked()
      expect(findings.length + silent.length).toBe(rules.length)
      expect(asked()).toEqual({ findings, silent, repeated: [] })
    }),
  )
})

const ONE: RuleDefinition = {
  name: 'one',
  description: 'too many',
  conditions: [{ metric: 'a.x', comparator: 'gt', threshold: 2 }],
  severity: 'warning',
  altitudes: ['config'],
  context: ['a.y'],
  change: { file: 'configs/a.yml', key: 'x', factor: 0.5 },
}

it('a finding tells its numbers, and what is told beside them may be unknown', () => {
  expect(findingsOf([ONE], { 'a.x': 3.23456, 'a.y': null })).toMatchObject([
    {
      description: 'too many: a.x is 3.235, above 2',
      context: { 'a.x': 3.23456, 'a.y': null, thresholds: [2] },
      confidence: 1,
      change: ONE.change,
    },
  ])
})

it('what is read and not counted is sure; few observations are not', () => {
  const at = (samples: number): number | undefined =>
    findingsOf([{ ...ONE, confidence_min: 0 }], { 'a.x': { value: 3, samples } })[0]?.confidence
  expect([at(0), at(1), at(5), at(10), at(500)]).toEqual([1, 0.1, 0.5, 1, 1])
  expect(findingsOf([{ ...ONE, samples_min: 2 }], { 'a.x': { value: 3, samples: 2 } })).toHaveLength(1)
})

it('exactly the confidence that is asked for is enough', () => {
  const found = evaluate([ONE], snapshotOf({ 'a.x': { value: 3, samples: 7 } }), NOTHING_FIRED, optionsOf())
  expect(found.findings).toHaveLength(1)
})

it('what waits is silent before what cools down, and only it is counted again', () => {
  const [found] = findingsOf([ONE], { 'a.x': 3 })
  const fingerprint = found?.fingerprint ?? ''
  const fired_at = { [fingerprint]: NOW }
  const both = evaluate([ONE], snapshotOf({ 'a.x': 3 }), { pending: [fingerprint], fired_at }, optionsOf())
  expect([both.silent, both.repeated]).toEqual([[{ rule: 'one', reason: 'pending' }], [found]])
  const cooling = evaluate([ONE], snapshotOf({ 'a.x': 3 }), { pending: [], fired_at }, optionsOf())
  expect([cooling.silent, cooling.repeated]).toEqual([[{ rule: 'one', reason: 'cooldown' }], []])
})

it('findings of patterns pass the same gate', () => {
  const [finding] = findingsOf([ONE], { 'a.x': 3 })
  const candidates = finding === undefined ? [] : [{ finding: { ...finding, rule: 'trend' } }]
  const asked = (more: Parameters<typeof optionsOf>[0]) => gated(candidates, NOTHING_FIRED, optionsOf(more))
  expect(asked({}).findings).toHaveLength(1)
  expect(asked({ disabled_rules: ['trend'] }).silent).toEqual([{ rule: 'trend', reason: 'disabled' }])
  expect(asked({ confidence_min: 1.1 }).silent).toEqual([{ rule: 'trend', reason: 'below_confidence' }])
})
