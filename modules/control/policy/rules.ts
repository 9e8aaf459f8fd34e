/**
 * The operator's own rules, from the policy's config: which changes they fit, and the tier they ask for. They only make
 * the verdict stricter: no rule opens what another part of the policy closes. Read anew with each change of the config.
 */
import { z } from 'zod'
import type { Change, PolicyReason } from '../../contracts/policy.ts'

/** `*` within a name, `**` over folders. */
const pattern = z.string().min(1).max(500)

export const ruleSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/, 'lower-case letters, digits and _'),
  tier: z.enum(['HUMAN_REVIEW', 'NEVER']),
  message: z.string().max(500).optional(),
  actor: pattern.optional(),
  kind: z.enum(['value', 'file', 'tool', 'grant']).optional(),
  /** path of a file, or of the config a value stands in */
  path: pattern.optional(),
  key: pattern.optional(),
  tool: pattern.optional(),
})

export type Rule = z.infer<typeof ruleSchema>

const SPECIAL = /[.+^${}()|[\]\\?]/g

export function fits(glob: string, text: string): boolean {
  const source = glob
    .split('**')
    .map((part) => part.replaceAll(SPECIAL, String.raw`\$&`).replaceAll('*', '[^/]*'))
    .join('.*')
  return new RegExp(`^${source}$`).test(text)
}

const pathOf = (change: Change): string | undefined =>
  change.kind === 'file' ? change.path : change.kind === 'value' ? change.file : undefined

/** A part of a rule that speaks of what a change does not have does not fit it. */
function covers(rule: Rule, change: Change, actor: string): boolean {
  const wanted: [string | undefined, string | undefined][] = [
    [rule.actor, actor],
    [rule.kind, change.kind],
    [rule.path, pathOf(change)],
    [rule.key, change.kind === 'value' ? change.key : undefined],
    [rule.tool, change.kind === 'tool' ? change.tool : undefined],
  ]
  return wanted.every(([glob, text]) => glob === undefined || (text !== undefined && fits(glob, text)))
}

export function byRules(rules: readonly Rule[], change: Change, actor: string): Omit<PolicyReason, 'by'>[] {
  return rules
    .filter((rule) => covers(rule, change, actor))
    .map(({ name, tier, message }) => ({ tier, rule: name, message: message ?? `the rule ${name} of the policy` }))
}
