/**
 * The contract between a module and the kernel: what a module may export, and what it is given. Authors read this
 * file; `modules/example.ts` shows it in use.
 */
import type { CallObserver } from './observe.ts'
import type { Clock, Log } from './seams.ts'
import type { Trial, TrialRequest } from './trial.ts'

/** The config a module's constructor gets: the file's own keys, overlaid by `params:`. */
export type ModuleConfig = Record<string, unknown>

export interface ModuleClass {
  new (kernel: KernelApi, config: never): ModuleInstance
  /** Services that must be live before this one is constructed. */
  readonly needs?: readonly string[]
  /** How a reload meets calls in flight. Default: `quiesce` when `handOver` exists, else `overlap`. */
  readonly reload?: 'overlap' | 'quiesce'
  /** Two versions cannot stand side by side: the old one is ended first, and built again if the new one fails. */
  readonly exclusive?: boolean
  /** How long its calls may take, ms: an old version drains as long. `limits: {drain_ms}` of a config goes before it. */
  readonly drain_ms?: number
  /** Names the shape of what `handOver` returns; the next version's `takeOver` is told it. Default `'1'`. */
  readonly version?: string
}

/**
 * Every method is optional. The kernel calls the lifecycle ones in this order: constructor, init, selfTest, takeOver,
 * [switch], run … handOver, shutdown; each at most once a version, except `run` (again after a reload that was put
 * off), `handOver` and `configure`. All other public methods are the service's interface.
 */
export interface ModuleInstance {
  /** Acquire what is needed. May throw or reject: this version is dropped and the old one keeps serving. */
  init?(): unknown
  /** Throw to refuse going live. Must not change anything outside. */
  selfTest?(): unknown
  /** Background work; ends when `signal` aborts. May reject: a fault of this service. Never called twice at once. */
  run?(signal: AbortSignal): unknown
  /**
   * New values of the keys the schema marks `.meta({ volatile: true })`, without a new version. Synchronous. May throw:
   * the change is refused and the earlier values are delivered again.
   */
  configure?(next: never): unknown
  /**
   * A structured-cloneable copy of the state, for the version that follows. Synchronous; called when no call and no
   * task is under way. May throw: this version goes on serving with its state. May be called more than once.
   */
  handOver?(): unknown
  /** The state another version handed over, already a copy. Synchronous. May throw: that version serves on. */
  takeOver?(state: unknown, fromVersion: string): unknown
  /** Called after the last call has ended, with a deadline. May throw: recorded, and the release goes on. */
  shutdown?(): unknown
  /** Another interface by name; `default` is the instance. Return undefined for a name you do not have. */
  getAspect?(name: string): object | undefined
}

/** What a module holds of another service: late-bound to its live version. Every call returns a Promise. */
export type Handle<T extends object = UntypedService> = {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (...args: infer A) => infer R
    ? R extends AsyncGenerator<infer Item>
      ? (...args: A) => AsyncGenerator<Item>
      : (...args: A) => Promise<Awaited<R>>
    : never
} & HandleMethods<T>

export type UntypedService = Record<string, (...args: unknown[]) => unknown>

/** What tells that a caller gives up: an `AbortSignal`, or something smaller. */
export interface CallSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export interface CallOptions {
  /** milliseconds after which the caller gets `deadline_exceeded`; the callee is not stopped */
  deadlineMs?: number
  signal?: CallSignal
  /** a place in a trace, which joins the calls of one request: `newTrace()`, or `placeUnder(place, span)` */
  trace?: string
  /** the id of this call in its trace, for who tells the callee its place: `newSpan()` */
  span?: string
  /** resolve a `DetailedResult` instead of the result */
  detail?: boolean
}

export interface DetailedResult<R = unknown> {
  result: R
  generation: number
  /** what the version that answered is made from: its whole source, and its config; null when nobody answered */
  sourceHash: string | null
  configHash: string | null
  traceId: string | undefined
}

export interface HandleStats {
  api: string
  aspect: string
  access_count: number
  /** epoch milliseconds */
  last_access: number | null
  in_flight: number
  errors: number
  /** sampled, milliseconds */
  latency_ms: { p50: number; p99: number } | null
}

export interface HandleMethods<T extends object> {
  /** A handle to another aspect. The first handle does not change. */
  as<A extends object = UntypedService>(aspect: string): Handle<A>
  /** A handle whose calls carry options. The first handle does not change. */
  with(options: CallOptions & { detail: true }): Handle<DetailedService>
  with(options: CallOptions): Handle<T>
  getStats(): HandleStats
}

export type DetailedService = Record<string, (...args: unknown[]) => DetailedResult>

/** Releases what was acquired. May be called more than once; the second time does nothing. */
export type Release = () => void | Promise<void>

/** Calls a method of the service that holds the resource, through its live version; `_private` names are allowed. */
export type Route = (method: string, ...args: unknown[]) => Promise<unknown>

export interface Prompt {
  text: string
  hash: string
}

export interface MachineEvent {
  /** grows by one with each event of this process */
  id: number
  /** dotted name, as `service.live` */
  type: string
  /** epoch milliseconds */
  time: number
  data: Record<string, unknown>
}

export interface EventsApi {
  /** `service.live`, `service.*` or `*`. The callback may throw or be slow: others do not notice. */
  on(pattern: string, callback: (event: MachineEvent) => void): Release
  /** The type is prefixed with nothing: choose a name of your own, as `tool.called`. */
  emit(type: string, data?: Record<string, unknown>): void
}

export interface PathsApi {
  root: string
  configs: string
  modules: string
  prompts: string
  runtime: string
}

/** Names of services and what they offer: empty here, filled for a root by `mm types`. */
// oxlint-disable-next-line typescript/no-empty-object-type -- declarations are merged into it
export interface Services {}

/** What the kernel gives to a module. Everything acquired here is owned by this version and released with it. */
export interface KernelApi {
  readonly api: string
  readonly generation: number
  /** Returns at once, also before the service exists. */
  getApi<K extends keyof Services>(api: K): Handle<Services[K]>
  getApi<T extends object = UntypedService>(api: string): Handle<T>
  /** Owns something: `release` runs when this version ends, last acquired first. Returns it for earlier use. */
  own(release: Release | Disposable | AsyncDisposable, label: string): Release
  /**
   * A resource owned by the service, shared by its versions: made by the first that asks for `key`, released when
   * the service goes. `create` must hold on to `route` only, never to an instance.
   */
  hold<T>(key: string, create: (route: Route) => T | Promise<T>, release: (resource: T) => unknown): Promise<T>
  /** Background work like run(): its failure is a fault of this service; it is aborted before a new version runs. */
  spawn(label: string, work: (signal: AbortSignal) => unknown): void
  /** Resolves after `ms`; rejects with code `stopped` when `signal` aborts or this version ends. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `work` every `ms`, never overlapping itself. */
  every(ms: number, work: () => unknown, label?: string): Release
  /** Calls `work` at the times of a cron pattern (seconds allowed), never overlapping itself. */
  cron(pattern: string, work: () => unknown, label?: string): Release
  /** Hears of calls between services while this version serves: see `contracts/observe.ts`. */
  observe(observer: CallObserver): Release
  /** Builds a version of a service beside the one that serves: see `contracts/trial.ts`. Ends with this version at the latest. */
  tryVersion(request: TrialRequest): Promise<Trial>
  /** The text of a file, by its path from the root as `prompts/meta.txt`; read anew when it changed. */
  prompt(path: string): Prompt
  readonly log: Log
  readonly events: EventsApi
  readonly paths: PathsApi
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
}
