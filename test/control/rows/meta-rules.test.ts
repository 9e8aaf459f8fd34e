/** Rows of rules: the nine built-in ones, policies of goals, rules of one's own, and when they are silent. */
import { describe, expect, it } from 'vitest'
import type { RuleDefinition } from '../../../modules/contracts/meta-loop.ts'
import { builtinRules, type BuiltinRule } from '../../../modules/control/meta-loop/rules/builtin.ts'
import { readRules } from '../../../modules/control/meta-loop/rules/custom.ts'
import { evaluate, type FiredMemory } from '../../../modules/control/meta-loop/rules/evaluate.ts'
import { PATHS } from '../../../modules/control/meta-loop/rules/paths.ts'
import { goalPolicies } from '../../../modules/control/meta-loop/rules/policies.ts'
import { critic } from '../../../modules/control/meta-loop/scoring/critic.ts'
import { STRATEGIC_GOALS } from '../../../modules/control/meta-loop/scoring/goals.ts'
import { belowAs, criticized, findingsOf, namesOf, reasonOf, type Values } from '../meta-loop/asked.ts'
import { NOTHING_FIRED, NOW, optionsOf, snapshotOf } from '../meta-loop/made.ts'

const thrownBy = (work: () => unknown): { code?: string; message?: string; hint?: string } => {
  try {
    work()
  } catch (thrown) {
    return thrown as { code: string; message: string; hint: string }
  }
  return {}
}

const POLICIES = goalPolicies(STRATEGIC_GOALS)

it('GRACE 14: a success rate of 0.87 proposes more confidence, 0.70 to 0.75; 0.90 is at the limit, and does too', () => {
  const [found] = findingsOf(POLICIES, { [PATHS.overall_success]: 0.87 })
  expect(found?.rule).toBe('improve_success_rate')
  const { changes } = critic(
    { scores: belowAs([]), signals: [], snapshot: { id: 's1' }, sure: [] },
    found === undefined ? [] : [found],
    (_, key) => (key === 'confidence_min' ? 0.7 : undefined),
  )
  expect(changes).toMatchObject([{ file: 'configs/control/meta-loop.yml', old: 0.7, new: 0.75 }])
  const fires = (rate: number): boolean => namesOf(POLICIES, { [PATHS.overall_success]: rate }).length === 1
  expect([0.89, 0.9, 0.95 - 0.05, 0.901, 0.95].map(fires)).toEqual([true, true, true, false, false])
})

it('GRACE 15: a recovery of 45 s fires the rule of latency, one of 25 s does not', () => {
  const fires = (seconds: number): string[] => namesOf(POLICIES, { [PATHS.recovery]: seconds })
  expect([fires(45), fires(30), fires(25)]).toEqual([['reduce_recovery_latency'], [], []])
})

const PAIR: RuleDefinition = {
  name: 'slow_and_failing',
  conditions: [
    { metric: 'm.latency', comparator: 'gt', threshold: 1 },
    { metric: 'm.success', comparator: 'lt', threshold: 0.9 },
  ],
  severity: 'warning',
  altitudes: ['config'],
}

it('GRACE 16: of two conditions both are needed; a rule that is off or not sure enough says why it is silent', () => {
  const both = { 'm.latency': 2, 'm.success': 0.5 }
  expect(namesOf([PAIR], both)).toEqual(['slow_and_failing'])
  expect(reasonOf(PAIR.name, [PAIR], { ...both, 'm.success': 0.95 })).toBe('does_not_hold')
  expect(reasonOf(PAIR.name, [PAIR], { ...both, 'm.latency': 0.5 })).toBe('does_not_hold')
  expect(reasonOf(PAIR.name, [PAIR], { 'm.latency': 2 })).toBe('no_data')
  expect(reasonOf(PAIR.name, [{ ...PAIR, enabled: false }], both)).toBe('disabled')
  expect(reasonOf(PAIR.name, [PAIR], both, NOTHING_FIRED, { disabled_rules: [PAIR.name] })).toBe('disabled')
  const few = { 'm.latency': 2, 'm.success': { value: 0.5, samples: 6 } }
  expect(reasonOf(PAIR.name, [PAIR], few)).toBe('below_confidence')
  expect(namesOf([PAIR], { ...few, 'm.success': { value: 0.5, samples: 7 } })).toEqual([PAIR.name])
  expect(namesOf([{ ...PAIR, confidence_min: 0.5 }], few)).toEqual([PAIR.name])
})

it('GRACE 17: a rule is silent while its proposal waits, and for a while after it', () => {
  const values = { 'm.latency': 2, 'm.success': 0.5 }
  const [{ fingerprint } = { fingerprint: '' }] = findingsOf([PAIR], values)
  const waiting = evaluate([PAIR], snapshotOf(values), { pending: [fingerprint], fired_at: {} }, optionsOf())
  expect(waiting).toMatchObject({ findings: [], silent: [{ reason: 'pending' }], repeated: [{ fingerprint }] })
  const fired = (ago: number): FiredMemory => ({ pending: [], fired_at: { [fingerprint]: NOW - ago } })
  const cooled = { cooldown_ms: 1_000 }
  expect(reasonOf(PAIR.name, [PAIR], values, fired(999), cooled)).toBe('cooldown')
  expect(namesOf([PAIR], values, fired(1_000), cooled)).toEqual([PAIR.name])
  expect(namesOf([{ ...PAIR, cooldown_ms: 10 }], values, fired(999), cooled)).toEqual([PAIR.name])
})

const NINE = builtinRules()

it('SynthOrg 2: what is unknown never fires a rule, however little confidence is asked for', () => {
  const paths = NINE.flatMap(({ conditions }) => conditions.map(({ metric }) => metric))
  for (const unknown of [null, Number.NaN]) {
    const values = Object.fromEntries(paths.map((path) => [path, unknown]))
    expect(namesOf(NINE, values, NOTHING_FIRED, { confidence_min: 0 })).toEqual([])
  }
  expect(namesOf(NINE, {}, NOTHING_FIRED, { confidence_min: 0 })).toEqual([])
})

/** Just past the threshold it fires, at it it does not; the budget does at it and not before. */
describe('fires just past its threshold and not at it', () => {
  const fires = (name: BuiltinRule, values: Values): boolean =>
    namesOf(NINE, { [PATHS.agents]: 3, ...values }).includes(name)
  const edge = (name: BuiltinRule, path: string, past: number, at: number): void => {
    expect([fires(name, { [path]: past }), fires(name, { [path]: at })]).toEqual([true, false])
  }

  it('SynthOrg 3: quality_declining below 5', () => edge('quality_declining', PATHS.quality, 4.99, 5))
  it('SynthOrg 4: success_rate_drop below 0.7', () => edge('success_rate_drop', PATHS.success, 0.699, 0.7))
  it('SynthOrg 5: budget_overrun at 14 days already', () => edge('budget_overrun', PATHS.days_left, 14, 15))
  it('SynthOrg 6: coordination_cost_ratio above 0.4', () =>
    edge('coordination_cost_ratio', PATHS.coordination_ratio, 0.401, 0.4))
  it('SynthOrg 7: coordination_overhead above 35 %', () => edge('coordination_overhead', PATHS.overhead_pct, 35.1, 35))
  it('SynthOrg 8: straggler_bottleneck above 2', () => edge('straggler_bottleneck', PATHS.straggler, 2.01, 2))
  it('SynthOrg 9: redundancy above 0.3', () => edge('redundancy', PATHS.redundancy, 0.301, 0.3))
  it('SynthOrg 10: scaling_failure above half, of three decisions at least', () => {
    const rate = (success: number, decisions: number): boolean =>
      fires('scaling_failure', {
        [PATHS.scaling_success]: { value: success, samples: decisions },
        [PATHS.scaling_decisions]: { value: decisions, samples: decisions },
      })
    expect([rate(0.49, 3), rate(0.5, 3), rate(0, 2)]).toEqual([true, false, false])
  })
  it('SynthOrg 11: error_spike above 10', () => edge('error_spike', PATHS.findings, 11, 10))
})

it('SynthOrg 12: without agents, quality and success say nothing', () => {
  const bad = { [PATHS.quality]: 1, [PATHS.success]: 0.1 }
  expect(namesOf(NINE, { ...bad, [PATHS.agents]: 0 })).toEqual([])
  expect(namesOf(NINE, { ...bad, [PATHS.agents]: 1 })).toEqual(['quality_declining', 'success_rate_drop'])
})

const ALL_BAD = {
  [PATHS.agents]: 3,
  [PATHS.quality]: 1,
  [PATHS.success]: 0.1,
  [PATHS.days_left]: 3,
  [PATHS.spend]: 40,
  [PATHS.coordination_ratio]: 0.9,
  [PATHS.overhead_pct]: 90,
  [PATHS.straggler]: 9,
  [PATHS.redundancy]: 0.9,
  [PATHS.scaling_decisions]: 9,
  [PATHS.scaling_success]: 0.1,
  [PATHS.findings]: 90,
}

it('SynthOrg 13: disabled rules are silent by their names', () => {
  const disabled_rules = ['error_spike', 'redundancy']
  const found = namesOf(NINE, ALL_BAD, NOTHING_FIRED, { disabled_rules })
  expect([found.length, ...disabled_rules.map((name) => found.includes(name))]).toEqual([7, false, false])
})

it('SynthOrg 14: what was found is sorted: critical, warning, info', () => {
  const severities = findingsOf([...NINE].reverse(), ALL_BAD).map(({ severity }) => severity)
  const counted = ['critical', 'warning', 'info'].flatMap((one) => severities.filter((other) => other === one))
  expect([severities.length, severities]).toEqual([9, counted])
  expect(severities.slice(-2)).toEqual(['info', 'info'])
})

it('SynthOrg 15: each of the six comparators; an unknown path is refused with those there are', () => {
  const at = (comparator: string): boolean[] =>
    [1, 2, 3].map((value) => {
      const rule = { ...PAIR, conditions: [{ metric: 'm.a', comparator, threshold: 2 }] }
      return namesOf(readRules([rule], { paths: ['m.a'], taken: [] }), { 'm.a': value }).length === 1
    })
  expect(at('lt')).toEqual([true, false, false])
  expect(at('le')).toEqual([true, true, false])
  expect(at('gt')).toEqual([false, false, true])
  expect(at('ge')).toEqual([false, true, true])
  expect(at('eq')).toEqual([false, true, false])
  expect(at('ne')).toEqual([true, false, true])
  const known = { paths: ['m.latency', 'm.successes'], taken: ['taken'] }
  expect(thrownBy(() => readRules([PAIR], known))).toMatchObject({
    code: 'metric_unknown',
    message: expect.stringMatching(/m\.success`.*m\.successes/),
    hint: expect.stringContaining('m.latency, m.successes'),
  })
})

it('SynthOrg 19: what is proposed starts from the live value, not from one that is written in the rule', () => {
  const found = findingsOf(NINE, { [PATHS.days_left]: 3, [PATHS.spend]: 40 })
  const from = (steps: number) =>
    critic({ scores: belowAs([]), signals: [], snapshot: { id: 's1' }, sure: [] }, found, () => steps).changes
  expect(from(20)).toMatchObject([{ key: 'steps_max', old: 20, new: 16 }])
  expect(from(5)).toMatchObject([{ key: 'steps_max', old: 5, new: 4 }])
})

it('SynthOrg 45: what a rule turns moves its metric back, whether it is too low or too high', () => {
  const raises: Readonly<Record<string, boolean>> = {
    // A higher temperature worsens answers; more time lets more calls succeed.
    quality_declining: false,
    success_rate_drop: true,
    // More steps use up the budget sooner, and are the overhead; deeper asking is coordination.
    budget_overrun: false,
    coordination_overhead: true,
    coordination_cost_ratio: true,
  }
  const turned = NINE.filter(({ change }) => change !== undefined)
  expect(turned.map(({ name }) => name).sort()).toEqual(Object.keys(raises).sort())
  for (const rule of turned) {
    const [found] = findingsOf([rule], ALL_BAD)
    const [change] = criticized([], found === undefined ? [] : [found]).changes
    const isRaised = Number(change?.new) > Number(change?.old)
    const metricRises = isRaised === raises[rule.name]
    const tooLow = ['lt', 'le'].includes(rule.conditions[0]?.comparator ?? '')
    expect([rule.name, metricRises]).toEqual([rule.name, tooLow])
  }
})

it('Aetherra 25: the same finding again has the same fingerprint, with other numbers too', () => {
  const one = findingsOf(NINE, { [PATHS.findings]: 11 })
  const again = findingsOf(builtinRules({ error_spike: 20 }), { [PATHS.findings]: 900 })
  const other = findingsOf(NINE, { [PATHS.redundancy]: 0.9 })
  expect([one.length, again.length, other.length]).toEqual([1, 1, 1])
  expect(again[0]?.fingerprint).toBe(one[0]?.fingerprint)
  expect(other[0]?.fingerprint).not.toBe(one[0]?.fingerprint)
})
