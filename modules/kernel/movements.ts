/**
 * Movements and stops under way, at most one a service: starts them, marks their services busy, tells who asked, and
 * writes each change down. The reconciler and the ways back start them; what a movement does is `switch.ts`.
 */
import type { ReloadResult } from '../contracts/kernel.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { configure } from './configure.ts'
import { abandon } from './generation.ts'
import type { Journal } from './journal.ts'
import type { Machine } from './machine.ts'
import { deferredReload, failedReload } from './refuse.ts'
import { setState } from './service.ts'
import { restore } from './stand-down.ts'
import { move, stopped, stopService, type Member } from './switch.ts'

export interface MovementsOptions {
  machine: Machine
  journal: Journal
  /** told when a version that was taken back is no longer what is asked for. Must not throw. */
  onForgotten(api: string): void
  /** told when something begins for a service, and when a service is gone. Must not throw. */
  onBegin(service: ServiceRecord): void
  onGone(service: ServiceRecord): void
}

/** Another kernel has taken over, and begins it anew. */
const LEFT: ReloadResult = { ...deferredReload(0), generation: null, from: null }

export class Movements {
  private readonly options: MovementsOptions
  private readonly machine: Machine
  /** each resolves when its service is free again */
  private readonly running = new Map<ServiceRecord, Promise<ReloadResult>>()
  /** who asked for a movement that is under way; another kernel tells them when this one cannot */
  private readonly asked = new Map<ServiceRecord, ServiceRecord['reloadWaiters']>()
  /** those who wait for something here, and are told when another kernel takes over */
  private readonly leaving = new Set<() => void>()
  /** how often another kernel has taken over from this one: it may have been gone back from at once */
  private terms = 0

  constructor(options: MovementsOptions) {
    this.options = options
    this.machine = options.machine
    this.forget()
  }

  of(service: ServiceRecord): Promise<ReloadResult> | undefined {
    return this.running.get(service)
  }

  /** What becomes of it. Where another kernel takes over meanwhile, it is put off: it ends there. */
  outcome(service: ServiceRecord): Promise<ReloadResult> | undefined {
    const running = this.running.get(service)
    return running && this.orLeft(running, LEFT)
  }

  /** Movements that switch something: stops may be taken over half-way. */
  get switching(): Promise<unknown>[] {
    return [...this.running].filter(([service]) => service.state !== 'draining').map(([, done]) => done)
  }

  /** They were another kernel's, or this one's before another. */
  forget(): void {
    this.running.clear()
    this.asked.clear()
  }

  /**
   * What `work` comes to, or `otherwise` when another kernel takes over before. Not a race with one long promise: that
   * would keep what each of its racers has in reach. `work` never rejects.
   */
  private orLeft<T>(work: Promise<T>, otherwise: T): Promise<T> {
    if (this.machine.gone) return Promise.resolve(otherwise)
    return new Promise((resolve) => {
      const leave = (): void => resolve(otherwise)
      this.leaving.add(leave)
      void work.then((value) => {
        this.leaving.delete(leave)
        resolve(value)
      })
    })
  }

  /** Another kernel takes over: what is under way does not end here. */
  letGo(): void {
    this.terms++
    for (const [service, waiters] of this.asked) service.reloadWaiters.push(...waiters)
    this.asked.clear()
    for (const leave of this.leaving) leave()
    this.leaving.clear()
  }

  /**
   * Resolves with true when no movement of the service is under way, with false when another kernel has taken over
   * meanwhile. A candidate that prepares is dropped.
   */
  async free(service: ServiceRecord): Promise<boolean> {
    for (let running = this.running.get(service); running !== undefined; running = this.running.get(service)) {
      if (service.candidate !== undefined) abandon(service.candidate)
      if ((await this.orLeft(running, LEFT)) === LEFT) return false
    }
    return true
  }

  /** Never rejects; no results: another kernel has taken over. `before` runs before the services are free again. */
  start(
    members: readonly Member[],
    since: number,
    before: (results: readonly ReloadResult[]) => void = () => {},
  ): Promise<ReloadResult[]> {
    for (const { service } of members) this.asked.set(service, service.reloadWaiters.splice(0))
    for (const { service, back } of members) {
      if (back === undefined && service.refusedAttempt?.takenBack !== undefined) this.options.onForgotten(service.api)
    }
    const earlier = members.map(({ service }) => service.live && { ...service.live })
    const done = this.orLeft(this.begin(members, since), []).then((results) => {
      if (results.length === 0) return results
      before(results)
      this.options.journal.moved(members, earlier, results)
      for (const [index, { service }] of members.entries()) {
        this.release(service)
        const result = results[index]
        const waiters = this.asked.get(service) ?? []
        this.asked.delete(service)
        if (result !== undefined) for (const resolve of waiters) resolve(result)
      }
      return results
    })
    for (const [index, { service }] of members.entries()) {
      this.occupy(
        service,
        done.then((results) => results[index] ?? LEFT),
      )
    }
    return done
  }

  private async begin(members: readonly Member[], since: number): Promise<ReloadResult[]> {
    try {
      const [only] = members
      const configured = members.length === 1 && only !== undefined ? configure(this.machine, only, since) : undefined
      return configured === undefined ? await move(this.machine, members, since) : [await configured]
    } catch (thrown) {
      // A movement never rejects by contract: a defect of the kernel must not keep a service busy for ever.
      const error = this.machine.faults.describe(thrown)
      this.machine.options.log.error(`a movement broke: ${error.message}`, { stack: String((thrown as Error)?.stack) })
      return members.map(() => failedReload(error))
    }
  }

  /** One under way is left to end first: whatever ends looks again. */
  stop(service: ServiceRecord): void {
    if (service.busy) {
      if (service.candidate !== undefined) abandon(service.candidate)
      return
    }
    const gone = failedReload(toErrorData(coded('service_stopped', { api: service.api })))
    // Another kernel may have begun it: then what served is draining by now.
    const earlier = service.live ?? [...service.draining].at(-1)
    const term = this.terms
    const done = stopService(this.machine, service).then(() => {
      // The kernel that has taken over ends what still drains.
      if (term !== this.terms) return LEFT
      stopped(this.machine, service)
      this.options.journal.stopped(service, earlier)
      for (const resolve of service.reloadWaiters.splice(0)) resolve(gone)
      this.options.onGone(service)
      if (this.machine.services.get(service.api) === service) this.machine.services.delete(service.api)
      this.release(service)
      return { ...gone, ok: true, error: null }
    })
    this.occupy(service, done)
  }

  /** Its version had stood down for one that a kernel before was building: it serves again, then the files are looked at. */
  restore(service: ServiceRecord): void {
    setState(service, 'starting')
    const restoring = restore(this.machine, service, this.machine.options.clock.monotonic()).then(() => {
      if (this.machine.gone) return LEFT
      if (service.live === undefined) setState(service, 'failed')
      this.release(service)
      return LEFT
    })
    this.occupy(service, restoring)
  }

  private occupy(service: ServiceRecord, running: Promise<ReloadResult>): void {
    service.busy = true
    service.graceSince = undefined
    this.options.onBegin(service)
    this.running.set(service, running)
  }

  private release(service: ServiceRecord): void {
    if (this.machine.gone) return
    service.busy = false
    this.running.delete(service)
    this.machine.ring()
  }
}
