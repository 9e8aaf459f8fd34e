/**
 * The service `control/metrics`: sees what happens, measures it by the catalogue, keeps snapshots, and scores the work of
 * agents from their events. What is seen is held over its versions; what is taken stands on disk, and is never altered.
 */
import { join } from 'node:path'
import type { KernelServiceApi, ServiceStatus } from '../../contracts/kernel.ts'
import {
  OPERATION_EVENT_TYPES,
  type ControlMetricsApi,
  type MetricDescriptor,
  type MetricHistoryPoint,
  type MetricSnapshot,
  type OperationEvent,
  type OperationMetrics,
} from '../../contracts/meta-metrics.ts'
import type { KernelApi, MachineEvent } from '../../contracts/module.ts'
import type { FinishedCall } from '../../contracts/observe.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { nearText } from '../../lib/near.ts'
import { CATALOGUE, PATHS } from './catalogue.ts'
import { collectAll } from './collect.ts'
import { configSchema, type Config } from './config.ts'
import { baselineOf, domainViews, isBaseline, type Baseline } from './domains.ts'
import { EventQueue } from './event-queue.ts'
import { anonymous, DEFAULT_BOT, fromBus, fromCall, readEvent, sessionOf, type Given } from './intake.ts'
import { operationOf } from './operation.ts'
import { seeCall } from './seen/calls.ts'
import { rate, seeEvent } from './seen/events.ts'
import { keyOf, Seen } from './seen/index.ts'
import { hourOf } from './seen/spend.ts'
import { seeServices } from './seen/services.ts'
import { MetricsStore, openMetrics } from './store.ts'

export { configSchema }

const DAY_MS = 86_400_000
const WEEK_MS = 7 * DAY_MS
const LIMIT = 100
const LIMIT_MAX = 1_000

interface Opened {
  seen: Seen
  store: MetricsStore
  queue: EventQueue
  key: Buffer
}

export class Module implements ControlMetricsApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  #opened: Opened | undefined
  /** events of agents that could not be kept, told once until one can be */
  #told = false

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  async init(): Promise<void> {
    const kernel = this.#kernel
    const config = this.#config
    const files = await kernel.hold(
      'metrics files 2',
      () => openMetrics(join(kernel.paths.runtime, 'control')),
      ({ connection }) => connection.close(),
    )
    const seen = await kernel.hold(
      keyOf(config),
      () => new Seen(config),
      (held) => held.process.end(),
    )
    const store = new MetricsStore(files.connection)
    // Shared too: what one version has taken the next one finds.
    const queue = await kernel.hold(
      `metrics queue 2 ${config.waiting_max} ${config.events_max}`,
      () => new EventQueue(config.waiting_max, (events) => store.addEvents(events, config.events_max)),
      (held) => held.flush(),
    )
    this.#opened = { seen, store, queue, key: files.key }
    this.#restoreSpend(this.#opened)
    await this.#sample()
    kernel.observe({ ended: (call) => this.#ended(call) })
    kernel.events.on('*', (event) => this.#happened(event))
    kernel.every(config.sample_ms, () => this.#sample(), 'sample')
  }

  shutdown(): void {
    if (this.#opened === undefined) return
    this.#opened.queue.flush()
    this.#saveSpend(0)
  }

  catalogue(): MetricDescriptor[] {
    return [...CATALOGUE]
  }

  async take(): Promise<MetricSnapshot> {
    const { seen, store, queue } = this.#open()
    const kernel = this.#kernel
    const { window_ms, drift_samples_min } = this.#config
    const services = await this.#sample()
    queue.flush()
    const at = kernel.clock.now()
    const baseline = this.#baseline()
    const domains = domainViews(services, seen, at, this.#config, baseline)
    const operation = (): OperationMetrics => this.#operation(DEFAULT_BOT, this.#config.operation_window_ms, at)
    const scene = { kernel, config: this.#config, seen, now: at, services, domains, operation }
    const { values, errors } = await collectAll(scene)
    const snapshot = store.addSnapshot({ at, window_ms, values, domains, errors })
    if (baseline === undefined && isBaseline(domains, drift_samples_min))
      store.keep('baseline', JSON.stringify(baselineOf(domains)))
    this.#forget(at)
    return snapshot
  }

  async latest(): Promise<MetricSnapshot | null> {
    return this.#open().store.latest() ?? null
  }

  async list(query: { since?: number; until?: number; limit?: number } = {}): Promise<{ snapshots: MetricSnapshot[] }> {
    return { snapshots: this.#open().store.snapshots({ ...query, limit: limited(query.limit) }) }
  }

  async show(id: string): Promise<MetricSnapshot> {
    const found = this.#open().store.snapshot(String(id))
    if (found === undefined) throw coded('snapshot_missing', { snapshot: String(id) })
    return found
  }

  async history(
    path: string,
    query: { since?: number; limit?: number } = {},
  ): Promise<{ points: MetricHistoryPoint[] }> {
    if (!PATHS.has(path))
      throw coded('metric_unknown', { path, near: nearText(String(path), PATHS), paths: [...PATHS].join(', ') })
    return { points: this.#open().store.history(path, { ...query, limit: limited(query.limit) }) }
  }

  async record(event: Given): Promise<{ recorded: true }> {
    await this.#add(readEvent(event))
    return { recorded: true }
  }

  async operation(query: { bot_id?: string; window_ms?: number } = {}): Promise<OperationMetrics> {
    const { bot_id = DEFAULT_BOT, window_ms = this.#config.operation_window_ms } = query
    this.#open().queue.flush()
    return this.#operation(bot_id, window_ms, this.#kernel.clock.now())
  }

  async recorded(
    query: { bot_id?: string; types?: OperationEvent['type'][]; since?: number; limit?: number } = {},
  ): Promise<{ events: OperationEvent[] }> {
    const { bot_id = DEFAULT_BOT, types = [...OPERATION_EVENT_TYPES], since = 0 } = query
    for (const type of types) readEvent({ bot_id, type })
    this.#open().queue.flush()
    return { events: this.#open().store.newestEvents(bot_id, types, since, limited(query.limit)) }
  }

  async setBaseline(id: string): Promise<void> {
    const { domains } = await this.show(id)
    this.#open().store.keep('baseline', JSON.stringify(baselineOf(domains)))
  }

  #operation(bot: string, windowMs: number, now: number): OperationMetrics {
    const { store } = this.#open()
    const { events, skipped } = store.events(bot, now, windowMs)
    return operationOf(events, store.tasks(bot, now - WEEK_MS), skipped)
  }

  // --- what is seen -----------------------------------------------------------------------------------------------------

  /** Reads the kernel's counts. */
  async #sample(): Promise<ServiceStatus[]> {
    const { seen } = this.#open()
    const system = this.#kernel.getApi<KernelServiceApi>('kernel')
    const services = (await system.services()).filter(({ api }) => api !== 'kernel')
    seeServices(seen, services, this.#kernel.clock.now())
    return services
  }

  /** On the path of a call. */
  #ended(call: FinishedCall): void {
    const { seen } = this.#open()
    seeCall(seen, call, this.#kernel.api)
    const task = fromCall(call)
    if (task === undefined) return
    const session = sessionOf(task, seen.sessions)
    if (session !== undefined) this.#addQuietly(session)
    this.#addQuietly(task)
  }

  #happened(event: MachineEvent): void {
    if (!seeEvent(this.#open().seen, event)) return
    const given = fromBus(event)
    if (given !== undefined) this.#addQuietly(given)
  }

  async #add(given: Given): Promise<void> {
    const { seen, queue, key } = this.#open()
    const at = this.#kernel.clock.now()
    const event: OperationEvent = { ...anonymous(given, key), at }
    if (event.type === 'human_feedback') rate(seen, at, event.data['rating'])
    await queue.add(event)
  }

  /** Nobody waits for it. */
  #addQuietly(given: Given): void {
    this.#add(given).then(
      () => {
        this.#told = false
      },
      (thrown: unknown) => {
        if (!this.#told) this.#kernel.log.warn(`an event of an agent was not kept: ${reasonOf(thrown)}`)
        this.#told = true
      },
    )
  }

  // --- what is kept -----------------------------------------------------------------------------------------------------

  #baseline(): Baseline | undefined {
    const text = this.#open().store.kept('baseline')
    return text === undefined ? undefined : (JSON.parse(text) as Baseline)
  }

  /** Once a process: what it counts from then on is written over what was kept. */
  #restoreSpend({ seen, store }: Opened): void {
    if (!seen.spendRestored) seen.spend.restore(store.spend())
    seen.spendRestored = true
  }

  #forget(now: number): void {
    const { store } = this.#open()
    const { snapshots_days, snapshots_max, events_days, budget_days } = this.#config
    this.#saveSpend(now - (budget_days + 1) * DAY_MS)
    store.forget({
      snapshots_before: now - snapshots_days * DAY_MS,
      snapshots_max,
      events_before: now - events_days * DAY_MS,
    })
  }

  #saveSpend(first: number): void {
    const { seen, store } = this.#open()
    seen.spend.forget(first)
    store.saveSpend(seen.spend.toSave(), hourOf(first))
    seen.spend.saved()
  }

  #open(): Opened {
    if (this.#opened === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    return this.#opened
  }
}

const limited = (limit = LIMIT): number => Math.min(Math.max(1, Math.trunc(limit) || 1), LIMIT_MAX)
