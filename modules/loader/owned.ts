/**
 * What evaluated code gets instead of the process-wide timers, `process` and `globalThis`: versions that belong to
 * the file's record and end with it. A callback that throws is told to the owner instead of ending the process.
 * This is hygiene for trusted code, not a boundary: packages and `AbortSignal.timeout` are not covered.
 */
import timersPromises from 'node:timers/promises'
import { promisify } from 'node:util'
import { coded } from '../lib/errors.ts'
import type { OwnedBuiltin } from './resolve.ts'

export interface OwnedScope {
  /** Names bound in the evaluated code, in the order of `SCOPE_NAMES`. */
  readonly values: readonly unknown[]
  builtin(name: OwnedBuiltin): Readonly<Record<string, unknown>>
  /** Clears all timers. Timers made afterwards are not armed. */
  close(): void
  /** Timers armed and not yet fired. */
  readonly size: number
}

export const SCOPE_NAMES = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'queueMicrotask',
  'process',
  'globalThis',
  'global',
] as const

type Callback = (...args: unknown[]) => unknown
type AnyTimer = NodeJS.Timeout | NodeJS.Immediate

const REFUSED_PROCESS = new Set<string | symbol>(
  'exit abort kill chdir reallyExit dlopen umask setuid setgid seteuid setegid setgroups initgroups on once addListener prependListener prependOnceListener removeAllListeners setUncaughtExceptionCaptureCallback setSourceMapsEnabled'.split(
    ' ',
  ),
)

const ownedProcess: NodeJS.Process = new Proxy(process, {
  get(target, member) {
    if (REFUSED_PROCESS.has(member)) {
      return () => {
        throw coded('process_refused', { member: String(member) })
      }
    }
    return Reflect.get(target, member, target) as unknown
  },
  set(_target, member) {
    throw coded('process_refused', { member: String(member) })
  },
})

const ownedProcessModule = new Proxy(ownedProcess as unknown as Record<string, unknown>, {
  get: (target, name) => (name === 'default' ? ownedProcess : (Reflect.get(target, name) as unknown)),
  has: (target, name) => name === 'default' || Reflect.has(target, name),
})

/** The timers of one record: what each was made by knows how to end it. */
class OwnedTimers {
  readonly timers = new Map<AnyTimer, () => void>()
  readonly aborts = new Set<AbortController>()
  closed = false
  private readonly report: (thrown: unknown) => void

  constructor(report: (thrown: unknown) => void) {
    this.report = report
  }

  guarded(callback: Callback, args: unknown[]): void {
    try {
      const result = callback(...args)
      if (result instanceof Promise) result.catch(this.report)
    } catch (thrown) {
      this.report(thrown)
    }
  }

  track<T extends AnyTimer>(timer: T, clear: (timer: T) => void): T {
    if (this.closed) clear(timer)
    else this.timers.set(timer, () => clear(timer))
    return timer
  }

  close(): void {
    this.closed = true
    for (const clear of this.timers.values()) clear()
    this.timers.clear()
    for (const abort of this.aborts) abort.abort()
    this.aborts.clear()
  }
}

const checked = (callback: unknown): Callback => {
  if (typeof callback !== 'function') throw new TypeError('The callback must be a function')
  return callback as Callback
}

function timerFunctions(owned: OwnedTimers): Record<string, unknown> {
  const ownedSetTimeout = (callback: unknown, ms?: number, ...args: unknown[]): NodeJS.Timeout => {
    const run = checked(callback)
    const timer: NodeJS.Timeout = setTimeout(() => {
      owned.timers.delete(timer)
      owned.guarded(run, args)
    }, ms)
    return owned.track(timer, clearTimeout)
  }
  const ownedSetInterval = (callback: unknown, ms?: number, ...args: unknown[]): NodeJS.Timeout => {
    const run = checked(callback)
    const timer = setInterval(() => owned.guarded(run, args), ms)
    return owned.track(timer, clearInterval)
  }
  const ownedSetImmediate = (callback: unknown, ...args: unknown[]): NodeJS.Immediate => {
    const run = checked(callback)
    const timer: NodeJS.Immediate = setImmediate(() => {
      owned.timers.delete(timer)
      owned.guarded(run, args)
    })
    return owned.track(timer, clearImmediate)
  }
  // The two kinds are never mixed: clearImmediate() on a timeout or a number breaks Node's own count of immediates.
  const clear = (timer: unknown): void => {
    owned.timers.delete(timer as AnyTimer)
    clearTimeout(timer as NodeJS.Timeout)
  }
  const ownedClearImmediate = (timer: unknown): void => {
    if (owned.timers.delete(timer as AnyTimer)) clearImmediate(timer as NodeJS.Immediate)
  }
  const promises = ownedTimersPromises(owned.aborts, () => owned.closed)
  Object.defineProperty(ownedSetTimeout, promisify.custom, { value: promises['setTimeout'] })
  Object.defineProperty(ownedSetImmediate, promisify.custom, { value: promises['setImmediate'] })
  return {
    setTimeout: ownedSetTimeout,
    setInterval: ownedSetInterval,
    setImmediate: ownedSetImmediate,
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: ownedClearImmediate,
    promises,
  }
}

export function createOwnedScope(report: (thrown: unknown) => void): OwnedScope {
  const owned = new OwnedTimers(report)
  const { promises, ...timers } = timerFunctions(owned)
  const globals: Record<string, unknown> = {
    ...timers,
    queueMicrotask: (callback: unknown) => {
      const run = checked(callback)
      queueMicrotask(() => owned.guarded(run, []))
    },
    process: ownedProcess,
  }
  const ownedGlobal: object = new Proxy(globalThis, {
    get: (target, name) => {
      if (typeof name === 'string' && Object.hasOwn(globals, name)) return globals[name]
      return Reflect.get(target, name, target) as unknown
    },
  })
  globals['globalThis'] = ownedGlobal
  globals['global'] = ownedGlobal
  return {
    values: SCOPE_NAMES.map((name) => globals[name]),
    builtin: (name) => ownedBuiltin(name, { ...timers, promises }, promises as Record<string, unknown>),
    close: () => owned.close(),
    get size() {
      return owned.timers.size + owned.aborts.size
    },
  }
}

function ownedBuiltin(
  name: OwnedBuiltin,
  timers: Record<string, unknown>,
  promises: Record<string, unknown>,
): Record<string, unknown> {
  switch (name) {
    case 'timers':
      return { ...timers, default: timers }
    case 'timers/promises':
      return { ...promises, default: promises }
    case 'process':
      return ownedProcessModule
    default: {
      const never: never = name
      return never
    }
  }
}

type PromiseOptions = { signal?: AbortSignal; ref?: boolean }

/** `timers/promises` whose waits reject with an AbortError when the owner ends. */
function ownedTimersPromises(aborts: Set<AbortController>, isClosed: () => boolean): Record<string, unknown> {
  const join = (options: PromiseOptions | undefined): { options: PromiseOptions; done: () => void } => {
    const controller = new AbortController()
    const outer = options?.signal
    const forward = (): void => controller.abort(outer?.reason)
    if (isClosed() || outer?.aborted === true) controller.abort(outer?.reason)
    outer?.addEventListener('abort', forward, { once: true })
    aborts.add(controller)
    const done = (): void => {
      aborts.delete(controller)
      outer?.removeEventListener('abort', forward)
    }
    return { options: { ...options, signal: controller.signal }, done }
  }
  const wait = <T>(make: (options: PromiseOptions) => Promise<T>, options?: PromiseOptions): Promise<T> => {
    const joined = join(options)
    const waiting = make(joined.options).finally(joined.done)
    return waiting
  }
  return {
    setTimeout: (ms?: number, value?: unknown, options?: PromiseOptions) =>
      wait((joined) => timersPromises.setTimeout(ms, value, joined), options),
    setImmediate: (value?: unknown, options?: PromiseOptions) =>
      wait((joined) => timersPromises.setImmediate(value, joined), options),
    setInterval: async function* (ms?: number, value?: unknown, options?: PromiseOptions) {
      const joined = join(options)
      try {
        yield* timersPromises.setInterval(ms, value, joined.options)
      } finally {
        joined.done()
      }
    },
    scheduler: {
      wait: (ms: number, options?: PromiseOptions) =>
        wait((joined) => timersPromises.setTimeout(ms, undefined, joined), options),
      yield: () => wait((joined) => timersPromises.setImmediate(undefined, joined)),
    },
  }
}
