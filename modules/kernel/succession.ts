/**
 * One kernel after another. `pause` brings the movements to rest while calls go on; `exportState` names everything by
 * reference; `letGo` ends this kernel's own timers and waits; `adopt` takes all of it over in one tick: every function
 * an earlier kernel left behind (forwarders, the methods of `KernelApi`, edges, timers) is replaced by one of this
 * kernel, and no module is constructed. Used by `kernel.ts`; who decides is `kernel-swap.ts` and `run.ts`.
 */
import type { KernelPort } from '../contracts/kernel-port.ts'
import type { KernelState } from '../contracts/kernel-state.ts'
import type { GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import type { FileCache } from '../lib/file-cache.ts'
import type { LeasedClock } from '../lib/leased-clock.ts'
import { within } from '../lib/within.ts'
import type { Attention } from './attention.ts'
import type { Calls } from './calls.ts'
import { retireEdge, watchCalls } from './counts.ts'
import type { EventBus } from './events.ts'
import type { Faults } from './faults.ts'
import { abandon, end } from './generation.ts'
import { reinstall } from './handle.ts'
import { openRoutes, retire, stopTasks } from './install.ts'
import { ModuleIsolator } from './isolator.ts'
import type { Journal } from './journal.ts'
import type { LastGoodVersions } from './last-good-versions.ts'
import type { Machine } from './machine.ts'
import { reopen } from './quiesce.ts'
import type { PromptFiles } from './prompt-files.ts'
import type { Reconciler } from './reconciler.ts'
import { armDeferral } from './refuse.ts'
import type { RefusedVersions } from './refused-versions.ts'
import type { Reports } from './reports.ts'
import type { SecondTries } from './second-tries.ts'
import { setState } from './service.ts'
import type { Supervisor } from './supervisor.ts'
import { leftOf } from './switch.ts'

/** The record this kernel writes, and those it reads. */
export const STATE_VERSION = 1
export const READS: KernelPort['reads'] = { from: 1, to: 1 }

/** Candidates that are still being built after this long are dropped: the next kernel builds them anew. */
const PATIENCE_MS = 1_000

/** A kernel as this file sees it: its containers become another kernel's, and those of another become its own. */
export interface Succeeding extends Machine {
  services: Map<string, ServiceRecord>
  readonly clock: LeasedClock
  readonly calls: Calls
  readonly events: EventBus
  readonly faults: Faults
  readonly journal: Journal
  readonly lastGood: LastGoodVersions
  readonly reconciler: Reconciler
  readonly refusedVersions: RefusedVersions
  readonly reports: Reports
  readonly secondTries: SecondTries
  readonly supervisor: Supervisor
  readonly cache: FileCache
  readonly prompts: PromptFiles
  readonly facts: { history: KernelState['history']; bornAt: number }
}

export class Succession {
  private readonly machine: Succeeding
  private readonly attention: Attention
  private readonly install: () => void
  /** fields of a later kernel, passed on as they came */
  private carried: Record<string, unknown> = {}
  private readonly waiting: (() => void)[] = []
  held = false

  /** `install` puts the kernel's functions on the switchboard, and its built-in service in place. */
  constructor(machine: Succeeding, attention: Attention, install: () => void) {
    this.machine = machine
    this.attention = attention
    this.install = install
  }

  async pause(deadlineMs: number): Promise<void> {
    const { clock, reconciler } = this.machine
    if (this.held) throw coded('kernel_busy', { reason: 'another swap is under way' })
    this.held = true
    reconciler.hold(true)
    const until = clock.monotonic() + deadlineMs
    const patience = clock.after(Math.min(PATIENCE_MS, deadlineMs), () => this.dropCandidates())
    try {
      // One movement may begin another (a failure that is taken back): only an empty list is rest.
      for (let moves = reconciler.movements.switching; moves.length > 0; moves = reconciler.movements.switching) {
        const reason = `${moves.length} reloads did not end within ${deadlineMs} ms`
        const late = (): Error => coded('kernel_busy', { reason })
        await within(clock, Math.max(1, until - clock.monotonic()), Promise.all(moves), late)
        if (this.machine.gone) throw coded('kernel_busy', { reason: 'this kernel was gone back from meanwhile' })
      }
    } catch (thrown) {
      this.resume()
      throw thrown
    } finally {
      clock.clear(patience)
    }
  }

  private dropCandidates(): void {
    for (const { candidate } of this.machine.services.values()) if (candidate !== undefined) abandon(candidate)
  }

  resume(): void {
    if (!this.held) return
    this.held = false
    this.machine.reconciler.hold(false)
    this.free()
  }

  /** Resolves when no kernel is being replaced: by then this one may be gone. */
  async settled(): Promise<void> {
    while (this.held && !this.machine.gone) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  private free(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }

  exportState(reads: KernelPort['reads']): KernelState {
    if (reads.from > STATE_VERSION || reads.to < STATE_VERSION) {
      const reason = `it reads versions ${reads.from} to ${reads.to}, this one writes ${STATE_VERSION}`
      throw coded('kernel_state', { reason })
    }
    const { machine } = this
    return {
      ...this.carried,
      version: STATE_VERSION,
      services: machine.services,
      planned: machine.planned,
      events: machine.events.record,
      changes: machine.journal.changes,
      refused: machine.refusedVersions.entries,
      lastNumbers: machine.reconciler.wanted.lastNumbers,
      early: machine.calls.queue.early,
      hopes: machine.secondTries.hopes,
      prompts: machine.prompts.hashes,
      files: machine.cache.files,
      told: machine.reports.reported,
      history: machine.facts.history,
      lastGood: machine.lastGood.state,
      bornAt: machine.facts.bornAt,
      unattributedFaults: machine.faults.unattributed,
    }
  }

  letGo(): void {
    const { machine } = this
    machine.gone = true
    void this.attention.close()
    machine.calls.queue.letGo()
    machine.reconciler.movements.letGo()
    for (const { supervision } of machine.services.values()) supervision.timer = undefined
    machine.clock.end()
    this.free()
  }

  /** Throws `kernel_state` before anything is touched when the record cannot be read. */
  adopt(state: KernelState): void {
    if (state.version < READS.from || state.version > READS.to) {
      const reason = `its version is ${state.version}, this one reads ${READS.from} to ${READS.to}`
      throw coded('kernel_state', { reason })
    }
    this.take(state)
    const { machine } = this
    const { calls, supervisor, reconciler } = machine
    const { switchboard } = machine.options
    machine.clock.renew()
    machine.gone = false
    for (const service of machine.services.values()) this.renew(service)
    for (const api of switchboard.routes.keys()) reinstall(switchboard, api, calls, api === 'kernel')
    this.install()
    for (const service of machine.services.values()) if (service.api !== 'kernel') this.reopen(service)
    calls.queue.adopt(state.early)
    for (const service of machine.services.values()) {
      supervisor.arm(service)
      armDeferral(machine, service)
      this.drainOn(service)
    }
    reconciler.movements.forget()
    reconciler.hold(true)
    this.held = true
    machine.clock.soon(() => this.begin())
  }

  /** A turn later: calls need not wait for watches to be opened and folders to be read. */
  private begin(): void {
    const { services, reconciler, stopping } = this.machine
    if (!stopping) this.attention.startAnew()
    this.held = false
    reconciler.begin()
    for (const service of services.values()) {
      if (service.state === 'draining') reconciler.movements.stop(service)
      else if (service.stoodDown !== undefined) reconciler.movements.restore(service)
    }
    this.free()
  }

  private take(state: KernelState): void {
    const { machine } = this
    const { version: _version, early: _early, ...parts } = state
    const { services, planned, events, changes, refused, lastNumbers, hopes, prompts, files, told, ...others } = parts
    const { history, bornAt, unattributedFaults, lastGood, ...carried } = others
    this.carried = carried
    machine.services = services
    machine.planned = planned
    machine.events.record = events
    machine.faults.unattributed = unattributedFaults
    machine.journal.changes = changes
    machine.refusedVersions.entries = refused
    machine.reports.reported = told
    machine.secondTries.hopes = hopes
    machine.cache.files = files
    machine.reconciler.wanted.lastNumbers = lastNumbers
    machine.prompts.hashes = prompts
    if (lastGood !== undefined) machine.lastGood.state = lastGood
    Object.assign(machine.facts, { history, bornAt })
  }

  /** What a generation holds of the kernel that made it. */
  private renew(service: ServiceRecord): void {
    const { machine } = this
    service.busy = false
    this.drop(service)
    service.quietWith = undefined
    service.goingBack = false
    // A movement was dropped half-way: it begins anew.
    if (service.state === 'starting') beginAnew(service)
    if (service.state === 'switching' && service.live === undefined) beginAnew(service)
    for (const generation of [service.live, ...service.draining]) {
      if (generation === undefined) continue
      Object.setPrototypeOf(generation.isolator, ModuleIsolator.prototype)
      generation.isolator.onError = (thrown, label, what) => machine.faults.workFailed(generation, thrown, label, what)
      generation.admission = { generation }
      releaseHandles(generation)
      watchCalls(generation, undefined)
      // A stream or a call that is open goes on, counted by the functions it began with.
      for (const edge of generation.edges) retireEdge(edge)
    }
  }

  /** What a kernel before was building when it was replaced in the middle of it. */
  private drop(service: ServiceRecord): void {
    const { candidate } = service
    service.candidate = undefined
    if (candidate === undefined) return
    abandon(candidate)
    void end(this.machine, service, candidate, { shutdown: candidate.state === 'ready' })
  }

  private reopen(service: ServiceRecord): void {
    const { machine } = this
    const { live } = service
    if (live === undefined) return
    // A sick kernel was replaced while it switched: what it had made quiet goes on.
    if (service.state === 'switching') reopen(machine, service, live)
    else if (service.state === 'live') openRoutes(machine, service, live)
  }

  /** Versions that drain go on draining; one that is being ended already is left to whoever began it. */
  private drainOn(service: ServiceRecord): void {
    if (service.state === 'draining') return
    for (const old of service.draining) {
      if (old.state === 'draining') void this.drain(service, old)
    }
  }

  private async drain(service: ServiceRecord, old: GenerationRecord): Promise<void> {
    await stopTasks(this.machine, old)
    await retire(this.machine, service, old, leftOf(this.machine, old))
  }
}

function beginAnew(service: ServiceRecord): void {
  setState(service, 'waiting')
  const { refusedAttempt } = service
  // What it fell back on is found again, when the version on disk has failed again.
  service.lastGood = undefined
  if (refusedAttempt?.takenBack === undefined) service.refusedAttempt = undefined
}

/** Each handle counts what its edge counted, and finds its next edge by the slow path. */
function releaseHandles({ caller }: GenerationRecord): void {
  for (const handle of caller.handles.values()) {
    handle._used += handle._edge?.calls ?? 0
    handle._edge = undefined
  }
}
