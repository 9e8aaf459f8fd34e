/**
 * Actions that wait for a person. What is approved is exactly what was parked: the service that asked is called back
 * with it, once. A decision is made once, by somebody who knows the operator's token, and stands in the ledger first.
 */
import type { Impact } from './policy.ts'
import type { Json, JsonMap } from './seams.ts'

export type ApprovalState = 'pending' | 'approved' | 'rejected' | 'expired'

/** Who is called when it is approved: `service.method(payload, approval)`. */
export interface ParkedAction {
  service: string
  method: string
  payload: Json
}

export interface ApprovalRequest {
  /** what kind of action it is: a standing approval of a class is for this word */
  class: string
  /** the service it would change; a standing approval of a service is for this name */
  target: string
  title: string
  /** who asks */
  actor: string
  reason?: string
  impact?: Impact
  /** from the policy: a second confirmation, with a written reason */
  confirm_twice?: boolean
  diff?: string
  /** hash of what it would change, as it was when it was asked; the action itself refuses another one */
  base_hash?: string
  /** files as they were when it was asked (null: not there): while one is another, it cannot be approved */
  bases?: { path: string; hash: string | null }[]
  /** joins what the ledger keeps of it with the other entries of one cycle */
  cycle?: string
  evidence?: JsonMap
  cost_usd?: number
  /** asked again with the same key while it is open, or was rejected and has not run out, it is the same request */
  key?: string
  /** default: that of the service, seven days */
  expires_in_ms?: number
  action: ParkedAction
}

export interface Approval extends ApprovalRequest {
  id: string
  state: ApprovalState
  /** epoch milliseconds */
  asked_at: number
  expires_at: number
  /** who confirmed it first, where it takes two confirmations */
  confirmed_by: string | null
  decided_at: number | null
  decided_by: string | null
  decision_reason: string | null
  /** of the decision in the ledger */
  ledger_sequence: number | null
  /** what the action answered, or how it failed; null while it has not been done */
  outcome: { ok: boolean; value: Json } | null
}

/** `once`: this one; `service`: all of this class for this target; `class`: all of this class. */
export type ApprovalScope = 'once' | 'service' | 'class'

export interface Decision {
  by: string
  /** of the operator: `runtime/token` */
  token: string
  reason?: string
  /** of an approval: what else it allows, and until when. Default `once` */
  scope?: ApprovalScope
  expires_in_ms?: number
}

export interface ApprovalsApi {
  /** Parks an action. With a standing approval that fits it is approved at once. */
  request(request: ApprovalRequest): Promise<Approval>
  /** Newest first. What has expired is shown so. */
  list(query?: { state?: ApprovalState; limit?: number }): Promise<Approval[]>
  /** Rejects with `approval_missing`. */
  show(id: string): Promise<Approval>
  /**
   * Resolves when the action has been done or has failed; the first of two confirmations leaves it pending. Rejects with
   * `approval_decided`, `approval_expired`, `approval_stale`, `approval_reason`, `operator_only`, or what the ledger
   * rejects with.
   */
  approve(id: string, decision: Decision): Promise<Approval>
  reject(id: string, decision: Decision): Promise<Approval>
  /** Id of the standing approval that allows such actions now, if there is one. */
  standing(what: { class: string; target: string }): Promise<string | null>
}
