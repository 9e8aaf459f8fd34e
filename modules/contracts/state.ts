/**
 * The kernel's state, as plain records with live references. A kernel's parts are functions over these records, so a
 * newer kernel can take them over without constructing any module again. Nothing here has behavior or hidden fields.
 */
import type { ErrorData } from './errors.ts'
import type { GenerationState, MethodInfo, ReloadMode, ReloadResult, ServiceState } from './kernel.ts'
import type { Deferral, KeptVersion, LastGoodUse, RefusedAttempt, StoodDown, SupervisionRecord } from './changes.ts'
import type { QueuedCall } from './calls.ts'
import type { Clock, CodeOwner, Evaluated, JsonMap, Scan } from './seams.ts'
import type { KernelApi, ModuleInstance, Release } from './module.ts'

/** What one config file asks for, after defaults, before `${ENV}` and `secret:` are filled in. */
export interface DesiredService {
  api: string
  prog: string
  /** path of the file, from the root */
  file: string
  /** path without version and extension: versions of one config share it */
  base: string
  version: string | null
  /** what the module gets */
  params: JsonMap
  needs: string[]
  reload: 'overlap' | 'quiesce' | undefined
  limits: Record<string, number>
  grants: unknown
  sandbox: unknown
  restart: unknown
  record: unknown
  domain: string | undefined
  description: string | null
  /** hash over everything above that matters to the running service */
  hash: string
}

/** A caller as a callee knows it. `stopped` turns true when its generation ends; its calls are refused then. */
export interface CallerRecord {
  readonly api: string
  readonly generation: number
  stopped: boolean
  /** handles given to it, by `api aspect` */
  readonly handles: Map<string, HandleRecord>
  /** its calls that are, or were lately, under way */
  readonly edges: Set<Edge>
  /** its calls that wait in a queue, by the service they wait for */
  readonly waiting: Map<string, number>
  /** while its init() runs: names that were not there, services it waits for, and those replaced together with it */
  starting: { missing: Set<string>; waitsFor: Set<string>; together?: Set<string> } | undefined
}

/** What admits calls: one object a generation, replaced when a kernel is replaced. Compared by identity. */
export interface Admission {
  readonly generation: GenerationRecord | undefined
}

/** One method of one aspect of a service. The switch rewrites it; forwarders read it at each call. */
export interface Cell {
  readonly method: string
  fn: (...args: unknown[]) => unknown
  self: unknown
  kind: 'call' | 'stream' | 'gone'
  admission: Admission
}

/** The calls of one handle to one generation. The hot path touches only `admission`, `calls` and `open`. */
export interface Edge {
  /** the generation's, or `SAMPLING` when the next call is to be timed */
  admission: Admission
  calls: number
  open: number
  readonly caller: CallerRecord
  readonly callee: string
  readonly generation: GenerationRecord
  /** `calls` at the last tick, and when it last grew (epoch milliseconds) */
  seenCalls: number
  lastUsedAt: number | null
  /** its handle points elsewhere now: folded into the generation when the last call ends */
  replaced: boolean
  /** somebody has to know when a call ends: it was replaced, or its generation drains */
  watched: boolean
  ok: () => void
  failed: (thrown: unknown) => void
}

/** A handle's own fields; everything else is on its prototype. No method can have a name with an underscore first. */
export interface HandleRecord {
  _caller: CallerRecord
  _edge: Edge | undefined
  /** calls of edges before the present one */
  _used: number
}

/** A `KernelApi` object and its `events` as the methods on the switchboard's prototypes find them behind `this`. */
export interface OwnedApi {
  readonly _owner: GenerationRecord
}

export interface AspectRoute {
  readonly api: string
  readonly aspect: string
  readonly prototype: object
  readonly cells: Map<string, Cell>
  /** the edge of calls without a handle */
  loose: HandleRecord
}

export interface Method {
  info: MethodInfo
  fn: (...args: unknown[]) => unknown
  self: unknown
}

export interface AspectContract {
  methods: Map<string, Method>
  /** names that are there and are no methods, for a clear refusal */
  values: Set<string>
}

export interface ToolContract {
  method: string
  description: string
  schema: JsonMap
  deadline_ms?: number
  read_only?: boolean
}

/** What a generation offers, read once before it goes live. */
export interface Contract {
  aspects: Map<string, AspectContract>
  tools: ToolContract[]
}

/** One version of a service. */
export interface GenerationRecord {
  readonly owner: CodeOwner
  readonly api: string
  readonly number: number
  /** replaced only by a config that differs in volatile keys, which `configure` delivered */
  desired: DesiredService
  readonly scan: Scan
  configText: string | undefined
  /** how it is replaced, what its state is called and how long it may drain, read from its class */
  mode: ReloadMode
  stateVersion: string
  drainMs?: number
  readonly caller: CallerRecord
  /** replaced when a kernel is replaced: every edge then takes the slow path once, and gets new functions */
  admission: Admission
  state: GenerationState
  evaluated: Evaluated | undefined
  kernelApi: KernelApi | undefined
  instance: ModuleInstance | undefined
  needs: readonly string[]
  contract: Contract | undefined
  readonly isolator: IsolatorState
  /** the handles that call it */
  readonly edges: Set<Edge>
  /** calls that came by no edge, or by edges that are gone */
  calls: number
  errors: number
  /** open calls that came by no edge */
  inFlight: number
  /** called each time a call has ended, while somebody waits for the last one */
  onIdle: (() => void) | undefined
  /** monotonic ms at which a version that drains is ended, whatever is still open */
  drainUntil: number | undefined
  /** last sampled latencies, milliseconds, as a ring */
  latencies: number[]
  latencyNext: number
  /** monotonic milliseconds */
  startedAt: number
  liveAt: number | undefined
  /** monotonic ms since when these very sources have been live: restarts of the same version do not renew it */
  versionSince: number | undefined
  /** set when a newer candidate makes this one pointless */
  abandoned: boolean
  onAbandon: (() => void) | undefined
  /** the services that switch in the same tick as this candidate, itself included */
  group?: ReadonlySet<string>
}

export interface TaskRecord {
  readonly label: string
  /** monotonic milliseconds */
  readonly startedAt: number
  /** never rejects */
  done: Promise<void>
}

export interface OwnedRecord {
  readonly label: string
  readonly since: number
  release: Release
}

/** Background work that can be started again after a reload that was put off. */
export interface BackgroundRecord {
  readonly label: string
  readonly work: (signal: AbortSignal) => unknown
  /** it runs now */
  running: boolean
  /** it was to be started while it still ran: it starts when it has ended */
  again: boolean
}

/** What a generation owns. */
export interface IsolatorState {
  readonly tasks: Set<TaskRecord>
  readonly owned: Set<OwnedRecord>
  readonly background: Set<BackgroundRecord>
  /** aborts tasks; renewed when they are started again */
  readonly taskAbort: AbortController
  /** aborts everything that waits, when the generation ends */
  readonly endAbort: AbortController
  /** both are made for the first who asks: most versions have nothing that waits */
  tasksController: AbortController | undefined
  endController: AbortController | undefined
  errorCount: number
  /** epoch milliseconds */
  lastErrorAt: number | null
  readonly api: string
  /** not a kernel's own: what a module waits for goes on when kernels change */
  readonly clock: Clock
  /** Told each error of work that no caller waits for; replaced by the kernel that takes over. Must not throw. */
  onError: (thrown: unknown, label: string, what: FaultKind) => void
}

/** What work that began under one kernel calls on its isolator under the next, which puts methods of its own there. */
export interface IsolatorMethods {
  /** Rejects with `stopped` when `signal` aborts or the generation ends. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  startOne(record: BackgroundRecord): void
  /** Aborts what waits and releases what is owned, last acquired first. Never rejects. */
  end(): Promise<void>
}

/** Where an error came from: work that has ended by it, one turn of timed work, a subscriber to events. */
export type FaultKind = 'task' | 'turn' | 'subscriber'

/** A resource the service holds over its generations. */
export interface HeldRecord {
  readonly key: string
  readonly since: number
  resource: Promise<unknown>
  release: (resource: never) => unknown
  /** generations that asked for it; when the last one ends without a successor having asked, it is released */
  users: Set<GenerationRecord>
}

export interface ServiceRecord {
  readonly api: string
  desired: DesiredService | undefined
  state: ServiceState
  live: GenerationRecord | undefined
  candidate: GenerationRecord | undefined
  draining: Set<GenerationRecord>
  lastNumber: number
  /** Not tried again until a hash changes, or what it waits for is live. */
  refusedAttempt: RefusedAttempt | undefined
  deferral: Deferral | undefined
  kept: KeptVersion | undefined
  stoodDown?: StoodDown | undefined
  lastGood: LastGoodUse | undefined
  /** a movement under way leads back: that it is not what the files ask for does not make it out of date */
  goingBack: boolean
  supervision: SupervisionRecord
  /** text of the config file as it was last read */
  configText: string | undefined
  /** its config appeared after the boot, and its first version has not failed */
  addedLater: boolean
  queue: QueuedCall[]
  /** the services that become quiet together with it, itself included, while they do */
  quietWith: ReadonlySet<string> | undefined
  held: Map<string, HeldRecord>
  waitingFor: string[]
  /** why what is on disk is not what runs */
  refusal: ErrorData | undefined
  /** the last error of the service's own code, and when (epoch milliseconds) */
  lastError: ErrorData | null
  lastErrorAt: number | null
  /** calls and errors of generations that ended */
  pastCalls: number
  pastErrors: number
  /** calls refused by the kernel, not failed by the service itself */
  refusedCalls: number
  reloads: number
  /** the last look at the source, for disk_hash and for telling which files belong to the service */
  scan: Scan | undefined
  /** a file of the service may have changed since `scan` */
  dirty: boolean
  /** a movement is under way; another one waits */
  busy: boolean
  /** those who asked for a reload that has not begun */
  reloadWaiters: ((result: ReloadResult) => void)[]
  /** monotonic ms since when the desired state asks for a stop or another prog */
  graceSince: number | undefined
  lastFailedEventAt: number
}
