/** A rule while it is being built: texts as they are typed, the rule they make, and what is wrong with them. Pure. */
import type { Rule } from './rules.tsx'

type RuleDefinition = Rule['rule']
export type Comparator = RuleDefinition['conditions'][number]['comparator']
export type Altitude = RuleDefinition['altitudes'][number]

export const ALTITUDES: readonly Altitude[] = ['tuning', 'config', 'prompt', 'structure', 'tool', 'code', 'kernel']

export interface ConditionDraft {
  metric: string
  comparator: Comparator
  threshold: string
}

export interface RuleDraft {
  name: string
  description: string
  severity: RuleDefinition['severity']
  altitudes: readonly Altitude[]
  enabled: boolean
  conditions: readonly ConditionDraft[]
  /** what it would change; `kind` none: it only tells */
  change: { kind: 'none' | 'factor' | 'add' | 'value'; file: string; key: string; by: string }
  /** of a rule that is there: what this form has no field for stays */
  kept: Partial<RuleDefinition>
}

export const EMPTY_CONDITION: ConditionDraft = {
  metric: 'performance.avg_success_rate',
  comparator: 'lt',
  threshold: '',
}

export const EMPTY: RuleDraft = {
  name: '',
  description: '',
  severity: 'warning',
  altitudes: ['config'],
  enabled: true,
  conditions: [EMPTY_CONDITION],
  change: { kind: 'none', file: '', key: '', by: '' },
  kept: {},
}

export function draftOf(rule: RuleDefinition): RuleDraft {
  const { name, description = '', severity, altitudes, enabled = true, conditions, change, ...kept } = rule
  return {
    name,
    description,
    severity,
    altitudes,
    enabled,
    conditions: conditions.map((one) => ({ ...one, threshold: String(one.threshold) })),
    change: changeDraftOf(change),
    kept,
  }
}

function changeDraftOf(change: RuleDefinition['change']): RuleDraft['change'] {
  if (change === undefined) return EMPTY.change
  const { file, key, factor, add, value } = change
  if (factor !== undefined) return { kind: 'factor', file, key, by: String(factor) }
  if (add !== undefined) return { kind: 'add', file, key, by: String(add) }
  return { kind: 'value', file, key, by: JSON.stringify(value) }
}

/** Where something is wrong → what. Empty: it is a rule. */
export function wrongIn({ name, conditions, altitudes, change }: RuleDraft): Readonly<Record<string, string>> {
  const wrong: Record<string, string> = {}
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) wrong['name'] = 'Small letters, digits and _, beginning with a letter'
  for (const [at, { threshold }] of conditions.entries())
    if (numberOf(threshold) === undefined) wrong[`threshold ${at}`] = 'A number'
  if (altitudes.length === 0) wrong['altitudes'] = 'At least one'
  if (change.kind === 'none') return wrong
  if (change.file === '') wrong['file'] = 'A config, as configs/shop.yml'
  if (change.key === '') wrong['key'] = 'A key of it, as limits.drain_ms'
  if (change.kind === 'value' ? jsonOf(change.by) === undefined : numberOf(change.by) === undefined)
    wrong['by'] = change.kind === 'value' ? 'A value as JSON' : 'A number'
  return wrong
}

/** What is wrong with it stands as it is: it is not to be sent then. */
export function ruleOf({
  name,
  description,
  severity,
  altitudes,
  enabled,
  conditions,
  change,
  kept,
}: RuleDraft): RuleDefinition {
  return {
    ...kept,
    name,
    ...(description.trim() === '' ? {} : { description: description.trim() }),
    conditions: conditions.map(({ metric, comparator, threshold }) => ({
      metric,
      comparator,
      threshold: numberOf(threshold) ?? 0,
    })),
    severity,
    altitudes: [...altitudes],
    ...(enabled ? {} : { enabled }),
    ...changeOf(change),
  }
}

function changeOf({ kind, file, key, by }: RuleDraft['change']): Pick<RuleDefinition, 'change'> {
  switch (kind) {
    case 'none':
      return {}
    case 'factor':
      return { change: { file, key, factor: numberOf(by) ?? 1 } }
    case 'add':
      return { change: { file, key, add: numberOf(by) ?? 0 } }
    case 'value':
      return { change: { file, key, value: (jsonOf(by)?.value ?? null) as never } }
    default:
      return kind satisfies never
  }
}

function numberOf(text: string): number | undefined {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() === '' || !Number.isFinite(value) ? undefined : value
}

function jsonOf(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}
