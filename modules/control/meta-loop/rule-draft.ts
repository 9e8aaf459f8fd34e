/**
 * The loop's config with a rule of one's own put in, replaced or taken out: only its text. Nothing is written here; a
 * person looks at the difference, and it goes the way of all changes. What could not be read as a rule is refused first.
 * Pure; called by the meta-loop.
 */
import { parseDocument } from 'yaml'
import type { RuleDefinition } from '../../contracts/meta-loop.ts'
import { coded } from '../../lib/errors.ts'
import { editYaml } from '../../lib/edit-yaml.ts'
import { readRules, type Known } from './rules/custom.ts'

export type RuleChange = { set: RuleDefinition } | { remove: string }

/** Throws `rule_invalid`, `metric_unknown`, `config_syntax` or `config_edit_failed`. */
export function draftOf(file: string, text: string, change: RuleChange, known: Known): string {
  const rules = rulesIn(text)
  const name = 'set' in change ? change.set.name : change.remove
  const at = rules.findIndex((one) => (one as { name?: unknown } | null)?.name === name)
  if ('remove' in change) {
    if (at === -1) throw coded('rule_invalid', { rule: name, reason: 'no rule of your own has this name' })
    const remove = rules.length === 1 ? 'rules' : `rules.${at}`
    return editYaml(file, text, { set: {}, remove: [remove] })
  }
  const index = at === -1 ? rules.length : at
  const [rule] = readRules([change.set], known)
  const { services: _now, ...others } = known
  readRules(rules.toSpliced(index, 1, rule), others)
  const set = rules.length === 0 ? { rules: [rule] } : { [`rules.${index}`]: rule }
  return editYaml(file, text, { set, remove: [] })
}

/** As they stand in the file; of one that does not parse, what can be read: it is refused when it is edited. */
function rulesIn(text: string): unknown[] {
  const config = parseDocument(text).toJS() as { rules?: unknown; params?: { rules?: unknown } } | null
  const rules = config?.params?.rules ?? config?.rules
  return Array.isArray(rules) ? rules : []
}
