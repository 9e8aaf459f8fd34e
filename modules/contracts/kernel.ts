/**
 * What stands between `run.ts` and a kernel, and what a kernel says about itself. A second kernel beside
 * `modules/kernel/` has to fulfil `KernelPort`; the shapes below it are the ones HTTP and the command line print.
 */
import type { ErrorData } from './errors.ts'
import type { Clock, ContentCache, CodeOwner, CreateWatcher, FileSystem } from './seams.ts'
import type { Json, JsonMap, Loader, Log, Pulse } from './seams.ts'
import type { MachineEvent } from './module.ts'
import type { AspectRoute } from './state.ts'

export type ServiceState =
  | 'waiting'
  | 'starting'
  | 'live'
  | 'switching'
  | 'draining'
  | 'stopped'
  | 'failed'
  | 'tripped'
  | 'quarantined'

export type GenerationState = 'starting' | 'ready' | 'live' | 'draining' | 'stopped' | 'failed'

/** Everything a kernel is built from. `Kernel` may not reach for anything else outside. */
export interface KernelOptions {
  root: string
  /** absolute folder of the package: the second place where a `prog` is looked up */
  packageRoot: string
  /** path of the meta file that chose this kernel, from the root */
  metaFile: string
  /** the parsed meta file */
  meta: JsonMap
  loader: Loader
  switchboard: Switchboard
  clock: Clock
  fs: FileSystem
  log: Log
  /** kernel, http and filesystem only */
  safe: boolean
  /** what earlier starts worked out */
  cache?: ContentCache
  /** who looks whether the main thread stands still */
  pulse?: Pulse | undefined
  /** what hears that files change. @default the operating system's watches */
  watcher?: CreateWatcher | undefined
}

export interface KernelClass {
  new (options: KernelOptions): KernelPort
}

/** The face every kernel version shows to `run.ts` and to the switchboard. */
export interface KernelPort {
  readonly version: string
  /** Resolves when the first reconcile is planned and `kernel` answers; never waits for services. Rejects if it cannot. */
  boot(): Promise<void>
  /** Resolves when every service of the first plan has reached a state in which it can rest. */
  settled(): Promise<void>
  /** Resolves once: null after an orderly stop. */
  waitForShutdown(): Promise<null>
  /** Stops all services in reverse order of their needs, within `deadline_ms`. Never rejects; idempotent. */
  stop(reason: string, deadline_ms: number): Promise<void>
  status(): KernelStatus
  /** What is wrong in the root, without starting anything. For a kernel that is constructed and not booted. */
  check(): Promise<CheckReport>
  /** An error nobody caught. Must not throw. Returns the service it was counted against, if any. */
  fault(thrown: unknown, kind: 'exception' | 'rejection', owner?: CodeOwner): string | undefined
}

export type FreezeScope = 'none' | 'self' | 'all'

/**
 * The cell all handles and `KernelApi` objects go through. It is made by `run.ts` and outlives every kernel: the
 * prototypes in it stay, a kernel installs its functions on them.
 */
export interface Switchboard {
  /** Set from `runtime/FREEZE` by `run.ts` only: `self` stops changes of origin self, `all` stops file edits too. */
  frozen: FreezeScope
  /** api → aspect → prototype object of all handles to it */
  readonly routes: Map<string, RouteRecord>
  /** what all handles inherit from; a kernel installs the methods */
  readonly handleBase: object
  /** answers a name no handle has; a kernel sets it. Must not throw. */
  onMiss: ((handle: object, name: string) => unknown) | undefined
  /** the way in for held resources: calls a method of the service that holds them; a kernel sets it */
  onRoute: ((api: string, method: string, args: unknown[]) => Promise<unknown>) | undefined
  /** what a version is made from; a kernel sets it. Asked while everything stands still: it only reads. */
  versionOf: ((owner: CodeOwner) => { source_key: string; config_hash: string } | undefined) | undefined
  /** prototypes of every `KernelApi` object and its `events`; a kernel installs the methods */
  readonly kernelApiBase: object
  readonly eventsBase: object
}

/** The prototypes of one service's handles, by aspect. */
export interface RouteRecord {
  readonly api: string
  readonly aspects: Map<string, AspectRoute>
}

// --- what a kernel says about itself -----------------------------------------------------------------------------

export interface MethodInfo {
  name: string
  kind: 'call' | 'stream'
  /** number of declared parameters */
  length: number
}

export interface TaskInfo {
  label: string
  kind: 'task' | 'owned' | 'held'
  age_ms: number
}

export interface ServiceStatus {
  api: string
  prog: string
  state: ServiceState
  generation: number | null
  /** path of the config file, from the root */
  config_file: string
  source_file: string | null
  source_hash: string | null
  config_hash: string | null
  /** hash of the source as it is on disk now */
  disk_hash: string | null
  /** what is on disk is not what runs */
  stale: boolean
  sandboxed: boolean
  calls: number
  errors: number
  in_flight: number
  tasks: number
  uptime_s: number
  last_error: ErrorData | null
  /** epoch milliseconds */
  last_error_at: number | null
  waiting_for: string[]
  needs: string[]
  description: string | null
}

export interface ServiceDetail extends ServiceStatus {
  methods: MethodInfo[]
  aspects: string[]
  tools: { name: string; description: string; schema: JsonMap }[]
  latency_ms: { p50: number; p99: number } | null
  draining: { generation: number; in_flight: number }[]
  owned: TaskInfo[]
}

export interface ReloadResult {
  ok: boolean
  /** the generation that serves now */
  generation: number | null
  error: ErrorData | null
  rolled_back: boolean
  /** what became of the module's state; `none` when there was no earlier version */
  state: 'carried' | 'restored' | 'lost' | 'none'
  /** the generation that served before */
  from: number | null
  /** from noticing the change to serving */
  ms: number
  /** calls the kernel had to refuse meanwhile */
  failed_calls: number
  /** it is put off: asked for from within the service, or its calls and tasks did not end in time; it is tried again */
  deferred: boolean
}

/** How the calls and the state of a service meet a new version. */
export type ReloadMode = 'overlap' | 'quiesce' | 'exclusive'

/** What a change would touch: one entry a service, before anything happens. */
export interface PlannedChange {
  api: string
  change: 'start' | 'reload' | 'configure' | 'stop' | 'none'
  /** the generation that serves now */
  generation: number | null
  /** files that differ from what runs, from the root */
  files: string[]
  /** config keys that differ from what runs */
  keys: string[]
  mode: ReloadMode | null
  /** what would become of the module's state */
  state: 'carried' | 'lost' | 'none'
  /** other services that would be switched in the same tick */
  together_with: string[]
  /** services that call it now, and those that need it */
  callers: string[]
  in_flight: number
  /** why it would be refused, as far as it can be told without running it */
  error: ErrorData | null
}

/** A file that stands before a plan is made: `text` is what it would hold, null when it would be gone. */
export interface ProposedFile {
  /** from the root */
  path: string
  /** absent: the file as it stands, taken as changed */
  text?: string | null
}

/** What a service is configured with, and where each value comes from. Secrets and `${ENV}` are shown as written. */
export interface EffectiveConfig {
  api: string
  file: string
  prog: string
  /** versions of this config that lost to `file` */
  shadowed: string[]
  values: { key: string; value: Json; origin: string }[]
  error: ErrorData | null
}

export interface CheckReport {
  services: number
  errors: ErrorData[]
}

export interface KernelStatus {
  version: string
  prog: string
  meta_file: string
  status: 'ok' | 'starting' | 'degraded' | 'stopping'
  frozen: FreezeScope
  uptime_s: number
  services: Record<string, { state: ServiceState; generation: number | null }>
  /** config files that could not be used, with their place */
  config_errors: ErrorData[]
}

/** The reserved service `kernel`, as a handle shows it. Changing methods are refused to an unknown caller. */
export interface KernelServiceApi {
  status(): KernelStatus
  services(): ServiceStatus[]
  show(api: string): ServiceDetail
  reload(api: string): Promise<ReloadResult>
  /** Back to the version before, which is kept in memory; the disk stays as it is, and its version is refused. */
  rollback(api: string): Promise<ReloadResult>
  /** Back to the bytes before the last change, on disk too. Refused with `file_changed` when a file has moved on. */
  undo(api: string): Promise<ReloadResult>
  /** What these files would touch; without files, what stands on disk and does not run. Touches nothing. */
  plan(files?: ProposedFile[]): PlannedChange[]
  /** Effective values of all configs, or of one service. */
  configs(api?: string): EffectiveConfig[]
  tree(api?: string): string
  prompt(path: string): { text: string; hash: string }
  /** every live service's tools, with their schemas */
  tools(): { api: string; method: string; description: string; schema: JsonMap }[]
  /** kept events with a greater id, oldest first */
  eventsSince(id: number, pattern?: string): MachineEvent[]
  /** events after `since_id`, then live ones, until the caller stops reading */
  events(pattern?: string, since_id?: number): AsyncGenerator<MachineEvent>
}
