/**
 * Rules over snapshots, and what they say: the loop's own and those a person has written into its config. Pure data; the
 * same rule and snapshot give the same finding. Used by the service `meta-loop` and by who asks it.
 */
import type { Altitude } from './policy.ts'
import type { ExpectedEffect } from './proposals.ts'
import type { Json, JsonMap } from './seams.ts'

export type Severity = 'info' | 'warning' | 'critical'
export type Comparator = 'lt' | 'le' | 'gt' | 'ge' | 'eq' | 'ne'

/** A rule of one's own: all of its conditions hold, or it says nothing. null never holds. */
export interface RuleDefinition {
  name: string
  description?: string
  conditions: { metric: string; comparator: Comparator; threshold: number }[]
  severity: Severity
  altitudes: Altitude[]
  enabled?: boolean
  /** of what it proposes; below `confidence_min` it says nothing */
  confidence_min?: number
  /** after it has led to a proposal */
  cooldown_ms?: number
  /** observations its metrics need for full confidence */
  samples_min?: number
  /** metrics that are told beside those of its conditions */
  context?: string[]
  /** what it would change; without one it only tells */
  change?: { file: string; key: string; factor?: number; add?: number; value?: Json }
  /** what it would tell models */
  principle?: Principle
  /** which services there should be */
  structure?: StructureWish
  /** what has to be better afterwards, of the service that is changed; without it, it is enough that nothing is worse */
  expected?: ExpectedEffect
}

/** One line of a prompt. */
export interface Principle {
  text: string
  /** a service that has a prompt, or `all` */
  scope: string
  /** `org_wide`: it holds for all · `override`: of one, it goes before all other text · `advisory`: where it fits */
  mode: 'org_wide' | 'override' | 'advisory'
}

/** A change of which services there are. */
export interface StructureWish {
  /**
   * `double`: two services of its module stand where one stood, and calls go to the one with fewer under way · `retire`:
   * one that nobody calls is switched off in its config
   */
  operation: 'double' | 'retire'
  /** without one: the slowest that has more than one call under way, and the one that was called longest ago */
  service?: string
  /** of `retire`: so long has it not been called. Default 24 */
  idle_hours?: number
}

/** A rule that holds, or a pattern that was seen. */
export interface Finding {
  /** rule, or pattern */
  rule: string
  kind: 'threshold' | 'goal' | 'trend' | 'anomaly' | 'pattern' | 'inflection'
  severity: Severity
  description: string
  /** the numbers it was seen by */
  context: JsonMap
  altitudes: Altitude[]
  /** the same finding again has the same fingerprint, and is counted on its proposal */
  fingerprint: string
  confidence: number
  change?: RuleDefinition['change']
  principle?: Principle
  structure?: StructureWish
  expected?: ExpectedEffect
}

/** Why a rule said nothing. */
export interface SilentRule {
  rule: string
  reason: 'disabled' | 'no_data' | 'below_confidence' | 'cooldown' | 'pending' | 'does_not_hold'
}

/** What a rule would have said of the snapshots there are. */
export interface RulePreview {
  /** of how many it would have held */
  fires: number
  /** oldest first; `values` in the order of its conditions, null: unknown then */
  points: {
    snapshot: string
    at: number
    outcome: 'fires' | Exclude<SilentRule['reason'], 'disabled' | 'cooldown' | 'pending'>
    values: (number | null)[]
  }[]
}

/** A config as it is, and as it would be with a rule put in or taken out. Nothing is written by it. */
export interface RuleDraft {
  /** from the root */
  file: string
  /** hash of `before` */
  base_hash: string
  before: string
  text: string
}
