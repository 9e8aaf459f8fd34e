/**
 * How long a call may take: the whole of it, and each try until it begins and between two pieces of its answer. Holds
 * the caller's signal too, so that one signal says when to stop and its reason says why. Always `end()` both.
 */

const USAGE_MS = 5_000

export interface Times {
  total_ms: number
  connect_ms: number
  idle_ms: number
}

export class CallTime {
  readonly #end = new AbortController()
  readonly #times: Times
  readonly #caller: AbortSignal | undefined
  readonly #onCaller = (): void => this.#end.abort(this.#caller?.reason)
  readonly #now: () => number
  readonly #until: number
  readonly #timer: NodeJS.Timeout

  /** `late` makes the error of a call that took too long. */
  constructor(times: Times, caller: AbortSignal | undefined, now: () => number, late: () => Error) {
    this.#times = times
    this.#caller = caller
    this.#now = now
    this.#until = now() + times.total_ms
    this.#timer = setTimeout(() => this.#end.abort(late()), times.total_ms)
    if (caller?.aborted === true) this.#onCaller()
    else caller?.addEventListener('abort', this.#onCaller, { once: true })
  }

  /** Aborts when the call is over: its reason is what the caller is told. */
  get signal(): AbortSignal {
    return this.#end.signal
  }

  get leftMs(): number {
    return Math.max(0, this.#until - this.#now())
  }

  try(): TryTime {
    return new TryTime(this.#times, this.#end.signal)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#caller?.removeEventListener('abort', this.#onCaller)
  }
}

export class TryTime {
  readonly controller = new AbortController()
  /** why this try was given up, when it was for being slow */
  late: string | undefined
  readonly #times: Times
  readonly #call: AbortSignal
  readonly #onEnd = (): void => this.controller.abort(this.#call.reason)
  #timer: NodeJS.Timeout | undefined
  #idleMs: number

  constructor(times: Times, call: AbortSignal) {
    this.#times = times
    this.#idleMs = times.idle_ms
    this.#call = call
    if (call.aborted) this.#onEnd()
    else call.addEventListener('abort', this.#onEnd, { once: true })
  }

  /** From now on the server has to begin its answer. */
  connecting(): void {
    this.#wait(this.#times.connect_ms, (seconds) => `it did not begin to answer within ${seconds} s`)
  }

  /** From now on it has to say something more. Said again at each byte. */
  reading(): void {
    this.#wait(this.#idleMs, (seconds) => `its answer stood still for ${seconds} s`)
  }

  /** The answer has ended, and only its usage may follow: that is waited for a little. */
  ending(): void {
    this.#idleMs = Math.min(this.#times.idle_ms, USAGE_MS)
  }

  /** Nobody waits for the server just now. */
  pause(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** A byte has come: starts the wait anew, if there is one. */
  heard(): void {
    this.#timer?.refresh()
  }

  end(): void {
    this.pause()
    this.#call.removeEventListener('abort', this.#onEnd)
    this.controller.abort()
  }

  #wait(ms: number, why: (seconds: number) => string): void {
    this.pause()
    this.#timer = setTimeout(() => {
      this.late = why(ms / 1000)
      this.controller.abort()
    }, ms)
  }
}
