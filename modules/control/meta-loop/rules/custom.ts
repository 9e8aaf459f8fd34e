/**
 * Rules of one's own, as a config has them: read whole or not at all, so that a wrong one never silences those that ran
 * before. What is wrong is said by the rule's name, and an unknown metric with the paths there are. The meta-loop reads
 * them whenever its config changes.
 */
import { z } from 'zod'
import type { RuleDefinition } from '../../../contracts/meta-loop.ts'
import { EFFECT_METRICS } from '../../../contracts/proposals.ts'
import { coded } from '../../../lib/errors.ts'
import { nearText } from '../../../lib/near.ts'
import { COMPARATORS } from './conditions.ts'

const ALTITUDES = ['tuning', 'config', 'prompt', 'structure', 'tool', 'code', 'kernel'] as const
const RULES_MAX = 200
/** Patterns are told, and switched off, by these names. */
const OF_PATTERNS = ['trend', 'anomaly', 'inflection', 'multi_domain_drift', 'pattern_recurrence']

const name = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'a name is up to 64 small letters, digits and _')
const finite = z.number()

const changeSchema = z
  .strictObject({
    file: z.string().min(1),
    key: z.string().min(1),
    factor: finite.exactOptional(),
    add: finite.exactOptional(),
    value: z.json().exactOptional(),
  })
  .refine(({ factor, add, value }) => [factor, add, value].filter((one) => one !== undefined).length === 1, {
    message: 'a change has exactly one of factor, add and value',
  })

const expectedSchema = z.strictObject({
  metric: z.enum(EFFECT_METRICS),
  direction: z.enum(['lower', 'higher']),
  min_effect: z.number().min(0).max(10).exactOptional(),
})

/** Nothing that would be filled in, or read as a call. */
const principleSchema = z
  .strictObject({
    text: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .regex(/^(?!.*(?:\{\{|```))[^\n\r]*$/, 'it is one line, without {{ and ```'),
    scope: z.string().min(1).max(200),
    mode: z.enum(['org_wide', 'override', 'advisory']),
  })
  .refine(({ scope, mode }) => mode === 'advisory' || (mode === 'org_wide') === (scope === 'all'), {
    message: 'org_wide is for the scope all, and override for one service',
  })

const structureSchema = z
  .strictObject({
    operation: z.enum(['double', 'retire']),
    service: z.string().min(1).max(200).exactOptional(),
    idle_hours: z.number().positive().max(8_760).exactOptional(),
  })
  .refine(({ operation, idle_hours }) => operation === 'retire' || idle_hours === undefined, {
    path: ['idle_hours'],
    message: 'only retire asks for how long nobody called',
  })

const ruleSchema = z.strictObject({
  name,
  description: z.string().max(500).exactOptional(),
  conditions: z
    .array(z.strictObject({ metric: z.string(), comparator: z.enum(COMPARATORS), threshold: finite }))
    .min(1)
    .max(20),
  severity: z.enum(['info', 'warning', 'critical']),
  altitudes: z.array(z.enum(ALTITUDES)).min(1),
  enabled: z.boolean().exactOptional(),
  confidence_min: z.number().min(0).max(1).exactOptional(),
  cooldown_ms: z.number().int().nonnegative().exactOptional(),
  samples_min: z.number().int().positive().exactOptional(),
  context: z.array(z.string()).max(20).exactOptional(),
  change: changeSchema.exactOptional(),
  principle: principleSchema.exactOptional(),
  structure: structureSchema.exactOptional(),
  expected: expectedSchema.exactOptional(),
})

export interface Known {
  /** paths of the catalogue */
  paths: readonly string[]
  /** rules that are there already: no other may have their name */
  taken: readonly string[]
  /** that there are now; not asked for where a rule may outlive the service it names */
  services?: readonly string[]
}

/** Throws `rule_invalid` or `metric_unknown` for the first that is wrong. */
export function readRules(value: unknown, { paths, taken, services }: Known): RuleDefinition[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw coded('rule_invalid', { rule: 'rules', reason: 'rules are a list' })
  if (value.length > RULES_MAX)
    throw coded('rule_invalid', { rule: 'rules', reason: `there are ${value.length}, at most ${RULES_MAX} may be` })
  const names = new Set([...OF_PATTERNS, ...taken])
  return value.map((one: unknown, index) => {
    const rule = readRule(one, index, new Set(paths))
    checkStructure(rule, services)
    if (names.has(rule.name)) throw coded('rule_invalid', { rule: rule.name, reason: 'another rule has this name' })
    names.add(rule.name)
    return rule
  })
}

function readRule(value: unknown, index: number, paths: ReadonlySet<string>): RuleDefinition {
  const { success, data, error } = ruleSchema.safeParse(value)
  if (!success) {
    const named = name.safeParse((value as { name?: unknown } | null)?.name)
    const [issue] = error.issues
    const reason = [issue?.path.join('.'), issue?.message].filter((part) => part !== '').join(': ')
    throw coded('rule_invalid', { rule: named.data ?? `rules[${index}]`, reason })
  }
  for (const path of [...data.conditions.map(({ metric }) => metric), ...(data.context ?? [])])
    if (!paths.has(path))
      throw coded('metric_unknown', { path, near: nearText(path, paths), paths: [...paths].join(', ') })
  return data
}

function checkStructure({ name: rule, altitudes, structure }: RuleDefinition, services?: readonly string[]): void {
  if (structure === undefined) return
  if (!altitudes.includes('structure'))
    throw coded('rule_invalid', { rule, reason: 'its altitudes do not have structure, which it would change' })
  const { service } = structure
  if (service === undefined || services === undefined || services.includes(service)) return
  const reason = `structure.service: there is no ${service}${nearText(service, services)}; there are: ${services.join(', ')}`
  throw coded('rule_invalid', { rule, reason })
}
