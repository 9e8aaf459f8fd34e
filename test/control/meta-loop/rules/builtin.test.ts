/** What the built-in rules, goals and knobs name has to be there: in the catalogue, and in the shipped configs. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import type { RuleDefinition } from '../../../../modules/contracts/meta-loop.ts'
import { builtinRules } from '../../../../modules/control/meta-loop/rules/builtin.ts'
import { PATHS } from '../../../../modules/control/meta-loop/rules/paths.ts'
import { goalPolicies } from '../../../../modules/control/meta-loop/rules/policies.ts'
import { STRATEGIC_GOALS } from '../../../../modules/control/meta-loop/scoring/goals.ts'
import { KNOBS } from '../../../../modules/control/meta-loop/scoring/knobs.ts'
import { CATALOGUE } from '../../../../modules/control/metrics/catalogue.ts'
import { packageRoot } from '../../../support/root.ts'

const descriptors = new Map(CATALOGUE.map((metric) => [metric.path, metric]))
const RULES = [...builtinRules(), ...goalPolicies(STRATEGIC_GOALS)]

it('every path is one of the catalogue', () => {
  const paths = [...Object.values(PATHS), ...RULES.flatMap(({ context = [] }) => context)]
  expect(paths.filter((path) => !descriptors.has(path))).toEqual([])
})

it('each rule warns of what is worse, as the catalogue has it', () => {
  const wrong = RULES.filter(({ conditions: [first] }) => {
    const direction = descriptors.get(first?.metric ?? '')?.direction
    return direction !== (['lt', 'le'].includes(first?.comparator ?? '') ? 'up' : 'down')
  })
  expect(wrong.map(({ name }) => name)).toEqual([])
})

it('each goal points the way its metric does, at the target the catalogue names', () => {
  for (const { id, metric, direction, target } of STRATEGIC_GOALS)
    expect([id, descriptors.get(metric)]).toMatchObject([id, { direction, target }])
})

it('what would be changed is a number of a shipped config', () => {
  const targets = [...KNOBS, ...RULES.flatMap(({ change }) => change ?? [])]
  for (const { file, key } of targets) {
    const path = join(packageRoot, file)
    if (file === 'configs/control/meta-loop.yml' && !existsSync(path)) continue
    expect([file, key, typeof parseDocument(readFileSync(path, 'utf8')).getIn(key.split('.'))]).toEqual([
      file,
      key,
      'number',
    ])
  }
})

it('thresholds are settings; those that are not set stay', () => {
  const conditions = (rules: RuleDefinition[], name: string) => rules.find((rule) => rule.name === name)?.conditions
  const own = builtinRules({ error_spike: 3, scaling_failure: 0.25 })
  expect(conditions(own, 'error_spike')?.[0]?.threshold).toBe(3)
  expect(conditions(own, 'scaling_failure')?.[0]?.threshold).toBe(0.75)
  expect(conditions(own, 'redundancy')).toEqual(conditions(RULES, 'redundancy'))
})
