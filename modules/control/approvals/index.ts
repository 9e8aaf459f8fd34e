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
import { hashOf, readRequest } from './request.ts'
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

export class Module implements ApprovalsApi {
  static readonly needs = ['ledger']
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #ledger: Handle<LedgerApi>
  #opened: ApprovalStore | undefined
  /** decisions of one request are made one after the other */
  readonly #deciding = new Map<string, Promise<unknown>>()
  /** requests with one key are made one after the other */
  readonly #asking = new Map<string, Promise<unknown>>()

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
    const request = readRequest(given, this.#config.request_bytes_max)
    const { key } = request
    return key === undefined ? this.#ask(request) : this.#inTurn(this.#asking, key, () => this.#askOnce(key, request))
  }

  async #askOnce(key: string, request: ApprovalRequest): Promise<Approval> {
    const last = this.#store().byKey(key)
    const known = last === undefined ? undefined : await this.#expired(last)
    const isOpen = known?.state === 'pending' || (known?.state === 'approved' && known.outcome === null)
    const isRejected = known?.state === 'rejected' && known.expires_at > this.#kernel.clock.now()
    return known !== undefined && (isOpen || isRejected) ? known : this.#ask(request)
  }

  async #ask(request: ApprovalRequest): Promise<Approval> {
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

  async standing(what: { class: string; target: string }): Promise<string | null> {
    return this.#store().standing(what, this.#kernel.clock.now()) ?? null
  }

  /** The ledger first, then the state, then the action. */
  #decide(id: string, state: 'approved' | 'rejected', by: string, reason?: string): Promise<Approval> {
    return this.#inTurn(this.#deciding, id, () => this.#decideNow(id, state, by, reason))
  }

  #inTurn<T>(line: Map<string, Promise<unknown>>, whose: string, work: () => Promise<T>): Promise<T> {
    const before = line.get(whose) ?? Promise.resolve()
    const done = before.then(work, work)
    line.set(whose, done)
    const leave = (): void => {
      if (line.get(whose) === done) line.delete(whose)
    }
    void done.then(leave, leave)
    return done
  }

  async #decideNow(id: string, state: 'approved' | 'rejected', by: string, reason?: string): Promise<Approval> {
    const approval = await this.show(id)
    if (approval.state === 'expired') throw coded('approval_expired', { approval: id })
    if (approval.state !== 'pending')
      throw coded('approval_decided', { approval: id, outcome: approval.state, by: approval.decided_by ?? 'somebody' })
    if (state === 'approved') this.#checkBases(approval)
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

  /** What was looked at when it was asked is what would be changed now. Throws `approval_stale`. */
  #checkBases({ id, bases = [] }: Approval): void {
    const changed = bases.find(({ path, hash }) => hashOf(this.#kernel.paths.root, path) !== hash)
    if (changed !== undefined) throw coded('approval_stale', { approval: id, path: changed.path })
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
    { id, target, title, actor: asked_by, cycle }: Approval,
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
      ...(cycle === undefined ? {} : { cycle }),
      payload: { target, title, asked_by },
    } as const
    return (await this.#ledger.append(reason === undefined ? entry : { ...entry, reason })).sequence
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
