/**
 * The one line out of the isolate and the one line in. Messages of one burst leave as one packet; what a module may send
 * in one entry is counted here, where it cannot reach, and the other side counts again. Questions are answered once.
 *
 * Messages are arrays: `['q', id, kind, what]` a question, `['a', id, 1 | 0, value]` an answer, `['t', what]` something
 * told, `['x', id]` a signal aborts, `['w']` the time asked for has come.
 */
import type { GuestTold, HostAsk } from '../../../contracts/sandbox.ts'
import { Encoder, joined, NotPassed } from './codec.ts'
import { Decoder } from './decode.ts'
import { asThrown, coded, flatten, revive } from './errors.ts'
import { NativePromise, parse, stringify, Table, onSettled } from './primordials.ts'
import type { Held, Signals } from './signals.ts'

/** Where a packet goes: to whoever holds the guest, or no further than to the server it runs in. */
export const OUT = 0
export const LOCAL = 1

export type Send = (to: number, count: number, text: string, bytes: Uint8Array | undefined) => void

export interface ChannelLimits {
  message_bytes_max: number
  messages_max: number
}

export type Answer = (what: never) => unknown

interface Asked {
  kind: string
  what: unknown
  held: Held | undefined
  resolve(value: unknown): void
  reject(thrown: unknown): void
}

export class Channel {
  /** by the kind of question */
  answers: Record<string, Answer> = {}
  signals: Signals | undefined
  onWake: () => void = () => {}
  private readonly send: Send
  private readonly limits: ChannelLimits
  private readonly asked = new Table<Asked>()
  private lastId = 0
  private out = ''
  private waiting = 0
  private parts: Uint8Array[] = []
  private partBytes = 0
  /** within this entry */
  private count = 0
  private bytes = 0
  private over = false

  constructor(send: Send, limits: ChannelLimits) {
    this.send = send
    this.limits = limits
  }

  /** One entry: packets as they were made on the other side. */
  receive(packets: readonly (string | Uint8Array | undefined)[]): void {
    this.count = 0
    this.bytes = 0
    try {
      this.takeAll(packets)
    } catch {
      this.broken()
    }
  }

  private takeAll(packets: readonly (string | Uint8Array | undefined)[]): void {
    for (let index = 0; index < packets.length; index += 2) {
      const decoder = new Decoder(packets[index + 1] as Uint8Array | undefined, this.signals)
      const messages = parse(packets[index] as string) as unknown[][]
      for (let at = 0; at < messages.length; at++) this.take(messages[at] as unknown[], decoder)
    }
  }

  /** What a module did to its realm keeps this from working: an end with a reason is better than no answer. */
  private broken(): void {
    this.send(LOCAL, 1, '["b"]', undefined)
  }

  private take(message: unknown[], decoder: Decoder): void {
    const id = message[1] as number
    switch (message[0]) {
      case 'q':
        return this.answer(id, message[2] as string, decoder.value(message[3]))
      case 'a': {
        const asked = this.asked.take(id)
        if (asked !== undefined) this.signals?.settled(asked.held, asked.kind, asked.what)
        if (message[2] === 1) asked?.resolve(decoder.value(message[3]))
        else asked?.reject(revive(message[3] as never))
        return
      }
      case 'x':
        return this.signals?.abort(id)
      default:
        return this.onWake()
    }
  }

  private answer(id: number, kind: string, what: unknown): void {
    const held = this.signals?.claim()
    const reply = (ok: 0 | 1, value: unknown): void => {
      this.signals?.settled(held, kind, what)
      this.reply(id, ok, value)
    }
    let result: unknown
    try {
      result = (this.answers[kind] as Answer)(what as never)
    } catch (thrown) {
      return reply(0, thrown)
    }
    if ((typeof result !== 'object' && typeof result !== 'function') || result === null) return reply(1, result)
    void onSettled(
      adopt(result),
      (value) => reply(1, value),
      (thrown) => reply(0, thrown),
    )
  }

  private reply(id: number, ok: 0 | 1, value: unknown): void {
    if (ok === 1) {
      try {
        return this.put(`["a",${id},1,`, value, false)
      } catch (thrown) {
        return this.reply(id, 0, asThrown(thrown))
      }
    }
    try {
      this.put(`["a",${id},0,`, flatten(value), false)
    } catch {
      this.broken()
    }
  }

  ask<K extends keyof HostAsk>(kind: K, what: HostAsk[K]['ask']): Promise<HostAsk[K]['answer']> {
    return this.question(kind, what, OUT)
  }

  /** Answered by the server the isolate runs in. */
  askLocal(kind: string, what: unknown): Promise<unknown> {
    return this.question(kind, what, LOCAL)
  }

  private question(kind: string, what: unknown, to: number): Promise<never> {
    const id = ++this.lastId
    return new NativePromise((resolve: (value: never) => void, reject) => {
      if (this.asked.size >= this.limits.messages_max) this.flood()
      this.put(`["q",${id},"${kind}",`, what, true, to)
      this.asked.set(id, { kind, what, held: this.signals?.claim(), resolve, reject })
    })
  }

  tell(what: GuestTold): void {
    this.put('["t",', what, true)
  }

  abort(id: number): void {
    this.put('["x",', id, true)
  }

  wakeAfter(ms: number): void {
    this.spend(8)
    this.send(LOCAL, 1, `["w",${ms}]`, undefined)
  }

  /** Throws what keeps a value here; nothing of it has been sent then. */
  private put(head: string, value: unknown, counted: boolean, to = OUT): void {
    const encoder = new Encoder(this.limits.message_bytes_max, to === OUT ? this.partBytes : 0, this.signals)
    const tree = encoder.value(value)
    const body = stringify(tree)
    if (body.length > this.limits.message_bytes_max) {
      throw new NotPassed('sandbox_message_size', `it is larger than ${this.limits.message_bytes_max} bytes`)
    }
    if (counted) this.spend(body.length + encoder.size)
    if (to === LOCAL) return this.send(LOCAL, 1, `${head}${body}]`, joined(encoder.parts))
    for (let index = 0; index < encoder.parts.length; index++) {
      const part = encoder.parts[index] as Uint8Array
      this.parts[this.parts.length] = part
      this.partBytes += part.length
    }
    this.out = this.out === '' ? `[${head}${body}]` : `${this.out},${head}${body}]`
    if (++this.waiting === 1) void onSettled(NativePromise.resolve(), this.flush)
    else if (this.out.length + this.partBytes > this.limits.message_bytes_max) this.flush()
  }

  private readonly flush = (): void => {
    if (this.waiting === 0) return
    const { out, parts, waiting } = this
    this.out = ''
    this.parts = []
    this.partBytes = 0
    this.waiting = 0
    this.send(OUT, waiting, `${out}]`, joined(parts))
  }

  /** Counts what the module sends of its own accord. Over the budget it sends nothing any more, and is told on. */
  private spend(size: number): void {
    this.count++
    this.bytes += size
    if (this.count > this.limits.messages_max || this.bytes > this.limits.message_bytes_max * 4) this.flood()
  }

  private flood(): never {
    if (!this.over) this.send(LOCAL, 1, '["f"]', undefined)
    this.over = true
    throw coded('sandbox_flood', { reason: 'too many messages at once' })
  }
}

/** Whatever a module returns, its own `then` included, is waited for in its own time. */
const adopt = async (value: unknown): Promise<unknown> => {
  // A promise that is awaited, and not returned, is not asked for its `then`.
  const settled: unknown = await value
  return settled
}
