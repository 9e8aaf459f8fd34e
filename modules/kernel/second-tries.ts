/**
 * A version that failed while it started may have failed because of another service: a consumer saved before its
 * provider, or together with it. It is tried again when a service it had asked for goes live with a new version; a
 * failure without such news stays final until its own files change. Told by `refuse.ts` and `install.ts`.
 */
import type { ErrorData } from '../contracts/errors.ts'
import type { GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import type { Machine } from './machine.ts'

/** What another service can cause. A file that does not parse stays broken whoever goes live. */
const MAY_PASS = new Set(['constructor_threw', 'init_threw', 'init_timeout', 'self_test_failed'])

export class SecondTries {
  private readonly machine: Machine
  hopes = new Map<string, Set<ServiceRecord>>()

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
    for (const api of asked) {
      const waiting = this.hopes.get(api) ?? new Set()
      this.hopes.set(api, waiting.add(service))
    }
    return false
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
