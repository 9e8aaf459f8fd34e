/**
 * What `kernel.getApi()` gives in an isolate. The other side knows the service; in here nobody can tell a call from a
 * stream, so a method's result is both: a promise that is asked for in the next microtask, unless it was read as a stream
 * by then. Names are checked over there.
 */
import type { CallOptions } from '../../../contracts/module.ts'
import type { HostAsk } from '../../../contracts/sandbox.ts'
import type { Channel } from './channel.ts'
import { coded } from './errors.ts'
import { create, freeze, onSettled } from './primordials.ts'

/** Never names of a method: asking for them must not call anybody. */
const OWN_NAMES = new Set<PropertyKey>(['then', 'toJSON', 'toString', 'valueOf', 'constructor', 'inspect'])

interface Stats {
  api: string
  aspect: string
  access_count: number
  last_access: number | null
  in_flight: number
  errors: number
  latency_ms: null
}

export class Handles {
  private readonly channel: Channel
  private lastStream = 0

  constructor(channel: Channel) {
    this.channel = channel
  }

  make(api: string, aspect = 'default', options?: CallOptions): object {
    const stats: Stats = { api, aspect, access_count: 0, last_access: null, in_flight: 0, errors: 0, latency_ms: null }
    const own: Record<PropertyKey, unknown> = {
      as: (name: string) => this.make(api, String(name), options),
      with: (more: CallOptions) => this.make(api, aspect, { ...options, ...more }),
      getStats: () => ({ ...stats }),
      toString: () => `[handle ${api}]`,
    }
    const get = (_target: object, method: PropertyKey): unknown => {
      if (Object.hasOwn(own, method)) return own[method]
      if (typeof method === 'symbol' || OWN_NAMES.has(method)) return undefined
      return (...args: unknown[]) => this.invoke(stats, { api, aspect, method: String(method), args }, options)
    }
    return new Proxy(freeze(create(null)) as object, { get })
  }

  private invoke(stats: Stats, what: Omit<HostAsk['call']['ask'], 'options'>, options?: CallOptions): unknown {
    const asked = options === undefined ? what : { ...what, options }
    let stream: AsyncGenerator | undefined
    let sent = false
    const promise = onSettled(Promise.resolve(), () => {
      sent = true
      if (stream !== undefined) return undefined
      stats.access_count++
      stats.last_access = Date.now()
      stats.in_flight++
      return onSettled(
        this.channel.ask('call', asked),
        (value) => {
          stats.in_flight--
          return value
        },
        (thrown) => {
          stats.in_flight--
          stats.errors++
          throw thrown
        },
      )
    })
    // As in a kernel, a failed call that nobody awaits is no fault.
    void onSettled(
      promise,
      () => undefined,
      () => undefined,
    )
    const reader = (): AsyncGenerator => {
      if (sent && stream === undefined) throw coded('sandbox_late_read', { method: `${what.api}.${what.method}` })
      stream ??= this.stream(asked)
      return stream
    }
    return Object.assign(promise, {
      next: (value: unknown) => reader().next(value as never),
      return: (value: unknown) => reader().return(value),
      throw: (thrown: unknown) => reader().throw(thrown),
      [Symbol.asyncIterator]: () => reader(),
    })
  }

  private async *stream(what: HostAsk['call']['ask']): AsyncGenerator {
    const stream = ++this.lastStream
    await this.channel.ask('open', { stream, ...what })
    try {
      for (;;) {
        const { done, value } = await this.channel.ask('next', { stream })
        if (done) return value
        yield value
      }
    } finally {
      await this.channel.ask('close', { stream })
    }
  }
}
