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

  constructor(machine: Machine) {
    this.machine = machine
  }

  /** True when the news has come already: the failed version began before a service it asked for was renewed. */
  failed(service: ServiceRecord, generation: GenerationRecord, asked: readonly string[], error: ErrorData): boolean {
    if (!MAY_PASS.has(error.code)) return false
    for (const api of asked) {
      const liveAt = this.machine.services.get(api)?.live?.liveAt
      if (liveAt !== undefined && liveAt > generation.startedAt) return true
    }
    for (const api of asked) this.hope(api, service)
    return false
  }

  diskRefused(service: ServiceRecord): void {
    const { clock, limits } = this.machine
    this.diskAt = clock.monotonic() + limits.disk_retry_ms
    this.hope(DISK, service)
  }

  /** Time has passed: a disk that was full may take writes again. */
  diskMayTake(): void {
    if (this.machine.clock.monotonic() >= this.diskAt) this.wentLive(DISK)
  }

  private hope(api: string, service: ServiceRecord): void {
    const waiting = this.hopes.get(api) ?? new Set()
    this.hopes.set(api, waiting.add(service))
  }

  wentLive(api: string): void {
    const waiting = this.hopes.get(api)
    if (waiting === undefined) return
    this.hopes.delete(api)
    for (const service of waiting) {
      if (service.refusedAttempt?.takenBack === undefined) service.refusedAttempt = undefined
    }
    this.machine.ring()
  }
}
