/**
 * Keeps each service's last good version on disk, and starts it where nothing serves and what is on disk does not
 * start: at a boot, after a standstill, after a trip. The file of a human stays as it is; when it can be used, it takes
 * over as in any reload. Decides nothing itself (`last-good.ts`); called after each look, by `refuse.ts` for a version
 * that failed, by the bell's sweep, and at the orderly stop.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { ReloadResult } from '../contracts/kernel.ts'
import type { LastGoodUse, LastGoodVersion, RefusedAttempt } from '../contracts/changes.ts'
import type { LastGoodState } from '../contracts/kernel-state.ts'
import type { GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { describeError } from '../lib/errors.ts'
import { within } from '../lib/within.ts'
import type { DesiredState } from './configs.ts'
import {
  hashesOf,
  isSame,
  nextStep,
  servesWell,
  troubleKey,
  troubleOf,
  type Hashes,
  type Trouble,
} from './last-good.ts'
import { LastGoodStore } from './last-good-store.ts'
import type { Machine } from './machine.ts'
import type { Reconciler } from './reconciler.ts'
import type { Candidate } from './switch.ts'

export class LastGoodVersions {
  private readonly machine: Machine
  private readonly reconciler: Reconciler
  private readonly store: LastGoodStore
  /** kernels change hands: nothing begins, nothing is written */
  private readonly isHeld: () => boolean
  private readonly bornAt: number
  /** apis and bases without a config that can be read, which were looked for */
  private sought = new Set<string>()

  constructor(machine: Machine, reconciler: Reconciler, isHeld: () => boolean) {
    this.machine = machine
    this.reconciler = reconciler
    this.isHeld = isHeld
    this.store = new LastGoodStore(machine)
    this.bornAt = machine.options.clock.monotonic()
  }

  /** Passed from kernel to kernel. */
  get state(): LastGoodState {
    return this.store.state
  }

  set state(state: LastGoodState) {
    this.store.state = state
  }

  /** A version failed and nothing serves: true when the last good one starts as soon as that movement has ended. */
  standsIn(candidate: Candidate, error: ErrorData): boolean {
    const { service, desired, scan, back } = candidate
    if (back !== undefined || this.machine.stopping) return false
    const trouble = { key: troubleKey({ configHash: desired.hash, sourceKey: scan.key }), error }
    if (nextStep(service.lastGood, trouble, this.isLive) === 'load') this.load(service, trouble)
    const { lastGood } = service
    if (lastGood?.key !== trouble.key || lastGood.stage !== 'due') return false
    void this.reconciler.movements.of(service)?.then(() => this.consider(service))
    return true
  }

  /** After a look at the disk: what should run, and does not. */
  look(services: Iterable<ServiceRecord>, desired: DesiredState): void {
    if (this.machine.stopping) return
    for (const service of services) this.consider(service)
    for (const service of this.unread(desired)) this.consider(service)
  }

  /** What a service can go back to when nothing in memory is left of the version before: another than the one that serves. */
  versionFor(service: ServiceRecord): LastGoodVersion | undefined {
    const { api, live } = service
    const kept = this.store.hashesOf(api)
    if (live === undefined || kept === undefined || isSame(kept, hashesOf(live))) return undefined
    const version = this.store.read(api)
    return version !== undefined && this.mayRun(version) ? version : undefined
  }

  /** This version was taken back, or stalled the process: it is no good one. */
  forget(api: string, version: Hashes): void {
    if (isSame(this.store.hashesOf(api), version)) this.store.forget(api)
  }

  /** What serves now is known to be good: it was gone back to. Resolves when it is on disk, or has taken too long. */
  async keep({ live }: ServiceRecord): Promise<void> {
    if (live === undefined) return
    const { clock } = this.machine.options
    const late = (): string => 'slow disk'
    await within(clock, this.machine.limits.last_good_write_ms, this.store.keep(live), late).catch(() => undefined)
  }

  /** The orderly stop: all that serves well is good. Resolves when it is kept; never rejects. */
  keepAll(): Promise<void> {
    for (const service of this.services()) this.keepLive(service)
    return this.store.idle()
  }

  /** Once a second: keeps what has proved good, and removes what belongs to no service any more. */
  tick(): void {
    const { machine } = this
    const now = machine.options.clock.monotonic()
    if (machine.stopping || this.isHeld() || now - this.bornAt < machine.limits.fresh_ms) return
    for (const service of this.services()) {
      const { live } = service
      if (live !== undefined && now - this.sinceOf(live, now) >= machine.limits.fresh_ms) this.keepLive(service)
    }
    // A safe start asks for a few services only: that says nothing about the others.
    if (machine.options.safe || !machine.planned) return
    const { broken, contested } = this.reconciler.wanted.desired
    this.store.tidy((api, base) => machine.services.has(api) || broken.has(base) || contested.has(api))
  }

  private keepLive(service: ServiceRecord): void {
    const { clock } = this.machine.options
    const live = servesWell(service, clock.monotonic(), this.machine.limits.fresh_ms)
    if (live !== undefined) void this.store.keep(live)
  }

  /** Volatile keys change a version while it serves: it has to prove itself anew. */
  private sinceOf(live: GenerationRecord, now: number): number {
    const { since } = this.state
    const known = since.get(live)
    if (known?.configHash === live.desired.hash) return known.at
    const at = known === undefined ? (live.liveAt ?? now) : now
    since.set(live, { configHash: live.desired.hash, at })
    return at
  }

  private readonly isLive = (api: string): boolean => this.machine.services.get(api)?.state === 'live'

  private services(): ServiceRecord[] {
    return [...this.machine.services.values()].filter((service) => service.api !== 'kernel')
  }

  private consider(service: ServiceRecord): void {
    const trouble = troubleOf(service, this.reconciler.wanted.desired)
    if (trouble === undefined || this.machine.stopping || this.isHeld()) return
    if (nextStep(service.lastGood, trouble, this.isLive) === 'load') this.load(service, trouble)
    const { lastGood } = service
    if (lastGood !== undefined && nextStep(lastGood, trouble, this.isLive) === 'start') this.start(service, lastGood)
  }

  private load(service: ServiceRecord, { key, error }: Trouble): void {
    const { api, desired, scan, refusedAttempt } = service
    const kept = this.store.hashesOf(api)
    const onDisk = desired && scan && hashesOf({ desired, scan })
    const refused = kept === undefined || isSame(kept, onDisk) || isSame(kept, refusedAttempt)
    const found = refused ? undefined : this.store.read(api)
    const version = found !== undefined && this.mayRun(found) ? found : undefined
    service.lastGood = { key, error, version, stage: version === undefined ? 'none' : 'due', needs: [] }
  }

  private mayRun({ source: { desired, scan } }: LastGoodVersion): boolean {
    return this.reconciler.wanted.mayRun(desired, scan.entry)
  }

  /** Services whose config could not be read since before the boot: only what was kept knows of them. */
  private unread(desired: DesiredState): ServiceRecord[] {
    const { broken, contested } = desired
    if (broken.size === 0) {
      this.sought.clear()
      return []
    }
    const { services } = this.machine
    const bases = new Set([...services.values()].map((service) => (service.desired ?? service.live?.desired)?.base))
    const missing = new Map<string, () => string | undefined>()
    for (const api of contested.keys()) if (!services.has(api)) missing.set(`api ${api}`, () => api)
    for (const base of broken.keys()) if (!bases.has(base)) missing.set(`base ${base}`, () => this.store.find(base))
    const fresh = [...missing].filter(([name]) => !this.sought.has(name))
    this.sought = new Set(missing.keys())
    return fresh.flatMap(([name, find]) => {
      try {
        return this.revive(find())
      } catch {
        // The folder cannot be listed now: it is looked for again.
        this.sought.delete(name)
        return []
      }
    })
  }

  private revive(api: string | undefined): ServiceRecord[] {
    const version = api === undefined || this.machine.services.has(api) ? undefined : this.store.read(api)
    if (api === undefined || version === undefined || !this.mayRun(version)) return []
    const service = this.reconciler.wanted.serviceOf(api)
    service.desired = version.source.desired
    return [service]
  }

  private start(service: ServiceRecord, use: LastGoodUse): void {
    if (use.version === undefined) return
    const before = service.refusedAttempt
    const member = { service, ...use.version.source, asked: true }
    const back = { copy: undefined, reason: describeError(use.error) }
    use.stage = 'starting'
    service.goingBack = true
    void this.reconciler.movements.start([{ ...member, back }], this.machine.options.clock.monotonic(), ([result]) =>
      this.started(service, use, before, result),
    )
  }

  /** Before the service is free again: what stands on disk is refused as before, whatever became of this. */
  private started(
    service: ServiceRecord,
    use: LastGoodUse,
    before: RefusedAttempt | undefined,
    result: ReloadResult | undefined,
  ): void {
    service.goingBack = false
    service.refusedAttempt = before
    service.refusal = use.error
    if (result?.ok === true) {
      use.stage = 'serving'
      this.tell(service, use)
    } else if (service.state === 'waiting') {
      use.stage = 'waiting'
      use.needs = service.waitingFor
    } else if (service.state === 'failed') {
      use.stage = 'failed'
      const { message } = result?.error ?? use.error
      const both = { ...use.error, message: `${use.error.message}; nor does its last good version: ${message}` }
      service.refusal = both
      if (before !== undefined) service.refusedAttempt = { ...before, error: both }
      this.machine.options.log.error(`${service.api}  its last good version does not start either: ${message}`)
    } else {
      use.stage = 'due'
    }
  }

  private tell({ api, live }: ServiceRecord, { error, version }: LastGoodUse): void {
    if (live === undefined || version === undefined) return
    const { keptAt, packages } = version
    const installed = this.machine.options.loader.packagesOf(live.scan)
    const changed = Object.entries(packages).filter(([name, was]) => installed[name] !== was)
    const other = changed.map(([name, was]) => `${name} ${was}, now ${installed[name] ?? 'gone'}`).join('; ')
    const from = new Date(keptAt).toISOString()
    this.machine.events.emit('service.last_good', { api, generation: live.number, kept_at: keptAt, error })
    this.machine.options.log.warn(
      `${api}  runs its last good version, of ${from}: ${describeError(error)}${other && ` (it ran with ${other})`}`,
      { service: api, code: error.code, hint: error.hint },
    )
  }
}
