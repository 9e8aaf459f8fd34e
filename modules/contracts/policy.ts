/**
 * What somebody wants to change, and what the policy says to it. Every change of origin `self`, every tool call and every
 * write of a module passes `PolicyApi.check` first; what it cannot judge it does not let through.
 */
import type { Json } from './seams.ts'

/** Who wants a change. */
export type Origin = 'human' | 'self' | 'test'

/** What a proposal changes, from the mildest on. */
export type Altitude = 'tuning' | 'config' | 'prompt' | 'structure' | 'tool' | 'code' | 'kernel'

/** From the mildest to the strictest: of several, the strictest holds. */
export type Tier = 'AUTO_APPROVE' | 'HUMAN_REVIEW' | 'NEVER'

/** How much of its own the system may do. Whatever the level, only tuning and config can be let through unseen. */
export type Autonomy = 'locked' | 'supervised' | 'semi' | 'full'

export type Impact = 'MINIMAL' | 'LOW' | 'MODERATE' | 'HIGH' | 'CRITICAL'

/** Which way a value makes the system stricter. */
export type Tighter = 'lower' | 'higher' | 'neither'

/** What is known of one value that may be tuned; a key without one is for a person to judge. */
export interface Direction {
  tighter: Tighter
  min?: number
  max?: number
  /** how far tightening may go from the approved value, as a share of it. Default 0.5 */
  max_drift?: number
  /** of a value that is no number: those it may have */
  values?: readonly string[]
}

/** A value of a config: old, new, and the one a person approved last, from which all distances are measured. */
export interface ValueChange {
  kind: 'value'
  /** path of the config file, from the root */
  file: string
  /** `section.key`; a dot goes one level down */
  key: string
  old: Json | undefined
  new: Json | undefined
  /** default: `old` */
  approved?: Json | undefined
}

export interface FileChange {
  kind: 'file'
  /** from the root */
  path: string
  operation: 'create' | 'modify' | 'delete'
  /** what it would hold, where that is known: of a config, it says whether a power is asked for */
  text?: string
}

export interface ToolCallChange {
  kind: 'tool'
  tool: string
  params: Record<string, unknown>
  /** the tool says that it changes nothing */
  read_only?: boolean
}

/** Something a service may do from now on that it might not before. */
export interface GrantChange {
  kind: 'grant'
  service: string
  grant: string
}

export type Change = ValueChange | FileChange | ToolCallChange | GrantChange

export interface PolicyQuestion {
  origin: Origin
  /** the service, model or person that asks */
  actor: string
  changes: readonly Change[]
  /** how it is taken back: needed for everything but tool calls */
  undo?: readonly UndoStep[]
  /** what the asker says it is: a change of a second altitude in it refuses the whole */
  altitude?: Altitude
  /** why the asker wants a person to decide, whatever the policy would let through. It only makes the verdict stricter */
  review?: string
  /** joins what the ledger keeps of it with the other entries of one cycle */
  cycle?: string
}

/** One step of a way back; only operations that have a handler count. */
export interface UndoStep {
  operation: 'restore_file' | 'restore_value' | 'remove_file' | 'remove_grant'
  target: string
}

/** One opinion: which part of the policy says what, by which of its rules. */
export interface PolicyReason {
  /** `protected`, `freeze`, `scope`, `asker`, `classifier`, `impact`, `autonomy`, `profile`, `rules`, `undo`, `rate` */
  by: string
  /** name of the rule, as it stands in the docs or the config */
  rule: string
  tier: Tier
  message: string
  /** index of the change it is about; absent: all of them */
  change?: number
}

export interface PolicyVerdict {
  tier: Tier
  /** the reason that decided: the first of the strictest */
  rule: string
  message: string
  altitude: Altitude
  impact: Impact
  /** a person has to confirm it twice, the second time with a written reason */
  confirm_twice: boolean
  /** it goes through, and a person is told */
  notice: boolean
  reasons: PolicyReason[]
}

/** A rule of the operator's own, as it stands in the config. Every part that is given has to fit. */
export interface PolicyRule {
  name: string
  tier: 'HUMAN_REVIEW' | 'NEVER'
  message?: string | undefined
  actor?: string | undefined
  kind?: Change['kind'] | undefined
  path?: string | undefined
  key?: string | undefined
  tool?: string | undefined
}

/** What a profile sets, or the config instead of it. */
export interface PolicyLevels {
  autonomy: Autonomy
  production: boolean
  notices: boolean
  review_calls: boolean
  changes_per_hour_max: number
  changes_per_day_max: number
}

/** What the policy judges by now. */
export interface PolicySettings extends PolicyLevels {
  profile: string
  /** what each profile would set */
  profiles: Record<string, PolicyLevels>
  altitudes: Altitude[]
  rules: PolicyRule[]
  /** what may be tuned, by `section.key` */
  directions: Record<string, Direction>
}

export interface PolicyApi {
  /** Would it be allowed? Never rejects for a change that is refused: that is the answer. Nothing is counted. */
  check(question: PolicyQuestion): Promise<PolicyVerdict>
  /**
   * The same, for who goes on to do it, or sends it on to a person: counted against the limits of changes an hour and a
   * day, and recorded. Rejects with what the ledger rejects with.
   */
  admit(question: PolicyQuestion): Promise<PolicyVerdict>
  /** The verdict in words, with every rule that was asked. */
  explain(question: PolicyQuestion): Promise<{ verdict: PolicyVerdict; text: string }>
  settings(): PolicySettings
}
