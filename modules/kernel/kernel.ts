/**
 * Class Kernel: the facade that joins the parts and fulfils `KernelPort`. Decisions are in the pure parts
 * (`configs`, `reconcile`), effects in one place each (`switch`, `generation`, `watch`); this file only connects them.
 */
import { join } from 'node:path'
import type { ErrorData } from '../contracts/errors.ts'
import type { CheckReport, KernelOptions, KernelPort, KernelStatus, ReloadResult } from '../contracts/kernel.ts'
import type { CodeOwner, JsonMap } from '../contracts/seams.ts'
import type { CallerRecord, DesiredService, ServiceRecord } from '../contracts/state.ts'
import { coded, describeError, toErrorData } from '../lib/errors.ts'
import { FileCache, type CachedFile } from '../lib/file-cache.ts'
import { readMeta } from '../lib/meta-files.ts'
import { shownPath } from '../lib/shown-path.ts'
import { parseVersionName } from '../lib/version-name.ts'
import { dependsOn, waitingFor } from './admission.ts'
import { Calls } from './calls.ts'
import { checkRoot } from './check.ts'
import { effectiveConfigs } from './effective.ts'
import { registerKernelService, routeHeld } from './builtin.ts'
import { EventBus } from './events.ts'
import { Faults } from './faults.ts'
import { ModuleHandle } from './handle.ts'
import { installKernelApi } from './kernel-api.ts'
import { KernelService, type KernelActions } from './kernel-service.ts'
import { kernelStatus } from './kernel-status.ts'
import { Journal } from './journal.ts'
import { LIMITS, SERVICE_LIMITS, withLimits, type Limits } from './limits.ts'
import type { Machine } from './machine.ts'
import { Reconciler } from './reconciler.ts'
import { planChanges } from './planned.ts'
import { deferredReload } from './refuse.ts'
import { RefusedVersions } from './refused-versions.ts'
import { indexLockOf } from './repository.ts'
import { Reports } from './reports.ts'
import { SecondTries } from './second-tries.ts'
import { versionOf } from './service.ts'
import { stopAll } from './stop-all.ts'
import { Supervisor } from './supervisor.ts'
import { WaysBack } from './ways-back.ts'
import { Bell } from './watch.ts'

/** Progs only the package may provide; a root shadows them only through the meta file's `overrides:`. */
const PROTECTED = ['kernel', 'loader', 'control/policy', 'control/approvals', 'control/ledger']
const SAFE_PROGS = new Set(['services/http', 'services/filesystem', 'http', 'filesystem'])

const asMap = (value: unknown): JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonMap) : {}

export class Kernel implements KernelPort, Machine {
  readonly version: string
  readonly options: KernelOptions
  readonly services = new Map<string, ServiceRecord>()
  readonly events: EventBus
  readonly calls: Calls
  readonly secondTries: SecondTries
  limits: Limits
  planned = false
  stopping = false
  private meta: JsonMap
  private readonly cache: FileCache
  readonly faults: Faults
  private readonly reconciler: Reconciler
  private readonly waysBack: WaysBack
  private readonly refusedVersions: RefusedVersions
  private readonly bell: Bell
  private readonly bornAt: number
  /** prompts that were read → the content they had */
  private readonly promptHashes = new Map<string, string | undefined>()
  private readonly reports: Reports
  private stopped: Promise<void> | undefined
  private announceStop: (value: null) => void = () => {}
  private readonly whenStopped: Promise<null>

  constructor(options: KernelOptions) {
    this.options = options
    this.meta = options.meta
    const name = parseVersionName(options.metaFile.split('/').at(-1) ?? '')
    this.version = (name === 'invalid' ? null : name?.version) ?? '0'
    this.limits = withLimits(LIMITS, asMap(this.meta['limits']))
    const { clock, fs, log } = options
    this.bornAt = clock.monotonic()
    this.cache = new FileCache(fs, clock)
    this.events = new EventBus({
      clock,
      kept: this.limits.events_kept,
      onThrow: (thrown, pattern) => log.warn(`a subscriber of ${pattern} threw: ${String(thrown)}`),
    })
    this.calls = new Calls(this)
    this.secondTries = new SecondTries(this)
    const supervisor = new Supervisor(this, {
      rollback: (api, reason) => this.waysBack.rollback(api, reason),
      reload: (api) => this.reconciler.reload(api),
    })
    this.faults = new Faults(this, supervisor)
    this.reports = new Reports(this)
    const journal = new Journal(this)
    this.refusedVersions = new RefusedVersions(this)
    this.reconciler = new Reconciler({
      journal,
      onService: (service) => this.refusedVersions.recall(service),
      onForgotten: (api) => this.refusedVersions.forget(api),
      machine: this,
      cache: this.cache,
      progs: { fs, root: options.root, packageRoot: options.packageRoot, protected: this.protectedProgs() },
      allow: (service) => !options.safe || SAFE_PROGS.has(service.prog),
      defaults: () => asMap(this.meta['defaults']),
      onConfigErrors: (errors) => this.reports.configErrorsAre(errors),
    })
    this.waysBack = new WaysBack(this, this.reconciler, journal, this.refusedVersions)
    this.bell = this.createBell()
    this.whenStopped = new Promise((resolve) => {
      this.announceStop = resolve
    })
  }

  private protectedProgs(): Set<string> {
    const overridden = Object.keys(asMap(this.meta['overrides']))
    return new Set(PROTECTED.filter((prog) => !overridden.includes(prog)))
  }

  private createBell(): Bell {
    const { root, packageRoot, fs, clock, log, watcher } = this.options
    const own = ['configs', 'modules', 'prompts'].map((folder) => join(root, folder))
    return new Bell({
      fs,
      clock,
      log,
      limits: this.limits,
      folders: root === packageRoot ? own : [...own, join(packageRoot, 'modules')],
      configs: join(root, 'configs'),
      lock: indexLockOf(root, fs),
      watcher,
      known: () => this.knownFiles(),
      ready: (paths) => this.noticed(paths),
      swept: () => this.swept(),
    })
  }

  async boot(): Promise<void> {
    const { switchboard } = this.options
    ModuleHandle.install(switchboard, this.calls)
    switchboard.onRoute = (api, method, args) => routeHeld(this, api, method, args)
    switchboard.versionOf = (owner) => versionOf(this.services, owner)
    installKernelApi(this, (owner, api) => this.calls.handleFor(owner.caller, api, 'default'))
    registerKernelService(this, new KernelService(this, this.actions()))
    this.refusedVersions.load()
    // First the bell: what is written during the first look must not wait for a sweep.
    this.bell.start()
    this.reconciler.start()
    this.events.emit('kernel.booted', { version: this.version })
  }

  private actions(): KernelActions {
    const { reconciler, waysBack } = this
    return {
      status: () => this.status(),
      reload: (api, caller) => this.reload(api, caller),
      rollback: (api, reason) => waysBack.rollback(api, reason),
      undo: (api) => waysBack.undo(api),
      plan: (files) => planChanges(this, reconciler.wanted, files),
      configs: (api) => effectiveConfigs(this, reconciler.wanted, api),
    }
  }

  settled(): Promise<void> {
    return this.reconciler.rest()
  }

  waitForShutdown(): Promise<null> {
    return this.whenStopped
  }

  stop(reason: string, deadlineMs: number): Promise<void> {
    this.stopping = true
    this.stopped ??= stopAll(this, reason, deadlineMs, this.bell).then(() => this.announceStop(null))
    return this.stopped
  }

  /**
   * A service that is asked from within itself to become quiet could only wait for ever: the asker gets its answer at
   * once, and the reload follows when its call has ended.
   */
  async reload(api: string, caller?: CallerRecord): Promise<ReloadResult> {
    if (this.stopping) throw coded('kernel_stopping')
    // Only when the asker's own call has returned to its caller is it known who waits for whom.
    await Promise.resolve()
    const reloaded = this.reconciler.reload(api)
    const live = this.services.get(api)?.live
    if (caller === undefined || live === undefined) return reloaded
    if (live.mode !== 'overlap' && dependsOn(api, caller.api, this.services)) {
      reloaded.catch(() => undefined)
      return deferredReload(live.number)
    }
    return waitingFor(caller, api, reloaded)
  }

  ring(): void {
    this.reconciler.ring()
  }

  onPlanned(): void {
    this.calls.queue.settleEarly()
  }

  limitsOf(desired: DesiredService | undefined): Limits {
    if (desired === undefined || Object.keys(desired.limits).length === 0) return this.limits
    const own = Object.entries(desired.limits).filter(([name]) => (SERVICE_LIMITS as readonly string[]).includes(name))
    return withLimits(this.limits, Object.fromEntries(own))
  }

  readFile(path: string): CachedFile | undefined {
    return this.cache.get(path)
  }

  readPrompt(path: string): CachedFile | undefined {
    const file = this.cache.get(path)
    this.promptHashes.set(path, file?.hash)
    return file
  }

  notLive(needs: Iterable<string>): string[] {
    return [...needs].filter((api) => this.services.get(api)?.live === undefined)
  }

  fault(thrown: unknown, kind: 'exception' | 'rejection', owner?: CodeOwner): string | undefined {
    return this.faults.fault(thrown, kind, owner)
  }

  refused(service: ServiceRecord, error: ErrorData, modifiedMs: number): void {
    this.reports.refused(service, error, modifiedMs)
  }

  private *knownFiles(): Iterable<readonly [string, string | undefined]> {
    yield* this.reconciler.wanted.tree.stamps()
    for (const path of this.promptHashes.keys()) {
      const file = this.cache.peek(path)
      yield [path, file?.settled === false ? '' : file?.stat_key]
    }
    for (const { scan } of this.services.values()) {
      if (scan === undefined) continue
      yield* scan.stamps
      for (const path of scan.missing) yield [path, undefined]
    }
  }

  private noticed(paths: ReadonlySet<string>): void {
    if (paths.has(join(this.options.root, this.options.metaFile))) this.rereadMeta()
    for (const path of paths) if (this.promptHashes.has(path)) this.lookAtPrompt(path)
    this.reconciler.noticed(paths)
  }

  /** Prompts are read when they are asked for; this only tells that the next reader gets another text. */
  private lookAtPrompt(path: string): void {
    const hash = this.cache.get(path)?.hash
    if (hash === this.promptHashes.get(path)) return
    this.promptHashes.set(path, hash)
    this.events.emit('prompt.changed', { path: shownPath(this.options.root, path) })
  }

  /** `defaults:` and `limits:` of the meta file are as live as any config. */
  private rereadMeta(): void {
    const { root, metaFile } = this.options
    try {
      const file = this.cache.get(join(root, metaFile))
      if (file === undefined) return
      const meta = readMeta(metaFile, file.text)
      if (meta['prog'] !== this.meta['prog']) return
      this.meta = meta
      this.limits = withLimits(LIMITS, asMap(meta['limits']))
      this.reconciler.wanted.forgetConfigs()
      this.ring()
    } catch (error) {
      this.options.log.error(`${describeError(toErrorData(error))}; the last good version stays in force`)
    }
  }

  private swept(): void {
    this.calls.tick()
    this.reconciler.wanted.retryLost()
    this.ring()
  }

  status(): KernelStatus {
    return kernelStatus(this, {
      version: this.version,
      meta: this.meta,
      bornAt: this.bornAt,
      errors: this.reports.configErrors,
    })
  }

  check(): Promise<CheckReport> {
    return checkRoot(this, this.reconciler.wanted)
  }
}
