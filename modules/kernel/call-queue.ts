/**
 * Calls that wait for a service: bounded, each with a deadline, in their order. Calls made before the first plan wait
 * for it, and are decided again when it is made. Every queued call ends: admitted, refused, or out of time.
 */
import type { CallerRecord, QueuedCall, ServiceRecord } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import type { Machine } from './machine.ts'

const ignore = (): void => {}

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
  ): Promise<unknown> {
    const { clock } = this.machine.options
    const limits = this.machine.limitsOf(service?.desired)
    const queue = service?.queue ?? this.earlyQueue(api)
    if (queue.length >= limits.queue_calls_max) {
      if (service !== undefined) service.refusedCalls++
      return rejected(coded('queue_full', { api, limit: limits.queue_calls_max }))
    }
    caller.starting?.waitsFor.add(api)
    caller.waiting.set(api, (caller.waiting.get(api) ?? 0) + 1)
    const promise = new Promise((resolve, reject) => {
      const leave = (): void => {
        if (queued.timer !== undefined) clock.clear(queued.timer)
        caller.starting?.waitsFor.delete(api)
        const left = (caller.waiting.get(api) ?? 1) - 1
        if (left > 0) caller.waiting.set(api, left)
        else caller.waiting.delete(api)
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
    })
    promise.catch(ignore)
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
