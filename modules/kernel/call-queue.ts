/**
 * Calls that wait for a service: bounded, each with a deadline, in their order. Calls made before the first plan wait
 * for it, and are decided again when it is made. Every queued call ends: admitted, refused, or out of time.
 */
import type { CallerRecord, QueuedCall, ServiceRecord } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import { mayPass, startWaiting, stopWaiting } from './admission.ts'
import type { Machine } from './machine.ts'

const ignore = (): void => {}

/** How a caller with options gives up: `end` takes its call out of the queue it may stand in. */
export interface Patience {
  end: () => void
}

export class CallQueue {
  private readonly early = new Map<string, QueuedCall[]>()
  private readonly machine: Machine

  constructor(machine: Machine) {
    this.machine = machine
  }

  /** `run` is called when the service is live (or its fate is known) and gives the call's outcome. */
  add(
    api: string,
    caller: CallerRecord,
    service: ServiceRecord | undefined,
    run: () => Promise<unknown>,
    patience?: Patience,
  ): Promise<unknown> {
    const { clock } = this.machine.options
    const limits = this.machine.limitsOf(service?.desired)
    const queue = service?.queue ?? this.earlyQueue(api)
    if (queue.length >= limits.queue_calls_max) {
      if (service !== undefined) service.refusedCalls++
      return rejected(coded('queue_full', { api, limit: limits.queue_calls_max }))
    }
    caller.starting?.waitsFor.add(api)
    startWaiting(caller, api)
    const promise = new Promise((resolve, reject) => {
      const leave = (): void => {
        if (queued.timer !== undefined) clock.clear(queued.timer)
        caller.starting?.waitsFor.delete(api)
        stopWaiting(caller, api)
      }
      const queued: QueuedCall = {
        caller,
        admit: () => {
          leave()
          // What comes is a promise, or a stream: a promise of it.
          resolve(run())
        },
        reject: (error) => {
          leave()
          reject(error)
        },
        timer: clock.after(limits.queue_ms, () => {
          queue.splice(queue.indexOf(queued), 1)
          if (service !== undefined) service.refusedCalls++
          queued.reject(coded('queue_timeout', { api, ms: limits.queue_ms }))
        }),
      }
      queue.push(queued)
      const drop = (): void => {
        const at = queue.indexOf(queued)
        if (at >= 0) queue.splice(at, 1)
        if (at >= 0) leave()
      }
      if (patience !== undefined) patience.end = drop
    })
    promise.catch(ignore)
    // A caller further down this very stack may turn out to be who the service waits for.
    if (service?.state === 'switching') queueMicrotask(() => this.letThrough(service))
    return streamable(promise)
  }

  private earlyQueue(api: string): QueuedCall[] {
    const queue = this.early.get(api) ?? []
    this.early.set(api, queue)
    return queue
  }

  /** The first plan is made: early calls are decided again, now that the names are known. */
  settleEarly(): void {
    const queues = [...this.early.values()]
    this.early.clear()
    for (const queue of queues) for (const queued of queue.splice(0)) queued.admit()
  }

  /** Admits the queued calls that a service which becomes quiet turns out to wait for itself. */
  letThrough(service: ServiceRecord): void {
    if (service.state !== 'switching') return
    const { services } = this.machine
    for (const queued of service.queue.filter((one) => mayPass(service, one.caller, services))) {
      service.queue.splice(service.queue.indexOf(queued), 1)
      queued.admit()
    }
  }

  flush(service: ServiceRecord): void {
    for (const queued of service.queue.splice(0)) queued.admit()
  }

  refuseAll(service: ServiceRecord, error: unknown): void {
    for (const queued of service.queue.splice(0)) {
      service.refusedCalls++
      queued.reject(error)
    }
  }
}

/** A rejection the caller may ignore: failed calls are counted, never "unhandled". */
export function rejected(error: unknown): Promise<never> {
  const promise = Promise.reject(error)
  promise.catch(ignore)
  return promise
}

/** A call that waits may turn out to be a stream: its promise can also be read with `for await`. */
function streamable(promise: Promise<unknown>): Promise<unknown> {
  const read = async function* (): AsyncGenerator {
    yield* (await promise) as AsyncGenerator
  }
  return Object.defineProperty(promise, Symbol.asyncIterator, { value: read })
}
