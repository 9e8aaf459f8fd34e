/**
 * A version of a service beside the one that serves, for calls nobody waits for: replay, and the checks of changes. It
 * has no way to other services, events or held resources but `answer`. In a sandbox that is all it can do; in this process
 * its packages and `node:` are real, so code that nobody has approved is tried in a sandbox only.
 */
import type { ErrorData } from './errors.ts'
import type { MethodInfo } from './kernel.ts'
import type { GuestLimits } from './sandbox.ts'
import type { ToolContract } from './state.ts'

export interface TrialRequest {
  api: string
  /**
   * `live`: what serves, once more; `disk`: the source as it stands; a hash, or the first eight signs of one: a version
   * that is still kept; a path from the root: another source with the same config
   */
  version: string
  /** over that version: path from the root → what the file would hold; null: it is gone */
  texts?: Readonly<Record<string, string | null>>
  /** another entry than the service's: a path from the root, on disk or among `texts` */
  entry?: string
  /** in an isolate of a process of its own, also where the service itself runs in this process */
  sandbox?: boolean
  /** of that sandbox, where they are to differ from the service's own */
  limits?: Partial<GuestLimits>
  /** its background work runs: `run()`, `spawn`, `every`, `cron` */
  tasks?: boolean
  /** answers what the version calls of others. What it throws or rejects with is what the version gets. */
  answer(call: TrialCall): unknown
}

export interface TrialCall {
  api: string
  aspect: string
  method: string
  args: unknown[]
}

/** What a version offers, as plain data. */
export interface TrialContract {
  methods: MethodInfo[]
  tools: ToolContract[]
  /** lifecycle methods it has */
  lifecycle: string[]
  state_version: string
}

export interface TrialEnd {
  /** its tasks had ended in time when they were told to */
  tasks_ended: boolean
  shutdown_ms: number
  /** how `shutdown()` failed; null: it did not */
  error: ErrorData | null
}

export interface Trial {
  readonly source_hash: string
  readonly config_hash: string
  readonly contract: TrialContract
  /** errors nobody awaited: of timers, rejections, background work */
  readonly faults: ErrorData[]
  /** Rejects as the method does; with `method_not_found` where it has none. */
  call(aspect: string, method: string, args: readonly unknown[]): Promise<unknown>
  /** Methods of another aspect than `default` and `tool`; null when it has none of this name. */
  aspect(name: string): Promise<MethodInfo[] | null>
  selfTest(): Promise<void>
  /** Rejects as the method does. undefined where it has none. */
  handOver(): Promise<unknown>
  takeOver(state: unknown, version: string): Promise<void>
  /** since it began; null: it runs in this process, where nobody counts */
  usage(): Promise<{ cpu_ms: number; heap_bytes: number } | null>
  /** Ends it and what it owns. Never rejects. */
  end(): Promise<TrialEnd>
}
