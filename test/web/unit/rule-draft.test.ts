/** A rule while it is typed: what is wrong with it, the rule it makes, and that one which is there comes back unchanged. */
import { expect, it } from 'vitest'
import { draftOf, EMPTY, ruleOf, wrongIn, type RuleDraft } from '../../../web/src/pages/goals/draft.ts'
import type { RuleDefinition } from '../../../modules/contracts/meta-loop.ts'

const RULE: RuleDefinition = {
  name: 'slow_shop',
  description: 'too slow',
  conditions: [{ metric: 'performance.latency_s_p95', comparator: 'gt', threshold: 0.25 }],
  severity: 'critical',
  altitudes: ['tuning', 'code'],
  enabled: false,
  cooldown_ms: 1_000,
  context: ['budget.tokens'],
  change: { file: 'configs/shop.yml', key: 'workers', add: 1 },
}

const CHANGES: NonNullable<RuleDefinition['change']>[] = [
  { file: 'a.yml', key: 'b', factor: 0.8 },
  { file: 'a.yml', key: 'b', add: -2 },
  { file: 'a.yml', key: 'b', value: { c: [1, null] } },
]

it.each(CHANGES)('a rule that is there comes back as it was, with what the form has no field for: %j', (change) => {
  expect(ruleOf(draftOf(RULE))).toEqual(RULE)
  expect(ruleOf(draftOf({ ...RULE, change }))).toEqual({ ...RULE, change })
  expect(wrongIn(draftOf({ ...RULE, change }))).toEqual({})
})

const typed = (more: Partial<RuleDraft>): string[] => Object.keys(wrongIn({ ...draftOf(RULE), ...more }))
const change = (by: string, kind: RuleDraft['change']['kind']): Partial<RuleDraft> => ({
  change: { kind, file: '', key: 'k', by },
})

it('what is wrong is told where it stands, and nothing is wrong with a decimal comma', () => {
  expect(Object.keys(wrongIn(EMPTY))).toEqual(['name', 'threshold 0'])
  expect(typed({ name: 'Slow Shop', altitudes: [] })).toEqual(['name', 'altitudes'])
  expect(typed(change('x', 'factor'))).toEqual(['file', 'by'])
  expect(typed(change('x', 'value'))).toEqual(['file', 'by'])
  expect(typed(change('"x"', 'value'))).toEqual(['file'])
  const [condition] = EMPTY.conditions
  const comma = { ...EMPTY, name: 'a', conditions: [{ ...condition, threshold: ' 0,5 ' }] } as RuleDraft
  expect([wrongIn(comma), ruleOf(comma).conditions[0]?.threshold]).toEqual([{}, 0.5])
})
