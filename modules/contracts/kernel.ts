/**
 * What a kernel says about itself and what can be asked of it: the shapes that HTTP, the command line and the tools
 * print. What a kernel is to `run.ts` and to other kernels is `kernel-port.ts`.
 */
import type { ErrorData } from './errors.ts'
import type { PowersChange, SandboxReport, ScanReport } from './sandbox.ts'
import type { Json, JsonMap } from './seams.ts'
import type { MachineEvent } from './module.ts'

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

/** One entry of what became of kernels in this process, oldest first. */
export interface KernelChange {
  /** epoch milliseconds */
  at: number
  from: string
  to: string
  meta_file: string
  outcome: 'swapped' | 'refused' | 'taken_back' | 'confirmed'
  error: ErrorData | null
  /** for how long the main thread did nothing else, at the switch */
  pause_ms: number | null
}

/** `GET /api/kernel`. */
export interface KernelInfo extends KernelSource {
  prog: string
  uptime_s: number
  /** it may still be gone back from */
  on_probation: boolean
  /** meta files of the root, the one that is wanted first */
  versions: {
    meta_file: string
    version: string
    state: 'running' | 'wanted' | 'older' | 'refused'
    error: ErrorData | null
  }[]
  /** why newer ones were not started at boot */
  fallbacks: ErrorData[]
  history: KernelChange[]
}

export interface KernelSwapResult {
  ok: boolean
  from: string
  to: string
  error: ErrorData | null
  pause_ms: number | null
  ms: number
}

/** What a kernel is made from. Equal hashes mean the same kernel. */
export interface KernelSource {
  /** path of the meta file, from the root */
  meta_file: string
  /** name of the meta file's version; '0' when it has none */
  version: string
  /** hash of the meta file's text */
  config_hash: string
  /** content address of the kernel's whole source */
  source_key: string
}

export type FreezeScope = 'none' | 'self' | 'all'

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
  disk_config_hash: string | null
  /** what is on disk is not what runs */
  stale: boolean
  /** when the version that serves was kept, where it stands in for one on disk that does not start (epoch ms) */
  last_good: number | null
  sandboxed: boolean
  calls: number
  errors: number
  in_flight: number
  /** calls that wait for it to be live */
  queued: number
  /** versions that run: the live one and those that drain */
  generations: number
  /** since the process began, or the service appeared */
  reloads: number
  restarts: number
  tasks: number
  uptime_s: number
  last_error: ErrorData | null
  /** epoch milliseconds */
  last_error_at: number | null
  waiting_for: string[]
  needs: string[]
  description: string | null
  /** `domain:` of its config: what it is seen together with */
  domain: string | null
}

export interface ServiceDetail extends ServiceStatus {
  methods: MethodInfo[]
  aspects: string[]
  tools: { name: string; description: string; schema: JsonMap }[]
  latency_ms: { p50: number; p99: number } | null
  draining: { generation: number; in_flight: number }[]
  owned: TaskInfo[]
  /** null: it runs in the system's own process */
  sandbox: SandboxReport | null
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

/** Who calls whom, and how often: what versions that run now have counted. */
export interface Traffic {
  /** epoch milliseconds: two of these and their counts make a rate */
  at: number
  /** those that were called; `latency_ms` of the calls of the live version that were timed lately */
  services: { api: string; calls: number; errors: number; latency_ms: { p50: number; p99: number } | null }[]
  /** begins again when one of the two has a new version; a stream is in it while it is open */
  links: { caller: string; callee: string; calls: number; in_flight: number }[]
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
  /** what becomes of its powers; null: it runs in no sandbox, before and after, or nobody can read its text */
  powers: PowersChange | null
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

/** The files a service is made from. */
export interface ServiceSource {
  api: string
  which: 'live' | 'disk'
  /** null: on disk, or nothing serves */
  generation: number | null
  source_hash: string | null
  config_hash: string | null
  config_file: string | null
  /** its config appeared after the start of the process */
  added_later: boolean
  /** by path from the root, its config among them, as written */
  files: Record<string, string>
}

/** What a module takes as its config, for editors. */
export interface ConfigSchema {
  api: string
  config_file: string
  /** JSON Schema, draft 7, with the reserved keys */
  schema: JsonMap
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
  /** Lets a module out of quarantine, and starts it. Only for operators. */
  release(api: string): Promise<ReloadResult>
  /** What these files would touch; without files, what stands on disk and does not run. Touches nothing. */
  plan(files?: ProposedFile[]): PlannedChange[]
  /** The texts a service is made from: of the version that serves, or as they stand on disk. */
  source(api: string, which?: 'live' | 'disk'): ServiceSource
  /** What texts of modules ask for, and what in them a sandbox refuses. By path → text; nothing of it is run. */
  scan(texts: Record<string, string>, packages?: string[]): Promise<ScanReport>
  /** What the configs of live services may say. */
  schemas(): ConfigSchema[]
  /** Who calls whom, and how often and how fast. */
  traffic(): Traffic
  /** Effective values of all configs, or of one service. */
  configs(api?: string): EffectiveConfig[]
  tree(api?: string): string
  /** Versions of the kernel, and what became of them. */
  kernel(): KernelInfo
  /** Looks at the meta files and the kernel's source now, forgets what was refused, and swaps to the newest. */
  swap(): Promise<KernelSwapResult>
  prompt(path: string): { text: string; hash: string }
  /** every live service's tools, with their schemas */
  tools(): {
    api: string
    method: string
    description: string
    schema: JsonMap
    deadline_ms?: number
    read_only?: boolean
  }[]
  /** kept events with a greater id, oldest first */
  eventsSince(id: number, pattern?: string): MachineEvent[]
  /** events after `since_id`, then live ones, until the caller stops reading */
  events(pattern?: string, since_id?: number): AsyncGenerator<MachineEvent>
}
