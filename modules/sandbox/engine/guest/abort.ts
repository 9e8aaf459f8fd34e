/** AbortController and AbortSignal as modules of the web know them, and the events they need. */

type Listener = ((event: Event) => void) | { handleEvent(event: Event): void }

export class Event {
  readonly type: string
  target: unknown = null
  defaultPrevented = false

  constructor(type: string) {
    this.type = String(type)
  }

  preventDefault(): void {
    this.defaultPrevented = true
  }
}

/** Where a listener's throw goes. */
const faults: { report: (thrown: unknown) => void } = { report: () => {} }
export const onListenerFault = (report: (thrown: unknown) => void): void => {
  faults.report = report
}

export class EventTarget {
  #listeners = new Map<string, { listener: Listener; once: boolean }[]>()

  addEventListener(type: string, listener: Listener | null, options?: boolean | { once?: boolean }): void {
    if (listener === null) return
    const known = this.#listeners.get(type) ?? []
    if (known.some((one) => one.listener === listener)) return
    const once = typeof options === 'object' && options !== null && options.once === true
    this.#listeners.set(type, [...known, { listener, once }])
  }

  removeEventListener(type: string, listener: Listener | null): void {
    const known = this.#listeners.get(type)
    if (known === undefined) return
    this.#listeners.set(
      type,
      known.filter((one) => one.listener !== listener),
    )
  }

  dispatchEvent(event: Event): boolean {
    event.target = this
    for (const { listener, once } of this.#listeners.get(event.type) ?? []) {
      if (once) this.removeEventListener(event.type, listener)
      try {
        if (typeof listener === 'function') listener.call(this, event)
        else listener.handleEvent(event)
      } catch (thrown) {
        faults.report(thrown)
      }
    }
    return !event.defaultPrevented
  }
}

export class DOMException extends Error {
  constructor(message = '', name = 'Error') {
    super(message)
    this.name = name
  }
}

const SECRET = {}

export class AbortSignal extends EventTarget {
  aborted = false
  reason: unknown = undefined
  onabort: ((event: Event) => void) | null = null

  constructor(secret?: unknown) {
    super()
    if (secret !== SECRET) throw new TypeError('Illegal constructor')
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }

  static abort(reason?: unknown): AbortSignal {
    const controller = new AbortController()
    controller.abort(reason)
    return controller.signal
  }

  static timeout(ms: number): AbortSignal {
    const controller = new AbortController()
    const late = (): void =>
      controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
    ;(globalThis as unknown as { setTimeout(work: () => void, ms: number): void }).setTimeout(late, ms)
    return controller.signal
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const controller = new AbortController()
    const all = [...signals]
    const done = all.find((one) => one.aborted)
    if (done !== undefined) controller.abort(done.reason)
    else for (const one of all) one.addEventListener('abort', () => controller.abort(one.reason), { once: true })
    return controller.signal
  }
}

export class AbortController {
  readonly signal = new AbortSignal(SECRET)

  abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    const { signal } = this
    if (signal.aborted) return
    signal.aborted = true
    signal.reason = reason
    const event = new Event('abort')
    try {
      signal.onabort?.(event)
    } catch (thrown) {
      faults.report(thrown)
    }
    signal.dispatchEvent(event)
  }
}
