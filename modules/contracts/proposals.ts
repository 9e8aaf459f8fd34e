/**
 * A change somebody suggests, and its way: checked, judged by the policy, approved by a person, applied, measured, kept
 * or restored. The service `rollouts` leads every proposal along it; `self-improver` makes proposals from a goal.
 */
import type { Origin, PolicyVerdict } from './policy.ts'
import type { Json } from './seams.ts'

/** One file as it would be. All edits of a proposal are written together, or none. */
export interface ProposedEdit {
  /** from the root */
  path: string
  /** hash of the file as it was read; null: it is not there. Another one on disk makes the proposal stale */
  base_hash: string | null
  /** null: the file goes */
  text: string | null
}

/** What the kernel measures of a service, and a proposal may promise to improve. */
export const EFFECT_METRICS = ['latency_p50_ms', 'latency_p95_ms', 'error_share', 'calls_per_s'] as const
export type EffectMetric = (typeof EFFECT_METRICS)[number]

export interface ExpectedEffect {
  metric: EffectMetric
  direction: 'lower' | 'higher'
  /** as a share of the value before; a smaller improvement is none. Default 0.05 */
  min_effect?: number
}

/** On one argument of a call. */
export interface DeclaredCondition {
  /** `0.order.lines`: the first argument, then its members; `0.lines.*.count`: of any item of the list */
  at: string
  /**
   * `longer` and `shorter` than so many letters or items; `contains`, `begins` and `ends` of a text; `has` one of some
   * letters, or `lacks` all of them, where `a-z` is a range
   */
  is:
    | 'above'
    | 'below'
    | 'equal'
    | 'unequal'
    | 'missing'
    | 'longer'
    | 'shorter'
    | 'contains'
    | 'begins'
    | 'ends'
    | 'has'
    | 'lacks'
  /** of all but `missing` */
  value?: Json
}

/** Where a change means to answer otherwise than before. Everywhere else it has to answer alike. */
export interface DeclaredChange {
  method: string
  /** all of them hold for a call that is meant; at least one */
  when: DeclaredCondition[]
  reason: string
}

/** One check and what it said. */
export interface Evidence {
  /** `scan`, `powers`, `types`, `lint`, `tests`, `load`, `contract`, `hand_over`, `replay`, … */
  check: string
  outcome: 'passed' | 'failed' | 'skipped'
  /** in words a model can act on; of a replay, the counterexample */
  message: string
  ms: number
  details?: Json
}

/** Where a proposal comes from, when a model wrote it. */
export interface Lineage {
  provider: string
  model: string
  prompt_hash: string
  response_hash: string
  /** the proposal this one follows */
  parent: string | null
}

export interface ProposalInput {
  origin: Origin
  /** who proposes: a service, a model, a person */
  actor: string
  /** whose traffic tells whether it is better */
  service: string
  title: string
  intent: string
  reason?: string
  edits: ProposedEdit[]
  /** what it answers otherwise on purpose; a person sees examples in its evidence */
  changes?: DeclaredChange[]
  /** without one it is kept when nothing gets worse */
  expected?: ExpectedEffect
  /** 0 to 1 */
  confidence?: number
  /** why a person has to decide, also where the policy would let it through */
  review?: string
  cost_usd?: number
  evidence?: Evidence[]
  lineage?: Lineage
  /** of the measurement after it is live. Defaults: those of `rollouts`; the system itself may ask for more samples, not fewer */
  verify?: { window_ms?: number; samples_min?: number }
  /** proposals it makes no sense without: it waits until they are confirmed, and goes back before they do */
  builds_on?: string[]
  /** proposed again with the same key, it is the same proposal, and its `occurrences` grow */
  key?: string
}

export const PROPOSAL_STATES = [
  /** a check or the policy said no */
  'refused',
  /** a person has to decide */
  'waiting',
  'rejected',
  'expired',
  /** a file is no longer what it was made from */
  'stale',
  /** allowed, and its turn comes: another change of the same files or services is being measured, or the system is frozen */
  'queued',
  /** its files are being written and its services take them */
  'applying',
  /** a service refused it, and the bytes before are back */
  'failed',
  /** live, and being measured */
  'watching',
  'confirmed',
  /** it did not help, or hurt, and the bytes before are back */
  'restored',
  /** a person took it back */
  'undone',
] as const
export type ProposalState = (typeof PROPOSAL_STATES)[number]

/** A measured value with its samples; null = unknown. */
export interface Measured {
  value: number | null
  samples: number
}

export interface EffectComparison {
  service: string
  metric: EffectMetric
  before: Measured
  after: Measured
  /** after ÷ before − 1; null when either is unknown or before is 0 */
  change: number | null
  outcome: 'better' | 'same' | 'worse' | 'unknown'
}

/** What verification says. Too few samples are `inconclusive`: tried once more, then restored. */
export interface Verification {
  verdict: 'confirmed' | 'regressed' | 'inconclusive'
  message: string
  target: EffectComparison | null
  guards: EffectComparison[]
  window_ms: number
  /** 1, or 2 after an inconclusive first one */
  round: number
  /** epoch milliseconds */
  at: number
}

export interface Proposal extends ProposalInput {
  /** `c12`; grows over restarts */
  id: string
  state: ProposalState
  /** epoch milliseconds */
  created_at: number
  changed_at: number
  occurrences: number
  /** of the policy, when it was asked first */
  verdict: PolicyVerdict | null
  approval_id: string | null
  approved_by: string | null
  /** live generations of the services it changed */
  generations: Record<string, number>
  /** values before it went live, stored then and never computed again */
  before: Partial<Record<EffectMetric, Measured>> | null
  verifications: Verification[]
  /** services its files change, as the kernel planned it */
  touches: string[]
  /** as `diff -u` prints it */
  diff: string
  /** epoch milliseconds; null: it never was live */
  live_at: number | null
  /** why it is where it is */
  message: string
  /** sequences of its entries in the ledger, in order */
  ledger: number[]
}

export interface RolloutsApi {
  /**
   * Resolves when the policy has refused it, when it waits for a person or its turn, or when it is live. Rejects with
   * `bad_arguments`, `file_changed`, `frozen`, `changes_paused`, `proposals_full`, or what the ledger rejects with; then
   * nothing has changed. `operator`: of a person's own (`origin: human`), the token of `runtime/token`.
   */
  submit(proposal: ProposalInput, operator?: { token: string }): Promise<Proposal>
  /** Newest first. */
  list(query?: { state?: ProposalState; service?: string; limit?: number }): Promise<{ proposals: Proposal[] }>
  /** Rejects with `proposal_missing`. */
  show(id: string): Promise<Proposal>
  /** The bytes before it, back on disk and live. Rejects with `proposal_missing`, `proposal_not_live`, `file_changed`. */
  undo(id: string, by: { by: string; reason?: string }): Promise<Proposal>
}

export interface ImproveRequest {
  service: string
  goal: string
  /** inference service; default: the one the assistant would use */
  provider?: string
  /** default of the service's config */
  budget_usd?: number
  tries?: number
  expected?: ExpectedEffect
  /** who asks: a person, a model */
  actor?: string
}

/** One answer of the model, and what the gate said to it. */
export interface Attempt {
  number: number
  proposal_id: string | null
  outcome: 'refused' | 'submitted' | 'unusable'
  /** the check that failed first */
  refused_by: string | null
  /** what the model was told */
  message: string
  evidence: Evidence[]
  cost_usd: number | null
  prompt_hash: string
  response_hash: string
}

export interface Improvement {
  /** `i3`; grows over restarts */
  id: string
  service: string
  goal: string
  state: 'running' | 'submitted' | 'given_up' | 'over_budget' | 'failed'
  attempts: Attempt[]
  proposal_id: string | null
  cost_usd: number
  message: string
  started_at: number
  ended_at: number | null
}

export interface SelfImproverApi {
  /** Resolves when a proposal has gone to `rollouts`, or the tries or the budget are used up. */
  improve(request: ImproveRequest): Promise<Improvement>
  /** The same, resolving at once, with the state `running`. Rejects with `frozen`, `service_not_found`, `improvement_running`. */
  start(request: ImproveRequest): Promise<Improvement>
  list(query?: { service?: string; limit?: number }): Promise<{ improvements: Improvement[] }>
  /** Rejects with `improvement_missing`. */
  show(id: string): Promise<Improvement>
  /** The checks alone, for edits from elsewhere. Nothing is written. */
  check(
    edits: ProposedEdit[],
    options?: { service?: string; changes?: DeclaredChange[] },
  ): Promise<{ passed: boolean; evidence: Evidence[] }>
}
