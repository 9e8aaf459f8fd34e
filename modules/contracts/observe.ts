/**
 * What a module may hear of calls between services: each call that was timed, when it has ended. Calls with options and
 * one call a second of each handle are timed anyway; an observer may want all calls from one service to another.
 */

/** A call that has ended, as its caller saw it. `args`, `result` and `thrown` are the values themselves: not to be changed. */
export interface FinishedCall {
  /** undefined: the call belongs to no trace */
  trace: string | undefined
  /** empty for a call that belongs to no trace and was given none */
  span: string
  /** the span that made the call, when it is known */
  parent: string | undefined
  caller: string
  caller_generation: number
  callee: string
  aspect: string
  method: string
  kind: 'call' | 'stream'
  /** who answered; null when nobody took the call */
  version: AnsweringVersion | null
  /** epoch milliseconds */
  at: number
  ms: number
  outcome: 'ok' | 'error'
  args: readonly unknown[]
  /** of a stream: its last item */
  result: unknown
  thrown: unknown
  /** `record:` of the callee's config, as it is written */
  record: unknown
}

/** One that has begun and is to be told. */
export interface BegunCall {
  readonly trace: string | undefined
  readonly span: string
  readonly parent: string | undefined
  readonly context: CallContext | undefined
  readonly at: number
  /** monotonic ms */
  readonly since: number
  version: AnsweringVersion | null
  record: unknown
}

export interface AnsweringVersion {
  generation: number
  source_hash: string
  config_hash: string
}

/** Calls from one service to another, for who decides whether all of them are told. */
export interface CallPair {
  caller: string
  callee: string
  /** `record:` of their configs, as it is written; undefined where it is not set */
  caller_record: unknown
  callee_record: unknown
}

export interface CallObserver {
  /** Told each timed call. On the path of the call: quick, and what it throws is a fault of the observer only. */
  ended(call: FinishedCall): void
  /** Whether every call is to be told, not only the timed ones. Asked now and then, and at each call that is told. */
  wants?(pair: CallPair): boolean
  /**
   * Full tracing: `run` runs the work of a call so that `current` answers its place in all that follows from it. Both
   * must not throw by themselves. Undefined while it is switched off.
   */
  around?(): CallContext | undefined
}

export interface CallContext {
  /** the place in a trace, as `with({trace})` takes it */
  current(): string | undefined
  run<T>(place: string, work: () => T): T
}
