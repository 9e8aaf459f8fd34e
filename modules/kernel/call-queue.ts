/**
 * Calls that wait for a service: bounded, each with a deadline, in their order. Calls made before the first plan wait
 * for it, and are decided again when it is made. Every queued call ends: admitted, refused, or out of time.
 */
import type { PendingCall, QueuedCall } from '../contracts/calls.ts'
import type { CallerRecord, ServiceRecord } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import { mayPass, startWaiting, stopWaiting } from './admission.ts'
import type { Machine } from './machine.ts'

const ignore = (): void => {}

export interface CallQueueOptions {
  machine: Machine
  /** Makes a call that was queued: what comes is a promise, or a promise of a stream. Never throws. */
  attempt(call: PendingCall): Promise<unknown>
}

export class CallQueue {
  /** calls to names that may still come with the first plan */
  early = new Map<string, QueuedCall[]>()
  private readonly machine: Machine
  private readonly attempt: CallQueueOptions['attempt']

  constructor({ machine, attempt }: CallQueueOptions) {
    this.machine = machine
    this.attempt = attempt
  }

  /** Resolves with the call's outcome, made when the service is live; without a call, when it is live. */
  add(
    api: string,
    caller: CallerRecord,
    service: ServiceRecord | undefined,
    call: PendingCall | undefined,
  ): Promise<unknown> {
    const limits = this.machine.limitsOf(service?.desired)
    const queue = service?.queue ?? this.earlyQueue(api)
    if (queue.length >= limits.queue_calls_max) {
      if (service !== undefined) service.refusedCalls++
      return rejected(coded('queue_full', { api, limit: limits.queue_calls_max }))
    }
    caller.starting?.waitsFor.add(api)
    startWaiting(caller, api)
    const until = this.machine.options.clock.monotonic() + limits.queue_ms
    const promise = new Promise((resolve, reject) => {
      const queued: QueuedCall = { api, caller, call, resolve, reject, until, timer: undefined }
      queue.push(queued)
      this.arm(queue, queued)
      if (call?.patience !== undefined) call.patience.end = () => this.drop(queue, queued)
    })
    promise.catch(ignore)
    // A caller further down this very stack may turn out to be who the service waits for.
    if (service?.state === 'switching') queueMicrotask(() => this.letThrough(service))
    return streamable(promise)
  }

  private arm(queue: QueuedCall[], queued: QueuedCall): void {
    const { clock } = this.machine.options
    const { api, until } = queued
    queued.timer = clock.after(Math.max(0, until - clock.monotonic()), () => {
      const service = this.machine.services.get(api)
      const { queue_ms: ms } = this.machine.limitsOf(service?.desired)
      if (!take(queue, queued)) return
      if (service !== undefined) service.refusedCalls++
      this.refuse(queued, coded('queue_timeout', { api, ms }))
    })
  }

  private drop(queue: QueuedCall[], queued: QueuedCall): void {
    if (take(queue, queued)) this.leave(queued)
  }

  private leave({ caller, api, timer }: QueuedCall): void {
    if (timer !== undefined) this.machine.options.clock.clear(timer)
    caller.starting?.waitsFor.delete(api)
    stopWaiting(caller, api)
  }

  private admit(queued: QueuedCall): void {
    this.leave(queued)
    const { call } = queued
    queued.resolve(call === undefined ? undefined : this.attempt(call))
  }

  private refuse(queued: QueuedCall, error: unknown): void {
    this.leave(queued)
    queued.reject(error)
  }

  /** Every queue there is: of services, and of names nobody knows yet. */
  private *queues(): Iterable<QueuedCall[]> {
    for (const service of this.machine.services.values()) yield service.queue
    yield* this.early.values()
  }

  /** Its timers end: another kernel takes the queues. */
  letGo(): void {
    const { clock } = this.machine.options
    for (const queue of this.queues()) for (const { timer } of queue) if (timer !== undefined) clock.clear(timer)
  }

  /** Queues of another kernel: their deadlines go on. */
  adopt(early: Map<string, QueuedCall[]>): void {
    this.early = early
    for (const queue of this.queues()) {
      for (const queued of queue) {
        this.arm(queue, queued)
        if (queued.call?.patience !== undefined) queued.call.patience.end = () => this.drop(queue, queued)
      }
    }
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
    for (const queue of queues) for (const queued of queue.splice(0)) this.admit(queued)
  }

  /** Admits the queued calls that a service which becomes quiet turns out to wait for itself. */
  letThrough(service: ServiceRecord): void {
    if (service.state !== 'switching') return
    const { services } = this.machine
    for (const queued of service.queue.filter((one) => mayPass(service, one.caller, services))) {
      service.queue.splice(service.queue.indexOf(queued), 1)
      this.admit(queued)
    }
  }

  flush(service: ServiceRecord): void {
    for (const queued of service.queue.splice(0)) this.admit(queued)
  }

  refuseAll(service: ServiceRecord, error: unknown): void {
    for (const queued of service.queue.splice(0)) {
      service.refusedCalls++
      this.refuse(queued, error)
    }
  }
}

/** False when it was taken out before. */
function take(queue: QueuedCall[], queued: QueuedCall): boolean {
  const at = queue.indexOf(queued)
  if (at >= 0) queue.splice(at, 1)
  return at >= 0
}

/** A rejection the caller may ignore: failed calls are counted, never "unhandled". Who reads a stream gets it too. */
export function rejected(error: unknown): Promise<never> {
  let reject: (error: unknown) => void = ignore
  const promise = new Promise<never>((_resolve, no) => {
    reject = no
  })
  // Before it is rejected: Node keeps an account of rejections that nobody handles, which costs as much as the error.
  promise.catch(ignore)
  reject(error)
  return streamable(promise)
}

/** A call that waits may turn out to be a stream: its promise can also be read with `for await`. */
function streamable<T>(promise: Promise<T>): Promise<T> {
  const read = async function* (): AsyncGenerator {
    yield* (await promise) as AsyncGenerator
  }
  return Object.defineProperty(promise, Symbol.asyncIterator, { value: read })
}
