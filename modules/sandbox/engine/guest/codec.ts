/**
 * How values cross: as JSON text in which what JSON does not know stands as `{"$": …}`, and bytes beside it. Whoever
 * encodes reads each property once and makes the text itself, so that its size is known before anything crosses; whoever
 * decodes gets plain data whatever was written. Pass: JSON values, undefined, NaN, ±Infinity, −0, BigInt, Date, Map, Set,
 * ArrayBuffer, typed arrays, Error (name, message, code), AbortSignal. Instances of classes pass as their own properties.
 * Refused: functions, symbols, promises, cycles, what is too large or too deep. Used on both sides of the boundary.
 */
import {
  BufferPrototype,
  bufferLength,
  bufferOf,
  Bytes,
  bytesOf,
  DatePrototype,
  eachOfMap,
  eachOfSet,
  ErrorPrototype,
  getPrototypeOf,
  inherits,
  isArray,
  isFiniteNumber,
  isView,
  keys,
  kindOf,
  MapPrototype,
  ObjectPrototype,
  offsetOf,
  PromisePrototype,
  SetPrototype,
  setPrototypeOf,
  ViewPrototype,
  setBytes,
  text,
  timeOf,
} from './primordials.ts'

const DEPTH_MAX = 1_000

export interface SignalPort {
  /** Its number on the way out, or undefined when this is no signal. */
  out(value: object): { id: number; aborted: boolean } | undefined
  in(id: number, aborted: boolean): unknown
}

/** Refused before it crosses. `code` is a row of the table of errors; `reason` completes its message. */
export class NotPassed {
  readonly code: 'sandbox_message_size' | 'sandbox_value'
  readonly reason: string

  constructor(code: 'sandbox_message_size' | 'sandbox_value', reason: string) {
    this.code = code
    this.reason = reason
  }
}

const refuse = (what: string): never => {
  throw new NotPassed('sandbox_value', `${what} cannot cross`)
}

/** One message on its way out. */
export class Encoder {
  /** text and bytes so far, roughly; exact enough to stop early */
  size = 0
  readonly parts: Uint8Array[] = newList() as Uint8Array[]
  private readonly max: number
  private readonly base: number
  private readonly signals: SignalPort | undefined
  private bytes = 0
  private depth = 0
  private readonly open = newList()

  /** `base`: bytes that stand before those of this message */
  constructor(max: number, base: number, signals?: SignalPort) {
    this.max = max
    this.base = base
    this.signals = signals
  }

  private count(size: number): void {
    this.size += size
    if (this.size > this.max) {
      throw new NotPassed('sandbox_message_size', `it is larger than ${text(this.max)} bytes`)
    }
  }

  /** A tree that JSON can write. */
  value(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        this.count(value.length + 2)
        return value
      case 'number':
        this.count(8)
        if (isFiniteNumber(value) && !(value === 0 && 1 / value < 0)) return value
        return { $: 'n', v: value === 0 ? '-0' : text(value) }
      case 'boolean':
        this.count(5)
        return value
      case 'undefined':
        this.count(9)
        return { $: 'u' }
      case 'bigint': {
        const digits = text(value)
        this.count(digits.length)
        return { $: 'i', v: digits }
      }
      case 'object':
        return value === null ? (this.count(4), null) : this.object(value)
      default:
        return refuse(`a ${typeof value}`)
    }
  }

  private object(value: object): unknown {
    this.count(2)
    if (this.depth >= DEPTH_MAX) refuse(`what is nested more than ${text(DEPTH_MAX)} levels deep`)
    for (let index = 0; index < this.depth; index++) if (this.open[index] === value) refuse('what holds itself')
    this.open[this.depth++] = value
    const tree = this.members(value)
    this.depth--
    this.open.length = this.depth
    return tree
  }

  private members(value: object): unknown {
    const prototype = getPrototypeOf(value)
    if (prototype === ObjectPrototype || prototype === null) return this.record(value as Record<string, unknown>)
    if (isArray(value)) return this.list(value)
    if (isView(value) || inherits(BufferPrototype, value)) return this.binary(value)
    if (inherits(DatePrototype, value)) return { $: 'd', v: this.value(timeOf(value)) }
    if (inherits(MapPrototype, value)) return this.map(value)
    if (inherits(SetPrototype, value)) return this.set(value)
    if (inherits(ErrorPrototype, value)) return this.error(value as Error)
    if (inherits(PromisePrototype, value)) return refuse('a promise')
    const signal = this.signals?.out(value)
    if (signal !== undefined) return { $: 's', v: signal.id, a: signal.aborted }
    return this.record(value as Record<string, unknown>)
  }

  private record(value: Record<string, unknown>): unknown {
    const names = keys(value)
    let tree: Record<string, unknown> = {}
    let entries: unknown[] | undefined
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string
      this.count(name.length + 4)
      const member = this.value(value[name])
      // These two would say something else as keys of the text.
      if (entries === undefined && (name === '$' || name === '__proto__')) {
        entries = newList()
        for (let before = 0; before < index; before++) put(entries, [names[before], tree[names[before] as string]])
        tree = {}
      }
      if (entries === undefined) tree[name] = member
      else put(entries, [name, member])
    }
    return entries === undefined ? tree : { $: 'o', v: entries }
  }

  private list(value: readonly unknown[]): unknown[] {
    const { length } = value
    this.count(length * 2)
    const tree = newList()
    for (let index = 0; index < length; index++) put(tree, this.value(value[index]))
    return tree
  }

  private map(value: object): unknown {
    const entries = newList()
    eachOfMap(value, ((member: unknown, key: unknown) => put(entries, [this.value(key), this.value(member)])) as never)
    return { $: 'm', v: entries }
  }

  private set(value: object): unknown {
    const entries = newList()
    eachOfSet(value, ((member: unknown) => put(entries, this.value(member))) as never)
    return { $: 't', v: entries }
  }

  private error(value: Error): unknown {
    const { name, message } = value
    const { code } = value as { code?: unknown }
    const tree: Record<string, unknown> = { $: 'e', n: this.value(text(name)), v: this.value(text(message)) }
    if (typeof code === 'string') tree['c'] = this.value(code)
    return tree
  }

  private binary(value: object): unknown {
    const isBuffer = !isView(value)
    const view = !isBuffer && inherits(ViewPrototype, value)
    if (view) refuse('a DataView')
    const length = isBuffer ? bufferLength(value) : bytesOf(value)
    this.count(length + 24)
    const from = isBuffer ? new Bytes(value as ArrayBuffer) : new Bytes(bufferOf(value), offsetOf(value), length)
    // Shared memory is no ArrayBuffer here: what is copied is what was checked.
    const copy = new Bytes(length)
    setBytes(copy, from)
    put(this.parts, copy)
    const at = this.base + this.bytes
    this.bytes += length
    return { $: 'b', t: isBuffer ? 'ArrayBuffer' : kindOf(value), o: at, n: length }
  }
}

/** Without its prototype: a setter that a module puts there is not called. */
const newList = (): unknown[] => setPrototypeOf([], null) as unknown[]

function put<T>(list: T[], value: T): void {
  list[list.length] = value
}

/** The bytes beside a text, one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array | undefined {
  if (parts.length <= 1) return parts[0]
  let length = 0
  for (let index = 0; index < parts.length; index++) length += (parts[index] as Uint8Array).length
  const whole = new Bytes(length)
  let at = 0
  for (let index = 0; index < parts.length; index++) {
    setBytes(whole, parts[index] as Uint8Array, at)
    at += (parts[index] as Uint8Array).length
  }
  return whole
}
