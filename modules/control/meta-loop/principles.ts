/**
 * What a rule would tell a model, as lines of a prompt: one for each rule, at the end of the text, so that a rule that
 * speaks again replaces what it said and nothing is said twice. All other text stays as people wrote it. Pure.
 */
import type { Principle } from '../../contracts/meta-loop.ts'
import type { EffectiveConfig } from '../../contracts/kernel.ts'

const HEADING = 'Principles, each with the rule it came from:'
/** The scope of all who have a prompt. */
export const ALL = 'all'

const MODES: Readonly<Record<Principle['mode'], (text: string) => string>> = {
  org_wide: (text) => text,
  override: (text) => `${text} (This goes before what stands above.)`,
  advisory: (text) => `Where it fits: ${text}`,
}

/** The text of a prompt with it. */
export function withPrinciple(prompt: string, rule: string, { text, mode }: Principle): string {
  const line = `- (${rule}) ${MODES[mode](text)}`
  const lines = prompt.trimEnd().split('\n')
  const heading = lines.lastIndexOf(HEADING)
  if (heading < 0) return `${[...lines, '', HEADING, line].join('\n')}\n`
  const known = lines.findIndex((one, index) => index > heading && one.startsWith(`- (${rule}) `))
  if (lines[known] === line) return prompt
  const next = known < 0 ? [...lines, line] : lines.with(known, line)
  return `${next.join('\n')}\n`
}

export interface PromptFile {
  /** from the root */
  path: string
  /** services that use it */
  services: string[]
}

/** Prompts of one service, or of all but those that judge and watch, by their configs as they hold now. */
export function promptsOf(configs: readonly EffectiveConfig[], scope: string): PromptFile[] {
  const files = new Map<string, string[]>()
  for (const { api, prog, values } of configs) {
    const path = values.find(({ key }) => key === 'prompt_file')?.value
    if (typeof path !== 'string' || prog.startsWith('control/')) continue
    files.set(path, [...(files.get(path) ?? []), api])
  }
  return [...files]
    .map(([path, services]) => ({ path, services }))
    .filter(({ services }) => scope === ALL || services.includes(scope))
}
