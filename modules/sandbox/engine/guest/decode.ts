/** The way back from what `codec.ts` made: plain data, whatever was written. Used on both sides of the boundary. */
import type { SignalPort } from './codec.ts'
import {
  big,
  bufferOf,
  Bytes,
  defineProperty,
  isArray,
  keys,
  mapSet,
  NativeDate,
  NativeError,
  NativeMap,
  NativeSet,
  setAdd,
  setBytes,
  subarray,
  text,
} from './primordials.ts'

const TYPED = {
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
}

interface Tagged {
  $: string
  v?: unknown
  t?: string
  o?: number
  n?: number | string
  c?: unknown
  a?: boolean
}

const NO_BYTES = new Bytes(0)

/** The values of one packet on its way in. Throws for what no encoder writes. */
export class Decoder {
  private readonly bytes: Uint8Array
  private readonly signals: SignalPort | undefined

  constructor(bytes: Uint8Array | undefined, signals?: SignalPort) {
    this.bytes = bytes ?? NO_BYTES
    this.signals = signals
  }

  /** Changes the tree it is given, and returns it. */
  value(tree: unknown): unknown {
    if (typeof tree !== 'object' || tree === null) return tree
    if (isArray(tree)) {
      const list = tree as unknown[]
      for (let index = 0; index < list.length; index++) list[index] = this.value(list[index])
      return list
    }
    const record = tree as Record<string, unknown>
    if (typeof record['$'] === 'string') return this.tagged(record as unknown as Tagged)
    const names = keys(record)
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string
      const member = record[name]
      if (typeof member === 'object' && member !== null) own(record, name, this.value(member))
    }
    return record
  }

  private tagged(tag: Tagged): unknown {
    const { v } = tag
    switch (tag.$) {
      case 'u':
        return undefined
      case 'n':
        return v === '-0' ? -0 : v === 'NaN' ? Number.NaN : v === 'Infinity' ? Infinity : -Infinity
      case 'i':
        return big(v as string)
      case 'd':
        return new NativeDate(this.value(v) as number)
      case 'o': {
        const record = {}
        this.pairs(v, (name, member) => own(record, text(name), member))
        return record
      }
      case 'm': {
        const map = new NativeMap<unknown, unknown>()
        this.pairs(v, (key, member) => void mapSet(map, key, member))
        return map
      }
      case 't':
        return this.set(v as unknown[])
      case 'e':
        return this.error(tag)
      case 'b':
        return this.binary(tag)
      case 's':
        return this.signals?.in(Number(v), tag.a === true)
      default:
        throw new TypeError('unknown tag')
    }
  }

  private pairs(list: unknown, visit: (key: unknown, value: unknown) => void): void {
    const entries = list as [unknown, unknown][]
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index] as [unknown, unknown]
      visit(this.value(entry[0]), this.value(entry[1]))
    }
  }

  private set(members: readonly unknown[]): Set<unknown> {
    const set = new NativeSet<unknown>()
    for (let index = 0; index < members.length; index++) setAdd(set, this.value(members[index]))
    return set
  }

  private error({ n, v, c }: Tagged): Error {
    const error = new NativeError(text(v))
    error.name = text(n)
    if (c !== undefined) own(error, 'code', c)
    return error
  }

  private binary({ t, o, n }: Tagged): unknown {
    const copy = new Bytes(n as number)
    setBytes(copy, subarray(this.bytes, o, Number(o) + Number(n)))
    const buffer = bufferOf(copy)
    if (t === 'ArrayBuffer') return buffer
    const Typed = TYPED[t as keyof typeof TYPED]
    return new Typed(buffer)
  }
}

const own = (record: object, name: string, value: unknown): void => {
  defineProperty(record, name, { value, writable: true, enumerable: true, configurable: true })
}
