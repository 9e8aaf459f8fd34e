/**
 * A guest as the host holds it: asks it, answers what it asks, and says once that it has ended. What comes from it is
 * checked for its form here, since none of it is trusted; it is counted, and its stacks are led back to the sources. The
 * place it runs in (a child process, this one) is behind `Line`.
 */
import type { ErrorCode, ErrorData } from '../../contracts/errors.ts'
import type { Guest, GuestAsk, GuestEvents, GuestFacts, GuestLimits } from '../../contracts/sandbox.ts'
import type { Clock, TimerToken } from '../../contracts/seams.ts'
import { coded, codeOf, fromErrorData, toErrorData } from '../../lib/errors.ts'
import { Encoder, NotPassed } from './guest/codec.ts'
import { Decoder } from './guest/decode.ts'
import { Signals, type Held } from './guest/signals.ts'
import { asHostAsk, asTold } from './messages.ts'
import type { Prepared } from './program.ts'
import { errorFrom, mapStack, type CrossedError } from './stack-text.ts'

/** What a guest is reached by. */
export interface Line {
  send(text: string, bytes: Uint8Array | undefined): void
  close(): void
  usage(): Promise<{ cpu_ms: number; heap_bytes: number }>
}

interface Asked {
  kind: string
  what: unknown
  held: Held | undefined
  timer: TimerToken | undefined
  resolve(value: unknown): void
  reject(error: Error): void
}

export interface ClientOptions {
  line: Line
  limits: GuestLimits
  events: GuestEvents
  prepared: Prepared
  clock: Clock
  service: string
}

/** Questions that take as long as they take. */
const PATIENT = new Set<string>(['run', 'turn', 'next'])
const WINDOW_MS = 1_000

export class GuestClient implements Guest {
  facts: GuestFacts = { module: false, has: [] }
  private readonly options: ClientOptions
  private readonly asked = new Map<number, Asked>()
  private readonly signals: Signals
  private lastId = 0
  private ended: ErrorData | undefined
  /** of the guest, not answered yet */
  private open = 0
  private told = 0
  private windowAt = 0

  constructor(options: ClientOptions) {
    this.options = options
    this.signals = new Signals({
      isSignal: (value) => value instanceof AbortSignal,
      create: () => new AbortController(),
      tell: (id) => this.options.line.send(`[["x",${id}]]`, undefined),
    })
  }

  ask<K extends keyof GuestAsk>(
    kind: K,
    what: GuestAsk[K]['ask'],
    { wall_ms = PATIENT.has(kind) ? 0 : this.options.limits.wall_ms }: { wall_ms?: number } = {},
  ): Promise<GuestAsk[K]['answer']> {
    return this.question(kind, what, wall_ms)
  }

  /** Evaluates the program. */
  async load(): Promise<void> {
    this.facts = (await this.question('load', null, this.options.limits.wall_ms)) as GuestFacts
  }

  private question(kind: string, what: unknown, wall_ms: number): Promise<unknown> {
    if (this.ended !== undefined) return Promise.reject(fromErrorData(this.ended))
    const id = ++this.lastId
    return new Promise((resolve, reject) => {
      try {
        this.send(`["q",${id},"${kind}",`, what)
      } catch (thrown) {
        this.signals.claim()?.release()
        reject(notPassed(thrown, 'bad_arguments'))
        return
      }
      const late = (): void => this.settle(id, coded('sandbox_wall', { api: this.options.service, ms: wall_ms }))
      const timer = wall_ms > 0 ? this.options.clock.after(wall_ms, late, { ref: false }) : undefined
      this.asked.set(id, { kind, what, held: this.signals.claim(), timer, resolve, reject })
    })
  }

  private send(head: string, value: unknown): void {
    const encoder = new Encoder(this.options.limits.message_bytes_max, 0, this.signals)
    const text = `[${head}${JSON.stringify(encoder.value(value))}]]`
    this.options.line.send(text, encoder.parts.length > 1 ? Buffer.concat(encoder.parts) : encoder.parts[0])
  }

  private settle(id: number, error: Error | undefined, value?: unknown): void {
    const asked = this.asked.get(id)
    // Given up on before.
    if (asked === undefined) return
    this.asked.delete(id)
    if (asked.timer !== undefined) this.options.clock.clear(asked.timer)
    this.signals.settled(asked.held, asked.kind, asked.what)
    if (error === undefined) asked.resolve(value)
    else asked.reject(error)
  }

  /** One packet from the guest. */
  receive(text: string, bytes: Uint8Array | undefined): void {
    if (this.ended !== undefined) return
    try {
      const decoder = new Decoder(bytes, this.signals)
      for (const message of JSON.parse(text) as unknown[][]) this.take(message, decoder)
    } catch {
      this.break('sandbox_crashed', 'it sent what is no message')
    }
  }

  private take([kind, first, second, body]: unknown[], decoder: Decoder): void {
    switch (kind) {
      case 'a':
        if (second === 1) return this.settle(Number(first), undefined, decoder.value(body))
        return this.settle(Number(first), this.errorOf(decoder.value(body)))
      case 'q':
        return this.answer(Number(first), String(second), decoder.value(body))
      case 't':
        return this.tell(decoder.value(first))
      case 'x':
        return this.signals.abort(Number(first))
      default:
        throw new TypeError('unknown message')
    }
  }

  private errorOf(data: unknown): Error {
    return errorFrom(data, this.options.prepared)
  }

  private tell(data: unknown): void {
    const { clock, limits, events } = this.options
    const now = clock.monotonic()
    if (now - this.windowAt >= WINDOW_MS) {
      this.windowAt = now
      this.told = 0
    }
    if (++this.told > limits.messages_max)
      return this.break('sandbox_flood', `more than ${limits.messages_max} messages in a second`)
    const told = asTold(data)
    if (told === undefined) throw new TypeError('unknown message')
    if (told.tell === 'fault') told.error.stack = mapStack(told.error.stack, this.options.prepared)
    events.told(told)
  }

  private answer(id: number, kind: string, what: unknown): void {
    const held = this.signals.claim()
    const { limits, events } = this.options
    if (++this.open > limits.messages_max)
      return this.break('sandbox_flood', `more than ${limits.messages_max} open questions`)
    const reply = (head: string, value: unknown): void => {
      this.open--
      this.signals.settled(held, kind, what)
      if (this.ended !== undefined) return
      try {
        this.send(`["a",${id},${head},`, value)
      } catch (thrown) {
        this.send(`["a",${id},0,`, flat(notPassed(thrown, 'result_not_cloneable', what)))
      }
    }
    const asked = asHostAsk(kind, what)
    if (asked === undefined) throw new TypeError('unknown question')
    let answered: Promise<unknown>
    try {
      answered = events.ask(asked.kind, asked.what)
    } catch (thrown) {
      return reply('0', flat(thrown))
    }
    answered.then(
      (value) => reply('1', value),
      (thrown: unknown) => reply('0', flat(thrown)),
    )
  }

  /** An unhandled rejection. */
  fault(error: CrossedError): void {
    if (this.ended !== undefined) return
    const stack = mapStack(error.stack, this.options.prepared)
    this.options.events.told({ tell: 'fault', error: { ...error, stack } })
  }

  private break(code: ErrorCode, reason: string): void {
    this.options.line.close()
    this.end(toErrorData(coded(code, { api: this.options.service, reason })))
  }

  /** It has ended without being asked to. */
  end(error: ErrorData): void {
    if (this.ended !== undefined) return
    this.options.events.closed(error)
    this.over(error)
  }

  private over(error: ErrorData): void {
    this.ended = error
    for (const id of this.asked.keys()) this.settle(id, fromErrorData(error))
  }

  close(): Promise<void> {
    if (this.ended === undefined) {
      this.options.line.close()
      this.over(toErrorData(coded('stopped')))
    }
    return Promise.resolve()
  }

  usage(): Promise<{ cpu_ms: number; heap_bytes: number }> {
    if (this.ended !== undefined) return Promise.resolve({ cpu_ms: 0, heap_bytes: 0 })
    return this.options.line.usage()
  }
}

/** What a guest may know of an error out here: no stack, no place on this machine. */
function flat(thrown: unknown): { name: string; message: string; code?: string; hint?: string } {
  const { message, hint } = toErrorData(thrown)
  const code = codeOf(thrown)
  const name = thrown instanceof Error ? thrown.name : 'Error'
  return code === undefined ? { name, message } : { name, message, code, hint }
}

function notPassed(thrown: unknown, code: 'bad_arguments' | 'result_not_cloneable', of?: unknown): Error {
  if (!(thrown instanceof NotPassed)) return thrown as Error
  const { reason } = thrown
  if (thrown.code === 'sandbox_message_size') return coded('sandbox_message_size', { reason })
  const { api = 'a service', method = '' } = (of ?? {}) as { api?: string; method?: string }
  return coded(code, { api, method, reason })
}
