/**
 * Calls that are not under way yet, as plain records, and the one way in for what was made under an earlier kernel.
 * Part of the kernel's state.
 */
import type { CallOptions } from './module.ts'
import type { BegunCall } from './observe.ts'
import type { TimerToken } from './seams.ts'
import type { AspectRoute, CallerRecord, GenerationRecord, HandleRecord } from './state.ts'

/** A call on its way to be admitted. */
export interface PendingCall {
  readonly route: AspectRoute
  readonly method: string
  readonly handle: HandleRecord | undefined
  readonly args: unknown[]
  /** told which version takes it. Must not throw. */
  readonly onAdmit: ((generation: GenerationRecord) => void) | undefined
  readonly patience: Patience | undefined
  /** its caller tells of it when it has ended */
  readonly told?: BegunCall | undefined
}

/** How a caller with options gives up: `end` takes its call out of the queue it may stand in. */
export interface Patience {
  end: () => void
}

/** Data only, so that a queue can be taken over: whoever admits it makes the call by its own means. */
export interface QueuedCall {
  readonly api: string
  readonly caller: CallerRecord
  /** undefined: nothing is called, somebody waits for the service to be live */
  readonly call: PendingCall | undefined
  /** settle the promise the caller has */
  readonly resolve: (outcome: unknown) => void
  readonly reject: (error: unknown) => void
  /** monotonic ms at which it is refused */
  readonly until: number
  timer: TimerToken | undefined
}

/** The way in for what was made under an earlier kernel and asks at each call. */
export interface CallsPort {
  invoke(
    route: AspectRoute,
    method: string,
    handle: HandleRecord | undefined,
    args: unknown[],
    onAdmit?: PendingCall['onAdmit'],
    patience?: Patience,
    told?: BegunCall,
  ): Promise<unknown>
  asAspect(handle: HandleRecord, route: AspectRoute, aspect: string): object
  withOptions(handle: HandleRecord, route: AspectRoute, options: CallOptions): object
}

/** What stands on the prototype of all handles to one aspect, besides the forwarders. */
export interface HandlePrototype {
  readonly _route: AspectRoute
}
