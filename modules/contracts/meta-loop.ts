/**
 * The loop that watches the system and proposes: what it perceives, how that scores against goals, what it concludes, and
 * how one cycle goes. The service `meta-loop` runs it; what it proposes goes through `policy`, `approvals` and `rollouts`
 * like everybody's changes. Rules and goals are pure: the same snapshot gives the same findings.
 */
import type { MetricSnapshot, OperationMetrics } from './meta-metrics.ts'
import type { Tier } from './policy.ts'
import type { ExpectedEffect } from './proposals.ts'
import type { Finding, RuleDefinition, RuleDraft, RulePreview, SilentRule } from './rules.ts'
import type { EventPriority } from './signed-events.ts'
import type { Json, JsonMap } from './seams.ts'
import type { Briefing, LoopAlert, LoopHealth } from './meta-watch.ts'

export type { Briefing, LoopAlert, LoopHealth } from './meta-watch.ts'

export type {
  Comparator,
  Finding,
  Principle,
  RuleDefinition,
  RuleDraft,
  RulePreview,
  Severity,
  SilentRule,
  StructureWish,
} from './rules.ts'

// --- goals ------------------------------------------------------------------------------------------------------------
export const META_GOALS = [
  'G1_truthful',
  'G2_economical',
  'G3_reliable',
  'G4_capable',
  'G5_diligent',
  'G6_self_know',
] as const
export type MetaGoal = (typeof META_GOALS)[number]

export interface MetaGoalConfig {
  weight: number
  /** a score below it is below; one that equals it is not */
  threshold: number
}

export interface Scores {
  /** 0 to 1, three decimals; null: no data */
  goals: Record<MetaGoal, number | null>
  /** over the goals with data; null when none has any */
  aggregate: number | null
  below_threshold: MetaGoal[]
}

export interface StrategicGoal {
  id: string
  /** a path of the metrics catalogue */
  metric: string
  direction: 'up' | 'down'
  target: number
  weight: number
}

export interface GoalGap {
  goal: string
  metric: string
  current: number | null
  target: number
  /** in the metric's unit; above 0 is worse, 0 is reached; null: no data, and then it is no gap */
  gap: number | null
}

// --- signals ------------------------------------------------------------------------------------------------------------

/** Derived from two inputs that do not depend on each other: `validated` where both have enough samples and agree. */
export interface DerivedSignal {
  source:
    | 'strategy_effectiveness'
    | 'tool_underutilization'
    | 'confidence_calibration'
    | 'drift_score'
    | 'pattern_recurrence'
  priority: EventPriority
  validation: 'validated' | 'unvalidated'
  payload: JsonMap & { cross_validated_with: string[] }
}

/** A file of `runtime/signals/`; drained in the order of its name by the next cycle. */
export interface QueuedSignal {
  id: string
  source: string
  priority: EventPriority
  payload: JsonMap
  /** epoch milliseconds */
  at: number
  /** seconds; older ones are dropped, and counted */
  ttl_s: number
}

// --- a cycle ------------------------------------------------------------------------------------------------------------

export const STEPS = ['perceive', 'self_model', 'critique', 'policy_revision', 'identity_check', 'persist'] as const
export type Step = (typeof STEPS)[number]

/** A value of a config the loop would change: one of its own, or of any service. */
export interface TuningChange {
  /** 8 hex digits */
  change_id: string
  file: string
  key: string
  old: Json
  new: Json
  reason: string
  /** goal or rule it is for */
  for: string
  expected?: ExpectedEffect
  tier: Tier
}

export interface CriticOutput {
  action: 'NO_ACTION' | 'POLICY_UPDATE' | 'ALERT'
  reason: string
  confidence: number
  findings: Finding[]
  changes: Omit<TuningChange, 'tier'>[]
}

export type IdentityVerdict = 'no_changes' | 'approved' | 'rejected_high_drift' | 'rejected_never_permission'

export type CycleStatus = 'completed' | 'aborted' | 'failed' | 'throttled' | 'skipped'

/** Everything of one cycle: its row, its line in the evolution log. */
export interface Cycle {
  /** grows by one with each that was begun; 0 for one that was not */
  number: number
  trigger: string
  status: CycleStatus
  /** why it was throttled, skipped, aborted, or failed */
  reason: string | null
  started_at: number
  ended_at: number
  steps_completed: number
  snapshot: string | null
  operation: OperationMetrics | null
  scores: Scores | null
  /** of the strategic goals, as they were perceived */
  gaps: GoalGap[]
  signals: DerivedSignal[]
  queued_signals: QueuedSignal[]
  signals_expired: number
  findings: Finding[]
  silent: SilentRule[]
  critic: Omit<CriticOutput, 'findings'> | null
  changes: TuningChange[]
  identity: IdentityVerdict | null
  requeries: number
  identity_rounds: number
  drift_restart: boolean
  shadow_test: { passed: boolean; reason: string; success_rate: number | null; sample_size: number } | null
  /** ids in `rollouts` */
  proposals: string[]
  applied: string[]
  pending: string[]
  /** channel G: what the last cycle that changed something did */
  last_commit: JsonMap | null
  /** what a person should know of it, beside the numbers */
  notes: string[]
  summary: string
}

/** One who is asked, from 0: what the loop is right now. */
export interface MetaStatus {
  running: boolean
  bot_id: string
  cadence_mode: CadenceMode
  last_cycle: Pick<
    Cycle,
    'number' | 'trigger' | 'status' | 'started_at' | 'ended_at' | 'steps_completed' | 'identity'
  > | null
  pending_approvals: number
  scores: Scores | null
  /** why there are none */
  scores_error: string | null
  gaps: GoalGap[]
  /** domains of the newest snapshot, by their success rate: below 0.85, and above 0.95 */
  domains: { under: string[]; over: string[] }
  /** at most 500 characters, for a prompt */
  line: string
  /** the goals as lines with a bar each; none without scores */
  bars: string[]
}

export type CadenceMode = 'balanced' | 'aggressive' | 'conservative' | 'frozen'

export interface MetaLoopApi {
  /**
   * Runs one and resolves with it, whatever became of it: `skipped` while one runs, `throttled` by the cadence. An
   * `emergency` passes the smallest interval and the hourly limit, within its own. Rejects only for a trigger that is not
   * known. (A method `run` is the kernel's: no handle has it.)
   */
  trigger(request?: { trigger?: 'manual' | 'scheduled' | 'emergency' | 'signal' }): Promise<Cycle>
  /** The step under way ends; nothing it staged stays. False when none runs: then the next ends after its first step. */
  abort(reason: string): boolean
  status(): Promise<MetaStatus>
  /** Newest first. */
  cycles(query?: { limit?: number; before?: number }): Promise<{ cycles: Cycle[] }>
  /** Rejects with `signal_invalid`, which lists the priorities there are. */
  signal(signal: {
    source: string
    priority?: EventPriority
    payload?: JsonMap
    ttl_s?: number
  }): Promise<{ status: 'queued'; source: string; id: string }>
  /** Away: cycles come every half hour, and coming back answers with what happened. Kept over restarts. */
  away(active: boolean): Promise<{ mode: CadenceMode; briefing: Briefing | null }>
  rules(): Promise<{ builtin: RuleDefinition[]; custom: RuleDefinition[] }>
  /** A rule on the newest snapshots, at most 100. Rejects with `rule_invalid` or `metric_unknown`. */
  preview(rule: RuleDefinition): Promise<RulePreview>
  /** A rule of one's own put in (or in the place of the one of its name), or taken out. Rejects as `preview` does. */
  draft(change: { set: RuleDefinition } | { remove: string }): Promise<RuleDraft>
  /** What the rules say of the newest snapshot, without a cycle. */
  findings(): Promise<{ snapshot: string | null; findings: Finding[]; silent: SilentRule[] }>
  health(): Promise<LoopHealth>
  /** Newest first. */
  alerts(): Promise<{ alerts: LoopAlert[] }>
  brief(since: number): Promise<{ lines: string[] }>
  /** What waits in the inbox, oldest first; nothing is taken. */
  signals(): Promise<{ signals: QueuedSignal[] }>
  settings(): Promise<JsonMap>
}

/** What perceiving gives to the rest of a cycle. */
export interface Perception {
  snapshot: MetricSnapshot
  operation: OperationMetrics
  scores: Scores
  gaps: GoalGap[]
  signals: DerivedSignal[]
  queued: QueuedSignal[]
  expired: number
  last_commit: JsonMap | null
}
