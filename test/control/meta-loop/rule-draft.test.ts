/** The loop's config with a rule put in or taken out: what is written around it stays, and what is no rule is refused. */
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import type { RuleDefinition } from '../../../modules/contracts/meta-loop.ts'
import { draftOf, type RuleChange } from '../../../modules/control/meta-loop/rule-draft.ts'

const FILE = 'configs/control/meta-loop.yml'
const BARE = 'prog: control/meta-loop # the loop\nwatch: {interval_seconds:   300}\n'
const KNOWN = { paths: ['a.b'], taken: ['error_spike'] }

const rule = (name: string, more: Partial<RuleDefinition> = {}): RuleDefinition => ({
  name,
  conditions: [{ metric: 'a.b', comparator: 'gt', threshold: 1 }],
  severity: 'info',
  altitudes: ['config'],
  ...more,
})
const draft = (text: string, change: RuleChange): string => draftOf(FILE, text, change, KNOWN)
const code = (text: string, change: RuleChange): unknown => {
  try {
    return draft(text, change)
  } catch (thrown) {
    return (thrown as { code: string }).code
  }
}

it('rules come one after the other, a name that is there is replaced, and without the last one the text is as before', () => {
  const one = draft(BARE, { set: rule('one') })
  expect(one.startsWith(BARE)).toBe(true)
  const two = draft(one, { set: rule('two') })
  expect(two.startsWith(one)).toBe(true)
  const changed = draft(two, { set: rule('one', { enabled: false }) })
  expect((parse(changed) as { rules: RuleDefinition[] }).rules).toEqual([rule('one', { enabled: false }), rule('two')])
  expect(draft(draft(changed, { remove: 'one' }), { remove: 'two' })).toBe(BARE)
})

it('rules that stand under params: are changed there', () => {
  const text = 'prog: control/meta-loop\nparams:\n  rules:\n    - {name: one}\n'
  expect(parse(draft(text, { remove: 'one' }))).toEqual({ prog: 'control/meta-loop', params: {} })
})

it('what cannot be a rule, or is not there, is refused', () => {
  expect(code(BARE, { set: rule('Not a name') })).toBe('rule_invalid')
  expect(code(BARE, { set: rule('error_spike') })).toBe('rule_invalid')
  expect(code(BARE, { set: rule('one', { context: ['a.c'] }) })).toBe('metric_unknown')
  expect(code(BARE, { remove: 'one' })).toBe('rule_invalid')
  expect(code('rules: [', { set: rule('one') })).toBe('config_syntax')
})
