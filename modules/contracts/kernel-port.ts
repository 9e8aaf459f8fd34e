/**
 * What stands between `run.ts` and a kernel, and between a kernel and the one after it. A second kernel beside
 * `modules/kernel/` has to fulfil `KernelPort` and to pass the conformance suite; `kernel-state.ts` is what it takes over.
 */
import type { CallsPort } from './calls.ts'
import type { ErrorData } from './errors.ts'
import type { CheckReport, FreezeScope, KernelSource, KernelStatus } from './kernel.ts'
import type { KernelState } from './kernel-state.ts'
import type { CallObserver } from './observe.ts'
import type { Clock, ContentCache, CodeOwner, CreateWatcher, FileSystem } from './seams.ts'
import type { JsonMap, Loader, Log, ModuleHost, Pulse, Scan } from './seams.ts'
import type { SandboxPort } from './sandbox-port.ts'
import type { AspectRoute, DesiredService, GenerationRecord } from './state.ts'

/** Everything a kernel is built from. `Kernel` may not reach for anything else outside. */
export interface KernelOptions {
  root: string
  /** absolute folder of the package: the second place where a `prog` is looked up */
  packageRoot: string
  /** path of the meta file that chose this kernel, from the root */
  metaFile: string
  /** the parsed meta file */
  meta: JsonMap
  /** what this kernel was made from: by the time it runs, the files may hold something else */
  madeFrom?: { source: KernelSource; scan: Scan } | undefined
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
  /** where the versions of a service run. @default the loader: in this process */
  hostOf?: ((service: DesiredService) => ModuleHost | undefined) | undefined
  /** where services with `sandbox:` run; without it they do not run at all */
  sandboxes?: SandboxPort | undefined
  /** tries a kernel where it can be killed; without it, a candidate is only loaded and constructed before the switch */
  vet?: VetKernel | undefined
  /** what `run.ts` tried before this kernel, newest first */
  fallbacks?: readonly ErrorData[]
}

/**
 * Runs a kernel in a thread on made-up services. `incumbent` is the file of the kernel that runs now, `texts` what it was
 * made from: on disk its files may be others by now, or gone. Rejects with a coded error; ends the thread in any case.
 */
export type VetKernel = (request: {
  metaFile: string
  incumbent: string
  texts?: ReadonlyMap<string, string>
}) => Promise<void>

export interface KernelClass {
  new (options: KernelOptions): KernelPort
}

/**
 * The face every kernel version shows to `run.ts`, to the switchboard and to the kernel before and after it.
 *
 * A hand-over: `pause` the old one, `exportState`, `letGo`, and in the same tick `adopt` by the new one. Calls go on
 * all the time: until the new one has installed its functions, those of the old one serve. Going back is the same with
 * the parts exchanged.
 */
export interface KernelPort {
  readonly version: string
  /** the versions of `KernelState` it can take over; it writes the highest that both sides know */
  readonly reads: { readonly from: number; readonly to: number }
  /** Resolves when the first reconcile is planned and `kernel` answers; never waits for services. Rejects if it cannot. */
  boot(): Promise<void>
  /** Resolves when every service of the first plan has reached a state in which it can rest. */
  settled(): Promise<void>
  /**
   * Resolves once after each boot or adoption: null after an orderly stop, else the kernel that has taken over. Asked
   * for before the end, or once after it: a kernel that is gone does not hold those that came after it.
   */
  waitForShutdown(): Promise<NextKernel | null>
  /** Stops all services in reverse order of their needs, within `deadline_ms`. Never rejects; idempotent. */
  stop(reason: string, deadline_ms: number): Promise<void>
  status(): KernelStatus
  /** What is wrong in the root, without starting anything. For a kernel that is constructed and not booted. */
  check(): Promise<CheckReport>
  /** An error nobody caught. Must not throw. Returns the service it was counted against, if any. */
  fault(thrown: unknown, kind: 'exception' | 'rejection', owner?: CodeOwner): string | undefined
  /** How it fares: asked four times a second while a kernel is on probation. May reject: it is not well. */
  health(): Promise<KernelHealth>
  /** Begins nothing new and resolves when nothing is under way; calls go on. Rejects with `kernel_busy`, and goes on. */
  pause(deadline_ms: number): Promise<void>
  /** Takes back `pause`, when nobody has taken over. */
  resume(): void
  /**
   * Everything the next kernel needs: plain data and live references, passed and not copied. Synchronous; changes
   * nothing. Throws `kernel_state` when there is no version of it that both sides know.
   */
  exportState(reads: KernelPort['reads']): KernelState
  /** Ends its own loops, timers and waits in this tick; what it has installed goes on serving. Must not throw. */
  letGo(): void
  /**
   * Takes over in the tick of the call: handles, queues, timers, drains; no module is constructed. Throws or rejects
   * when it cannot. Resolves when its first look at the files is done.
   */
  adopt(state: KernelState): Promise<void>
  /** This version was gone back from: it is not tried again until its files change. Must not throw. */
  refuseKernel(source: KernelSource, error: ErrorData): void
}

/** A kernel that was loaded, with what drops its code. */
export interface NextKernel {
  kernel: KernelPort
  source: KernelSource
  /** what it was given at the switch, for the way back from a kernel that cannot be asked */
  given?: KernelState
  /** drops its code; called when it will never run again */
  release(): void
}

/** Counters grow for ever; who watches compares two readings. */
export interface KernelHealth {
  /** the reconcile loop looks, and the services it knows answer to it */
  ok: boolean
  /** why not */
  reason: string | null
  /** late errors nobody but the kernel can be blamed for */
  unattributed_faults: number
  calls: number
  /** calls the kernel refused or whose service failed them */
  failed_calls: number
}

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
  /** the slow path of calls, for what was made under an earlier kernel; a kernel sets it */
  calls: CallsPort | undefined
  /** values of configs that are secrets: they are taken out of what is told of errors */
  readonly secrets: Set<string>
  /** who hears of calls, with the version that asked to; only those of versions that serve are told */
  readonly observers: Set<{ readonly owner: GenerationRecord; readonly observer: CallObserver }>
  /** who runs: set by a kernel at its boot and when it takes over. One that is gone sends what reaches it there. */
  kernel: KernelPort | undefined
  /** set by `run.ts` while the running kernel may still be gone back from */
  probation: boolean
  /** a kernel has taken over and is not accepted yet: it may not hand over itself */
  handingOver: boolean
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
