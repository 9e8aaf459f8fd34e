/**
 * How far the system kept to its rules: 100, less what each breach costs. What a rule stops counts as much as a critical
 * breach: that it was stopped is the rule's merit, not of who tried. Pure; counted by `seen/events.ts`, read by the
 * stability collector.
 */

/** Points. */
export const BREACHES = { blocking: 15, critical: 15, bias: 5, warning: 5, info: 1 } as const
export type Breach = keyof typeof BREACHES

export const KINDS = Object.keys(BREACHES) as Breach[]
const WHOLE = 100

/** The name it is counted by. */
export const counterOf = (kind: Breach): string => `breach ${kind}`

/** What somebody outside says of how bad it is; a word that is not known weighs as the worst there is. */
export const breachOf = (severity: unknown): Breach => KINDS.find((kind) => kind === severity) ?? 'blocking'

export function complianceOf(counts: Readonly<Record<Breach, number>>): number {
  const lost = KINDS.reduce((sum, kind) => sum + BREACHES[kind] * counts[kind], 0)
  return Math.max(0, WHOLE - lost)
}
