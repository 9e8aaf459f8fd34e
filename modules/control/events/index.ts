/**
 * The service `events`: takes events from outside that are signed, from senders that are trusted enough for what they
 * say, and sends them on in the order of their priority. What is refused stands in the ledger, with the reason. Some are
 * kept on disk for who counts them later, and with them events of the bus that the config names.
 */
import { join } from 'node:path'
import type { LedgerApi } from '../../contracts/ledger.ts'
import type { Handle, KernelApi, MachineEvent } from '../../contracts/module.ts'
import type { EventCounts, KeptEvent, SignedEvent, SignedEventsApi, TakenEvent } from '../../contracts/signed-events.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { toPlain } from '../../lib/plain-json.ts'
import { EventQueue } from './queue.ts'
import { configSchema, eventSchema, isAbove, ruleFor, type Config, type TypeRule } from './rules.ts'
import { isSame, signatureOf } from './signature.ts'
import { EventStore, openEvents, type EventQuery } from './store.ts'

export { configSchema }

/** Of the bus, before those that are named. */
const PREFIX = 'signed.'
const IDS_MAX = 100_000

type Refusal = 'unknown_signer' | 'wrong_signature' | 'unknown_type' | 'insufficient_trust' | 'too_old' | 'seen_before'

export class Module implements SignedEventsApi {
  static readonly needs = ['ledger']
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #ledger: Handle<LedgerApi>
  readonly #queue: EventQueue
  readonly #refused = new Map<Refusal, number>()
  /** id → when it may be forgotten */
  #seen = new Map<string, number>()
  #taken = 0
  #store: EventStore | undefined

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#ledger = kernel.getApi<LedgerApi>('ledger')
    this.#queue = new EventQueue((events) => this.#send(events))
  }

  async init(): Promise<void> {
    const { runtime } = this.#kernel.paths
    const files = await this.#kernel.hold(
      'events',
      () => openEvents(join(runtime, 'control')),
      ({ connection }) => connection.close(),
    )
    this.#store = new EventStore(files, this.#config.kept_max)
    for (const pattern of this.#config.keep) this.#kernel.events.on(pattern, (event) => this.#keep(event))
  }

  handOver(): unknown {
    return { seen: [...this.#seen], taken: this.#taken, refused: [...this.#refused] }
  }

  takeOver(state: { seen: [string, number][]; taken: number; refused: [Refusal, number][] }): void {
    this.#seen = new Map(state.seen)
    this.#taken = state.taken
    for (const [reason, count] of state.refused) this.#refused.set(reason, count)
  }

  async publish(given: SignedEvent): Promise<TakenEvent> {
    const event = this.#readEvent(given)
    const refusal = this.#refusalOf(event)
    if (refusal !== undefined) return this.#refuse(event, refusal)
    const { type, source, signature: _signature, ...rest } = event
    const rule = ruleFor(this.#config.types, type) as TypeRule
    const priority = event.priority ?? rule.priority
    if (isAbove(priority, rule.priority)) {
      const reason = `events of ${type} have the priority ${rule.priority} at most`
      throw coded('event_invalid', { field: 'priority', reason })
    }
    if (this.#queue.size >= this.#config.waiting_max) throw coded('events_full', { limit: this.#config.waiting_max })
    this.#remember(event.id)
    const taken: TakenEvent = { ...rest, type, source, priority, trust: this.#config.signers[source]?.trust ?? 0 }
    try {
      await this.#queue.add(taken, rule.kept)
    } catch (thrown) {
      this.#seen.delete(event.id) // it was not taken, so it may come again
      throw thrown
    }
    return taken
  }

  read({ limit = 100, ...query }: Partial<EventQuery> = {}): KeptEvent[] {
    return this.#opened().read({ ...query, limit: Math.min(Math.max(1, limit), this.#config.limit_max) })
  }

  counts(): EventCounts {
    const store = this.#opened()
    return {
      taken: this.#taken,
      refused: Object.fromEntries(this.#refused),
      kept: store.count(),
      altered: store.altered,
    }
  }

  /** Rejects with the reason when those that are to be kept are not on the disk; then none is sent. */
  #send(events: readonly { event: TakenEvent; kept: boolean }[]): void {
    const kept = events.flatMap((one) => (one.kept ? [one.event] : []))
    if (kept.length > 0) this.#opened().add(kept)
    for (const { event } of events) {
      this.#taken++
      const { type, ...data } = event
      this.#kernel.events.emit(PREFIX + type, data)
    }
  }

  /** An event of the bus: the kernel's own, so nothing is above it. */
  #keep({ id, type, time, data }: MachineEvent): void {
    if (type.startsWith(PREFIX)) return
    try {
      const payload = toPlain(data, { api: 'events', method: type }) as TakenEvent['payload']
      this.#opened().add([{ id: `bus-${id}`, type, source: 'kernel', time, priority: 'normal', trust: 1, payload }])
    } catch (thrown) {
      this.#kernel.log.warn(`${type} was not kept: ${reasonOf(thrown)}`)
    }
  }

  #readEvent(given: SignedEvent): SignedEvent {
    const read = eventSchema.safeParse(given)
    const [issue] = read.error?.issues ?? []
    if (!read.success)
      throw coded('event_invalid', { field: issue?.path.join('.') || 'event', reason: issue?.message ?? '' })
    const bytes = Buffer.byteLength(JSON.stringify(read.data))
    if (bytes <= this.#config.event_bytes_max) return read.data as SignedEvent
    throw coded('event_invalid', {
      field: 'payload',
      reason: `${bytes} bytes; ${this.#config.event_bytes_max} are the limit`,
    })
  }

  /** In this order: who says it, whether it is said by him, what, and when. */
  #refusalOf(event: SignedEvent): Refusal | undefined {
    const { signers, types, skew_ms } = this.#config
    const signer = Object.hasOwn(signers, event.source) ? signers[event.source] : undefined
    if (signer === undefined) return 'unknown_signer'
    if (!isSame(event.signature, signatureOf(signer.key, event))) return 'wrong_signature'
    const rule = ruleFor(types, event.type)
    if (rule === undefined) return 'unknown_type'
    if (signer.trust < rule.min_trust) return 'insufficient_trust'
    const now = this.#kernel.clock.now()
    if (Math.abs(now - event.time) > skew_ms) return 'too_old'
    return this.#seen.has(event.id) ? 'seen_before' : undefined
  }

  async #refuse({ id, type, source }: SignedEvent, reason: Refusal): Promise<never> {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1)
    await this.#ledger.append({
      actor: source,
      origin: 'self',
      action: 'event_refused',
      resource: `event:${type}`.slice(0, 200),
      outcome: 'refused',
      reason,
      payload: { id },
    })
    this.#kernel.events.emit('event.refused', { type, source, reason })
    const known =
      reason === 'unknown_type' ? `; known are: ${this.#config.types.map((one) => one.type).join(', ')}` : ''
    throw coded('event_refused', { type, source, reason: reason.replaceAll('_', ' ') + known })
  }

  /** Ids are known for as long as their time is taken. */
  #remember(id: string): void {
    const now = this.#kernel.clock.now()
    this.#seen.set(id, now + 2 * this.#config.skew_ms)
    for (const [old, until] of this.#seen) {
      if (until > now && this.#seen.size <= IDS_MAX) break
      this.#seen.delete(old)
    }
  }

  #opened(): EventStore {
    if (this.#store === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    return this.#store
  }
}
