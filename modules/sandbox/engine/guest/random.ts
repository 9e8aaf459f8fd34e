/**
 * `crypto` in an isolate. Random bytes are ChaCha20 of a seed the process gave at the start; digests are asked for, since
 * an isolate has none.
 */
import type { Channel } from './channel.ts'

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))

function quarter(s: Uint32Array, a: number, b: number, c: number, d: number): void {
  const at = (index: number): number => s[index] as number
  s[a] = at(a) + at(b)
  s[d] = rotate(at(d) ^ at(a), 16)
  s[c] = at(c) + at(d)
  s[b] = rotate(at(b) ^ at(c), 12)
  s[a] = at(a) + at(b)
  s[d] = rotate(at(d) ^ at(a), 8)
  s[c] = at(c) + at(d)
  s[b] = rotate(at(b) ^ at(c), 7)
}

/** 64 bytes a block. The first half of each becomes the next key: what was given out cannot be worked back. */
class Generator {
  private key: Uint32Array
  private ready = new Uint8Array(0)

  constructor(seed: string) {
    this.key = Uint32Array.from({ length: 8 }, (_one, index) =>
      Number.parseInt(seed.slice(index * 8, index * 8 + 8), 16),
    )
  }

  write(into: Uint8Array): void {
    for (let at = 0; at < into.length; ) {
      if (this.ready.length === 0) this.block()
      const count = Math.min(this.ready.length, into.length - at)
      into.set(this.ready.subarray(0, count), at)
      this.ready = this.ready.slice(count)
      at += count
    }
  }

  private block(): void {
    const start = Uint32Array.from([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, ...this.key, 0, 0, 0, 0])
    const s = start.slice()
    for (let round = 0; round < 10; round++) {
      quarter(s, 0, 4, 8, 12)
      quarter(s, 1, 5, 9, 13)
      quarter(s, 2, 6, 10, 14)
      quarter(s, 3, 7, 11, 15)
      quarter(s, 0, 5, 10, 15)
      quarter(s, 1, 6, 11, 12)
      quarter(s, 2, 7, 8, 13)
      quarter(s, 3, 4, 9, 14)
    }
    for (let index = 0; index < 16; index++) s[index] = (s[index] as number) + (start[index] as number)
    this.key = s.slice(0, 8)
    this.ready = new Uint8Array(s.slice(8).buffer)
  }
}

const RANDOM_BYTES_MAX = 65_536

export function createCrypto(channel: Channel, seed: string): object {
  const generator = new Generator(seed)
  const getRandomValues = <T extends ArrayBufferView>(view: T): T => {
    if (!ArrayBuffer.isView(view)) throw new TypeError('getRandomValues() fills a typed array')
    if (view.byteLength > RANDOM_BYTES_MAX) throw new RangeError(`no more than ${RANDOM_BYTES_MAX} bytes at once`)
    generator.write(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
    return view
  }
  return {
    getRandomValues,
    randomUUID(): string {
      const bytes = getRandomValues(new Uint8Array(16))
      bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
      bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    },
    subtle: {
      async digest(algorithm: string | { name: string }, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer> {
        const name = typeof algorithm === 'string' ? algorithm : algorithm.name
        const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data)
        const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
        const digest = (await channel.askLocal('digest', { algorithm: String(name), bytes })) as Uint8Array
        return digest.buffer as ArrayBuffer
      },
    },
  }
}
