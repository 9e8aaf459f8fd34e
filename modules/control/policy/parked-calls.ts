/**
 * Tool calls that wait for a person: parked as approvals with what they would change, and made when they are approved,
 * exactly as they were parked and once. A permit is known here only, is for one call, and ends with it; a call that had
 * begun when the process ended is not made again. Used by the policy's module.
 */
import { randomUUID } from 'node:crypto'
import type { Approval, ApprovalsApi } from '../../contracts/approvals.ts'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { LedgerApi } from '../../contracts/ledger.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { Change, PolicyVerdict } from '../../contracts/policy.ts'
import type { Json, JsonMap } from '../../contracts/seams.ts'
import type { HookAnswer, ToolCall, ToolsApi } from '../../contracts/tool-service.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { coded, fromErrorData } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { plainText } from '../../lib/plain-json.ts'
import { shortJson } from '../../lib/short-json.ts'
import { preview } from './preview.ts'

/** What is parked, and comes back. */
export type ParkedCall = { tool: string; params: JsonMap; caller: string }

/** The method that approvals call with it. */
const METHOD = 'run_parked'
const TEXT_MAX = 200

export class ParkedCalls {
  private readonly kernel: KernelApi
  private readonly approvals: Handle<ApprovalsApi>
  private readonly ledger: Handle<LedgerApi>
  private readonly system: Handle<KernelServiceApi>
  private readonly tools: Handle<ToolsApi>
  /** permit → the call it is for, as text */
  private readonly permits = new Map<string, string>()
  private readonly running = new Set<string>()

  constructor(kernel: KernelApi) {
    this.kernel = kernel
    this.approvals = kernel.getApi<ApprovalsApi>('approvals')
    this.ledger = kernel.getApi<LedgerApi>('ledger')
    this.system = kernel.getApi<KernelServiceApi>('kernel')
    this.tools = kernel.getApi<ToolsApi>('tools')
  }

  /** Undefined: a standing approval allows it. Rejects when it cannot be parked; then it is not made. */
  async park(call: ToolCall, changes: readonly Change[], verdict: PolicyVerdict): Promise<HookAnswer | undefined> {
    const { name, caller } = call
    const kind = { class: `tool:${name}`.slice(0, TEXT_MAX), target: targetOf(call, changes) }
    const standing = verdict.confirm_twice ? null : await this.approvals.standing(kind)
    if (standing !== null) {
      await this.record('tool_call_allowed', kind.target, caller, `the standing approval ${standing}`)
      return undefined
    }
    const payload: ParkedCall = { tool: name, params: plain(call.params), caller }
    const seen = await preview(this.kernel.paths.root, this.system, changes)
    const { impact, confirm_twice, rule, message, altitude } = verdict
    const approval = await this.approvals.request({
      ...kind,
      title: `${caller} would call ${name} ${shortJson(call.params)}`,
      actor: caller,
      reason: message,
      impact,
      ...(confirm_twice ? { confirm_twice } : {}),
      ...(seen.diff === '' ? {} : { diff: seen.diff }),
      bases: seen.bases,
      evidence: { ...seen.evidence, rule, altitude },
      key: `tool:${shortHash(canonicalJson({ payload, bases: seen.bases }))}`,
      action: { service: this.kernel.api, method: METHOD, payload },
    })
    return answerOf(approval, `${message} (${rule})`)
  }

  /** Whether the call is the one a permit was given for; the permit is used up. */
  isPermitted({ permit, name, params, caller }: ToolCall): boolean {
    const known = permit === undefined ? undefined : this.permits.get(permit)
    if (permit !== undefined) this.permits.delete(permit)
    return known !== undefined && known === textOf({ tool: name, params: plain(params), caller })
  }

  /** Called by `approvals`. Whoever else calls it shows no approval that fits. */
  async run(given: ParkedCall, { id }: Pick<Approval, 'id'>): Promise<Json> {
    const { state, outcome, action } = await this.approvals.show(id)
    const isMine = action.service === this.kernel.api && action.method === METHOD
    if (!isMine || state !== 'approved' || outcome !== null || canonicalJson(action.payload) !== textOf(given))
      throw coded('operator_only', { what: 'make a call that waits for a decision' })
    if (this.running.has(id)) throw coded('approval_interrupted', { approval: id })
    this.running.add(id)
    try {
      return await this.runOnce(given, id)
    } finally {
      this.running.delete(id)
    }
  }

  private async runOnce({ tool, params, caller }: ParkedCall, id: string): Promise<Json> {
    const resource = `approval:${id}`
    const begun = await this.ledger.read({ resource, action: 'tool_call_started', limit: 1 })
    if (begun.length > 0) throw coded('approval_interrupted', { approval: id })
    await this.record('tool_call_started', resource, caller, `${tool}, as it was approved`)
    const permit = randomUUID()
    this.permits.set(permit, textOf({ tool, params, caller }))
    try {
      const result = await this.tools.invoke(tool, params, { caller, permit })
      if (result.status !== 'success') throw fromErrorData(result.error)
      return JSON.parse(plainText(result.value, { api: 'tools', method: tool })) as Json
    } finally {
      this.permits.delete(permit)
    }
  }

  private async record(action: string, resource: string, actor: string, reason: string): Promise<void> {
    const entry = { actor: actor.slice(0, TEXT_MAX), origin: 'self', resource: resource.slice(0, TEXT_MAX) } as const
    await this.ledger.append({ ...entry, action, outcome: 'ok', subsystem: 'policy', reason })
  }
}

const textOf = (call: ParkedCall): string => canonicalJson(call)
const plain = (params: Record<string, unknown>): JsonMap => JSON.parse(JSON.stringify(params)) as JsonMap

/** The service it is about, or the file, or the tool. */
function targetOf({ name, params }: ToolCall, changes: readonly Change[]): string {
  const { service } = params
  if (typeof service === 'string' && service !== '') return service.slice(0, TEXT_MAX)
  const file = changes.find((change) => change.kind === 'file')
  return (file?.path ?? name).slice(0, TEXT_MAX)
}

function answerOf({ id, state, decision_reason, decided_by }: Approval, why: string): HookAnswer {
  switch (state) {
    case 'rejected':
      return { refuse: `${decided_by ?? 'a person'} has rejected it: ${decision_reason ?? 'without a reason'}` }
    case 'approved':
    case 'pending':
    case 'expired':
      return { refuse: why, approval: id }
    default:
      return state satisfies never
  }
}
