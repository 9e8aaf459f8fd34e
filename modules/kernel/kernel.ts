/**
 * Class Kernel: the facade that joins the parts and fulfils `KernelPort`. Decisions are in the pure parts
 * (`configs`, `reconcile`), effects in one place each (`switch`, `generation`, `watch`); this file only connects them.
 */
import { join } from 'node:path'
import type { ErrorData } from '../contracts/errors.ts'
import type { CheckReport, KernelChange, KernelSource, KernelStatus, ReloadResult } from '../contracts/kernel.ts'
import type { KernelHealth, KernelOptions, KernelPort, NextKernel } from '../contracts/kernel-port.ts'
import type { KernelState } from '../contracts/kernel-state.ts'
import type { CodeOwner } from '../contracts/seams.ts'
import type { DesiredService, ServiceRecord } from '../contracts/state.ts'
import { describeError, toErrorData } from '../lib/errors.ts'
import { FileCache, readCached, type CachedFile } from '../lib/file-cache.ts'
import { metaVersion } from '../lib/kernel-source.ts'
import { leaseClock, type LeasedClock } from '../lib/leased-clock.ts'
import { shownPath } from '../lib/shown-path.ts'
import { Attention } from './attention.ts'
import { Calls } from './calls.ts'
import { checkRoot } from './check.ts'
import { prepareKernelService, registerKernelService, routeHeld, type KernelServiceParts } from './builtin.ts'
import { EventBus } from './events.ts'
import { Faults } from './faults.ts'
import { ModuleHandle } from './handle.ts'
import { installKernelApi } from './kernel-api.ts'
import { kernelActions } from './kernel-actions.ts'
import { kernelHealth, kernelStatus } from './kernel-status.ts'
import { KernelSwap } from './kernel-swap.ts'
import { Journal } from './journal.ts'
import { LastGoodVersions } from './last-good-versions.ts'
import { serviceLimits, type Limits } from './limits.ts'
import type { Machine } from './machine.ts'
import { KernelEnd } from '../lib/kernel-end.ts'
import { MetaValues } from './meta-values.ts'
import { PromptFiles } from './prompt-files.ts'
import { Reconciler } from './reconciler.ts'
import { reloadFor } from './reload-request.ts'
import { RefusedVersions } from './refused-versions.ts'
import { Reports } from './reports.ts'
import { SecondTries } from './second-tries.ts'
import { versionOf } from './service.ts'
import { stopAll } from './stop-all.ts'
import { READS, Succession } from './succession.ts'
import { Supervisor } from './supervisor.ts'
import { upkeep } from './upkeep.ts'
import { WaysBack } from './ways-back.ts'

/** What runs in a safe start. */
const SAFE_PROGS = new Set(['services/http', 'services/filesystem', 'http', 'filesystem'])

export class Kernel implements KernelPort, Machine {
  readonly version: string
  readonly options: KernelOptions
  readonly clock: LeasedClock
  readonly reads = READS
  services = new Map<string, ServiceRecord>()
  readonly events: EventBus
  readonly calls: Calls
  readonly secondTries: SecondTries
  limits: Limits
  planned = false
  stopping = false
  gone = false
  readonly meta: MetaValues
  readonly cache: FileCache
  readonly faults: Faults
  readonly journal: Journal
  readonly supervisor: Supervisor
  readonly reconciler: Reconciler
  readonly refusedVersions: RefusedVersions
  readonly lastGood: LastGoodVersions
  private readonly waysBack: WaysBack
  private readonly attention: Attention
  readonly facts: { bornAt: number; history: KernelChange[] }
  readonly prompts: PromptFiles
  readonly reports: Reports
  private readonly succession: Succession
  readonly swap: KernelSwap
  private stopped: Promise<void> | undefined
  private readonly service: KernelServiceParts
  private readonly end = new KernelEnd()

  constructor(options: KernelOptions) {
    this.options = options
    this.meta = new MetaValues(options.meta)
    this.version = metaVersion(options.metaFile)
    this.limits = this.meta.limits
    const { clock, fs } = options
    this.clock = leaseClock(clock)
    this.facts = { bornAt: clock.monotonic(), history: [] }
    this.cache = new FileCache(fs, clock)
    this.prompts = new PromptFiles(this.cache, options.root, (path) =>
      this.events.emit('prompt.changed', { path: shownPath(options.root, path) }),
    )
    this.events = this.createEvents()
    this.calls = new Calls(this)
    this.secondTries = new SecondTries(this)
    this.supervisor = new Supervisor(this, {
      rollback: (api, reason) => this.waysBack.rollback(api, reason),
      restart: (api) => this.waysBack.restart(api),
      isHeld: () => this.succession.held,
    })
    this.faults = new Faults(this, this.supervisor)
    this.reports = new Reports(this)
    this.journal = new Journal(this)
    this.refusedVersions = new RefusedVersions(this)
    this.reconciler = new Reconciler({
      journal: this.journal,
      onService: (service) => this.refusedVersions.recall(service),
      onForgotten: (api) => this.refusedVersions.forget(api),
      machine: this,
      cache: this.cache,
      progs: { fs, root: options.root, packageRoot: options.packageRoot, protected: this.meta.protectedProgs },
      allow: (service) => !options.safe || SAFE_PROGS.has(service.prog),
      defaults: () => this.meta.defaults,
      sandboxing: () => this.meta.sandboxing,
      onConfigErrors: (errors) => this.reports.configErrorsAre(errors),
    })
    this.waysBack = new WaysBack(this, this.reconciler, this.journal, this.refusedVersions)
    this.lastGood = new LastGoodVersions(this, this.reconciler, () => this.succession.held)
    this.swap = new KernelSwap({
      machine: this,
      self: this,
      refused: this.refusedVersions,
      facts: this.facts,
      onNext: (next) => {
        tellAtRest(next.kernel, this.reconciler.takeRestWaiters())
        this.end.announce(next)
      },
    })
    this.attention = new Attention({
      machine: this,
      reconciler: this.reconciler,
      prompts: this.prompts,
      swap: this.swap,
      onMeta: () => this.rereadMeta(),
      onSwept: () => this.swept(),
    })
    this.succession = new Succession(this, this.attention, () => this.install())
    const parts = { machine: this, waysBack: this.waysBack, swap: this.swap, succession: this.succession }
    this.service = prepareKernelService(this, kernelActions(parts))
  }

  private createEvents(): EventBus {
    const { clock, log } = this.options
    return new EventBus({
      clock,
      kept: this.limits.events_kept,
      onThrow: (thrown, pattern) => log.warn(`a subscriber of ${pattern} threw: ${String(thrown)}`),
    })
  }

  async boot(): Promise<void> {
    this.install()
    this.refusedVersions.load()
    // First the watch: what is written during the first look must not wait for a sweep.
    this.attention.start()
    this.reconciler.start()
    this.events.emit('kernel.booted', { version: this.version })
    this.clock.soon(() => this.swap.start())
  }

  /** This kernel's functions, on what outlives it. */
  private install(): void {
    const { switchboard } = this.options
    ModuleHandle.install(switchboard, this.calls)
    switchboard.kernel = this
    switchboard.calls = this.calls
    switchboard.onRoute = (api, method, args) => routeHeld(this, api, method, args)
    switchboard.versionOf = (owner) => versionOf(this.services, owner)
    installKernelApi(this, (owner, api) => this.calls.handleFor(owner.caller, api, 'default'))
    registerKernelService(this, this.service)
  }

  /** Who runs, once this one is gone. */
  private get successor(): KernelPort | undefined {
    const { kernel } = this.options.switchboard
    return this.gone && kernel !== this ? kernel : undefined
  }

  settled(): Promise<void> {
    return this.successor?.settled() ?? this.reconciler.rest()
  }

  waitForShutdown(): Promise<NextKernel | null> {
    return this.end.wait()
  }

  stop(reason: string, deadlineMs: number): Promise<void> {
    if (this.successor !== undefined) return this.successor.stop(reason, deadlineMs)
    this.stopping = true
    this.events.record.closed = true
    this.stopped ??= stopAll(this, reason, deadlineMs, this.attention).then(() => this.end.announce(null))
    return this.stopped
  }

  async health(): Promise<KernelHealth> {
    return kernelHealth(this, this.faults.unattributed)
  }

  pause(deadlineMs: number): Promise<void> {
    return this.succession.pause(deadlineMs)
  }

  resume(): void {
    this.succession.resume()
  }

  exportState(reads: KernelPort['reads']): KernelState {
    return this.succession.exportState(reads)
  }

  letGo(): void {
    this.succession.letGo()
  }

  /** Everything happens before the first await: see `succession.ts`. */
  async adopt(state: KernelState): Promise<void> {
    this.succession.adopt(state)
    this.end.beginAnew()
    await this.reconciler.looked()
    this.clock.soon(() => this.swap.start())
  }

  refuseKernel(source: KernelSource, error: ErrorData): void {
    this.swap.refuseSource(source, error, 'taken_back')
  }

  ring(): void {
    this.reconciler.ring()
  }

  onPlanned(): void {
    this.calls.queue.settleEarly()
  }

  limitsOf(desired: DesiredService | undefined): Limits {
    return desired === undefined ? this.limits : serviceLimits(this.limits, desired.limits)
  }

  readFile(path: string): CachedFile | undefined {
    return readCached(this.cache, path, this.options.root)
  }

  readPrompt(path: string): CachedFile | undefined {
    return this.prompts.read(path)
  }

  notLive(needs: Iterable<string>): string[] {
    return [...needs].filter((api) => this.services.get(api)?.live === undefined)
  }

  fault(thrown: unknown, kind: 'exception' | 'rejection', owner?: CodeOwner): string | undefined {
    if (this.successor !== undefined) return this.successor.fault(thrown, kind, owner)
    return this.faults.fault(thrown, kind, owner)
  }

  refused(service: ServiceRecord, error: ErrorData, modifiedMs: number): void {
    this.reports.refused(service, error, modifiedMs)
  }

  /** For who drives the kernel in its own process. */
  reload(api: string): Promise<ReloadResult> {
    return reloadFor(this, this.reconciler, api)
  }

  /** `defaults:` and `limits:` of the meta file are as live as any config. */
  private rereadMeta(): void {
    const { root, metaFile } = this.options
    try {
      const file = this.cache.getOrLast(join(root, metaFile))
      if (file === undefined || !this.meta.take(metaFile, file.text)) return
      this.limits = this.meta.limits
      this.reconciler.wanted.forgetConfigs()
      this.ring()
    } catch (error) {
      this.options.log.error(`${describeError(toErrorData(error))}; the last good version stays in force`)
    }
  }

  /** A meta file that could not be read when it was noticed is read now. */
  private swept(): void {
    this.rereadMeta()
    upkeep(this)
  }

  status(): KernelStatus {
    const { version, meta, facts, reports } = this
    return kernelStatus(this, { version, meta: meta.values, bornAt: facts.bornAt, errors: reports.configErrors })
  }

  check(): Promise<CheckReport> {
    return checkRoot(this, this.reconciler.wanted)
  }
}

/** Outside the class: what waits here must not hold the kernel that is gone. */
function tellAtRest(next: KernelPort, waiting: readonly (() => void)[]): void {
  if (waiting.length > 0) void next.settled().then(() => waiting.forEach((resolve) => resolve()))
}
