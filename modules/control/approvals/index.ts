/**
 * The service `approvals`: parked actions, and what people decided. A decision is checked, recorded in the ledger, then
 * made by compare-and-set, and only then is the action done: by the service that asked, with what it parked. What was
 * approved and not done when the process ended is done at the next start, so the action has to bear being done twice.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import type { Approval, ApprovalRequest, ApprovalsApi, ApprovalState, Decision } from '../../contracts/approvals.ts'
import type { LedgerApi } from '../../contracts/ledger.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { Json } from '../../contracts/seams.ts'
import { coded, reasonOf, toErrorData } from '../../lib/errors.ts'
import { checkOperator } from '../../lib/operator.ts'
import { ApprovalStore, openApprovals } from './store.ts'

const DAY_MS = 86_400_000

export const configSchema = z.object({
  /** how long a request waits */
  expires_ms: z
    .number()
    .int()
    .positive()
    .default(7 * DAY_MS),
  pending_max: z.number().int().positive().default(1_000),
  /** of one request, as it is stored */
  request_bytes_max: z.number().int().positive().default(1_048_576),
  /** longest standing approval */
  standing_ms_max: z
    .number()
    .int()
    .positive()
    .default(30 * DAY_MS),
})

type Config = z.infer<typeof configSchema>

const LIST_MAX = 500
const name = z.string().trim().min(1).max(200)
const requestSchema = z.strictObject({
  class: name,
  target: name,
  title: z.string().trim().min(1).max(500),
  actor: name,
  reason: z.string().max(10_000).optional(),
  impact: z.enum(['MINIMAL', 'LOW', 'MODERATE', 'HIGH', 'CRITICAL']).optional(),
  confirm_twice: z.boolean().optional(),
  diff: z.string().optional(),
  base_hash: name.optional(),
  evidence: z.record(z.string(), z.json()).optional(),
  cost_usd: z.number().nonnegative().optional(),
  key: name.optional(),
  expires_in_ms: z.number().int().positive().optional(),
  action: z.strictObject({ service: name, method: name, payload: z.json() }),
})

export class Module implements ApprovalsApi {
  static readonly needs = ['ledger']
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #ledger: Handle<LedgerApi>
  #opened: ApprovalStore | undefined
  /** decisions of one request are made one after the other */
  readonly #deciding = new Map<string, Promise<unknown>>()

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#ledger = kernel.getApi<LedgerApi>('ledger')
  }

  async init(): Promise<void> {
    const folder = join(this.#kernel.paths.runtime, 'control')
    this.#opened = new ApprovalStore(
      await this.#kernel.hold(
        'approvals',
        () => openApprovals(folder),
        (connection) => connection.close(),
      ),
    )
  }

  /** Nobody decides while one version follows another: all that is known stands in the file. */
  handOver(): null {
    return null
  }

  takeOver(): void {}

  async run(): Promise<void> {
    for (const approval of this.#store().owed()) await this.#do(approval)
  }

  async request(given: ApprovalRequest): Promise<Approval> {
    const request = this.#readRequest(given)
    const known = request.key === undefined ? undefined : this.#store().byKey(request.key)
    if (known !== undefined) return this.#expired(known)
    if (this.#store().pending() >= this.#config.pending_max)
      throw coded('approvals_full', { limit: this.#config.pending_max })
    const now = this.#kernel.clock.now()
    const approval: Approval = {
      ...request,
      id: randomUUID(),
      state: 'pending',
      asked_at: now,
      expires_at: now + Math.min(request.expires_in_ms ?? this.#config.expires_ms, this.#config.expires_ms),
      confirmed_by: null,
      decided_at: null,
      decided_by: null,
      decision_reason: null,
      ledger_sequence: null,
      outcome: null,
    }
    await this.#record(approval, 'approval_requested', request.actor, 'pending', request.reason)
    this.#store().add(approval)
    this.#kernel.events.emit('approval.requested', { id: approval.id, title: approval.title, target: approval.target })
    const standing = request.confirm_twice === true ? undefined : this.#store().standing(request, now)
    if (standing === undefined) return approval
    return this.#decide(approval.id, 'approved', `approval ${standing}`, 'a standing approval')
  }

  list({ state, limit = 100 }: { state?: ApprovalState; limit?: number } = {}): Promise<Approval[]> {
    const found = this.#store().list(state, Math.min(Math.max(1, limit), LIST_MAX))
    return Promise.all(found.map((approval) => this.#expired(approval))).then((all) =>
      state === undefined ? all : all.filter((approval) => approval.state === state),
    )
  }

  async show(id: string): Promise<Approval> {
    const approval = this.#store().get(id)
    if (approval === undefined) throw coded('approval_missing', { approval: id })
    return this.#expired(approval)
  }

  async approve(id: string, decision: Decision): Promise<Approval> {
    this.#checkDecider(decision)
    const { by, reason, scope = 'once', expires_in_ms } = decision
    const approval = await this.#decide(id, 'approved', by, reason)
    if (approval.state === 'approved' && scope !== 'once') {
      const ms = Math.min(expires_in_ms ?? DAY_MS, this.#config.standing_ms_max)
      await this.#record(approval, 'approval_standing', by, scope, reason)
      this.#store().stand(approval, scope, this.#kernel.clock.now() + ms)
    }
    return approval
  }

  async reject(id: string, decision: Decision): Promise<Approval> {
    this.#checkDecider(decision)
    if (!hasText(decision.reason)) throw coded('approval_reason', { what: 'A rejection' })
    return this.#decide(id, 'rejected', decision.by, decision.reason)
  }

  /** The ledger first, then the state, then the action. */
  #decide(id: string, state: 'approved' | 'rejected', by: string, reason?: string): Promise<Approval> {
    const before = this.#deciding.get(id) ?? Promise.resolve()
    const decided = before.then(
      () => this.#decideNow(id, state, by, reason),
      () => this.#decideNow(id, state, by, reason),
    )
    this.#deciding.set(id, decided)
    const leave = (): void => {
      if (this.#deciding.get(id) === decided) this.#deciding.delete(id)
    }
    void decided.then(leave, leave)
    return decided
  }

  async #decideNow(id: string, state: 'approved' | 'rejected', by: string, reason?: string): Promise<Approval> {
    const approval = await this.show(id)
    if (approval.state === 'expired') throw coded('approval_expired', { approval: id })
    if (approval.state !== 'pending')
      throw coded('approval_decided', { approval: id, outcome: approval.state, by: approval.decided_by ?? 'somebody' })
    if (state === 'approved' && approval.confirm_twice === true) {
      if (approval.confirmed_by === null) return this.#confirm(approval, by)
      if (!hasText(reason)) throw coded('approval_reason', { what: 'The second confirmation' })
    }
    const sequence = await this.#record(approval, `approval_${state}`, by, state, reason)
    const decided: Approval = {
      ...approval,
      state,
      decided_at: this.#kernel.clock.now(),
      decided_by: by,
      decision_reason: reason ?? null,
      ledger_sequence: sequence,
    }
    if (!this.#store().replace('pending', decided))
      throw coded('approval_decided', { approval: id, outcome: 'decided', by: 'somebody else' })
    this.#kernel.events.emit(`approval.${state}`, { id, by, target: approval.target })
    return state === 'approved' ? this.#do(decided) : decided
  }

  async #confirm(approval: Approval, by: string): Promise<Approval> {
    await this.#record(approval, 'approval_confirmed', by, 'pending')
    const confirmed = { ...approval, confirmed_by: by }
    this.#store().replace('pending', confirmed)
    return confirmed
  }

  /** What the action throws is its outcome: it was decided, and tried. */
  async #do(approval: Approval): Promise<Approval> {
    const { service, method, payload } = approval.action
    let outcome: { ok: boolean; value: Json }
    try {
      const handle: Handle = this.#kernel.getApi(service)
      const value = await handle[method]?.(payload, { ...approval })
      outcome = {
        ok: true,
        value: z
          .json()
          .catch(null)
          .parse(value ?? null),
      }
    } catch (thrown) {
      const { code, message } = toErrorData(thrown)
      this.#kernel.log.warn(`what was approved in ${approval.id} failed: ${reasonOf(thrown)}`, { code })
      outcome = { ok: false, value: { code, message } }
    }
    await this.#record(approval, 'approval_done', service, outcome.ok ? 'ok' : 'failed')
    const done = { ...approval, outcome }
    this.#store().replace('approved', done)
    this.#kernel.events.emit('approval.done', { id: approval.id, ok: outcome.ok })
    return done
  }

  /** Nobody watches the clock: what is looked at too late has expired by then. */
  async #expired(approval: Approval): Promise<Approval> {
    if (approval.state !== 'pending' || approval.expires_at > this.#kernel.clock.now()) return approval
    await this.#record(approval, 'approval_expired', 'approvals', 'expired')
    const expired: Approval = { ...approval, state: 'expired', decided_at: this.#kernel.clock.now() }
    return this.#store().replace('pending', expired) ? expired : (this.#store().get(approval.id) ?? expired)
  }

  async #record(
    { id, target, title, actor: asked_by }: Approval,
    action: string,
    actor: string,
    outcome: string,
    reason?: string,
  ): Promise<number> {
    const origin = action === 'approval_requested' || action === 'approval_done' ? 'self' : 'human'
    const entry = {
      actor,
      origin,
      action,
      resource: `approval:${id}`,
      outcome,
      payload: { target, title, asked_by },
    } as const
    return (await this.#ledger.append(reason === undefined ? entry : { ...entry, reason })).sequence
  }

  #readRequest(given: ApprovalRequest): ApprovalRequest {
    const read = requestSchema.safeParse(given)
    const [issue] = read.error?.issues ?? []
    if (!read.success)
      throw coded('bad_arguments', { reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` })
    const bytes = Buffer.byteLength(JSON.stringify(read.data))
    if (bytes > this.#config.request_bytes_max)
      throw coded('bad_arguments', { reason: `the request has ${bytes} bytes, over ${this.#config.request_bytes_max}` })
    return read.data as ApprovalRequest
  }

  #checkDecider({ token, by }: Decision): void {
    if (!hasText(by)) throw coded('bad_arguments', { reason: 'by: say who decides' })
    checkOperator(this.#kernel.paths.runtime, token, 'decide on an approval')
  }

  #store(): ApprovalStore {
    if (this.#opened === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    return this.#opened
  }
}

const hasText = (text: string | undefined): text is string => typeof text === 'string' && text.trim() !== ''
