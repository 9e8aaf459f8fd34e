/**
 * A version that failed while it started may have failed because of another service: a consumer saved before its
 * provider, or together with it. It is tried again when a service it had asked for goes live with a new version; one that
 * wanted to write where nothing could be written, after each sweep. Any other failure stays final until its own files
 * change. Told by `refuse.ts`, `install.ts` and `upkeep.ts`.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import type { Machine } from './machine.ts'

/** What another service can cause. A file that does not parse stays broken whoever goes live. */
const MAY_PASS = new Set(['constructor_threw', 'init_threw', 'init_timeout', 'self_test_failed'])

/** Hoped for by those a full disk has kept from starting: no service has this name. */
const DISK = ' disk'

export class SecondTries {
  private readonly machine: Machine
  hopes = new Map<string, Set<ServiceRecord>>()
  /** monotonic ms; a try costs a service that becomes quiet for it more than a look at the disk */
  private diskAt = 0
  /** monotonic ms at which a service last went live */
  private readonly news = new WeakMap<ServiceRecord, number>()

  constructor(machine: Machine) {
    this.machine = machine
  }

  /** True when the news has come already: the failed version began before a service it asked for was renewed. */
  failed(service: ServiceRecord, generation: GenerationRecord, askedFor: readonly string[], error: ErrorData): boolean {
    if (!MAY_PASS.has(error.code)) return false
    // What it asked itself for cannot become better by its own going live.
    const others = askedFor.filter((api) => api !== service.api)
    const { services } = this.machine
    for (const api of others) {
      const asked = services.get(api)
      if (asked !== undefined && (this.news.get(asked) ?? 0) > generation.startedAt) return true
    }
    for (const api of others) this.hope(api, service)
    return false
  }

  diskRefused(service: ServiceRecord): void {
    const { clock, limits } = this.machine
    this.diskAt = clock.monotonic() + limits.disk_retry_ms
    this.hope(DISK, service)
  }

  /** Time has passed: a disk that was full may take writes again. */
  diskMayTake(): void {
    if (this.machine.clock.monotonic() >= this.diskAt) this.fulfil(DISK)
  }

  private hope(api: string, service: ServiceRecord): void {
    const waiting = this.hopes.get(api) ?? new Set()
    this.hopes.set(api, waiting.add(service))
  }

  /** Not told of a version that is only made again: two that fail by each other would try for ever. */
  wentLive(service: ServiceRecord): void {
    this.news.set(service, this.machine.options.clock.monotonic())
    this.fulfil(service.api)
  }

  private fulfil(api: string): void {
    const waiting = this.hopes.get(api)
    if (waiting === undefined) return
    this.hopes.delete(api)
    for (const one of waiting) {
      if (one.refusedAttempt?.takenBack === undefined) one.refusedAttempt = undefined
    }
    this.machine.ring()
  }
}
