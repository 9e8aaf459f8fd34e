/** The rules a history is judged by. Each looks at the whole and names every place where it was broken. */
import { callRules } from './rules-calls.ts'
import { instanceRules } from './rules-instances.ts'
import { restRules } from './rules-rest.ts'
import { stateRules } from './rules-state.ts'
import type { Dated } from './history.ts'

export type Rule = (entries: readonly Dated[]) => string[]

const RULES: readonly Rule[] = [callRules, instanceRules, stateRules, restRules]

export const check = (entries: readonly Dated[]): string[] => RULES.flatMap((rule) => rule(entries))
