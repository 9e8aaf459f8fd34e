/** Rules of one's own: what is refused, and by which words. */
import { expect, it } from 'vitest'
import { readRules } from '../../../../modules/control/meta-loop/rules/custom.ts'

const RULE = {
  name: 'slow',
  conditions: [{ metric: 'a.x', comparator: 'gt', threshold: 2 }],
  severity: 'warning',
  altitudes: ['config'],
}
const KNOWN = { paths: ['a.x', 'a.y'], taken: ['error_spike'] }

const refused = (value: unknown): { code?: string; message?: string } => {
  try {
    readRules(value, KNOWN)
  } catch (thrown) {
    return thrown as { code: string; message: string }
  }
  return {}
}

it('no rules are no rules, and a whole one is read as it stands', () => {
  expect([readRules(undefined, KNOWN), readRules(null, KNOWN), readRules([], KNOWN)]).toEqual([[], [], []])
  const whole = {
    ...RULE,
    description: 'calls are slow',
    enabled: false,
    confidence_min: 0.5,
    cooldown_ms: 1_000,
    samples_min: 3,
    context: ['a.y'],
    change: { file: 'configs/a.yml', key: 'x', add: -1 },
  }
  expect(readRules([whole], KNOWN)).toEqual([whole])
})

it.each([
  ['no list', { slow: RULE }, /`rules`.*a list/],
  ['no name', [{ ...RULE, name: undefined }], /`rules\[0\]`.*name/],
  ['a name that is none', [{ ...RULE, name: 'Slow!' }], /small letters/],
  ['no object', ['slow'], /`rules\[0\]`/],
  ['nothing at all', [null], /`rules\[0\]`/],
  [
    'an unknown comparator',
    [{ ...RULE, conditions: [{ ...RULE.conditions[0], comparator: '>' }] }],
    /`slow`.*comparator/,
  ],
  [
    'a threshold that is no number',
    [{ ...RULE, conditions: [{ ...RULE.conditions[0], threshold: '2' }] }],
    /threshold/,
  ],
  ['a threshold without end', [{ ...RULE, conditions: [{ ...RULE.conditions[0], threshold: Infinity }] }], /threshold/],
  ['no condition', [{ ...RULE, conditions: [] }], /conditions/],
  ['an unknown severity', [{ ...RULE, severity: 'urgent' }], /severity/],
  ['no altitude', [{ ...RULE, altitudes: [] }], /altitudes/],
  ['a key nobody knows', [{ ...RULE, treshold: 3 }], /treshold/],
  ['two ways to change', [{ ...RULE, change: { file: 'a', key: 'b', add: 1, factor: 2 } }], /exactly one/],
  ['the name of a built-in rule', [{ ...RULE, name: 'error_spike' }], /has this name/],
  ['the name of a pattern', [{ ...RULE, name: 'trend' }], /has this name/],
  ['the same name twice', [RULE, RULE], /has this name/],
  ['too many', Array.from({ length: 201 }, (_, index) => ({ ...RULE, name: `r${index}` })), /at most 200/],
])('%s is refused', (_, value, message) => {
  expect(refused(value)).toMatchObject({ code: 'rule_invalid', message: expect.stringMatching(message) })
})

it('an unknown path in what is told beside is refused too', () => {
  expect(refused([{ ...RULE, context: ['a.z'] }])).toMatchObject({ code: 'metric_unknown' })
})
