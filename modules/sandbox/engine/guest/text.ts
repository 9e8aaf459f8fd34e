/** `TextEncoder` and `TextDecoder` of UTF-8; a byte that fits nowhere becomes U+FFFD, or a TypeError with `fatal`. */

export class TextEncoder {
  readonly encoding = 'utf-8'

  encode(given: unknown = ''): Uint8Array {
    const text = String(given)
    const bytes = new Uint8Array(text.length * 3)
    return bytes.slice(0, write(text, bytes).written)
  }

  encodeInto(given: unknown, bytes: Uint8Array): { read: number; written: number } {
    return write(String(given), bytes)
  }
}

function write(text: string, bytes: Uint8Array): { read: number; written: number } {
  let written = 0
  let read = 0
  while (read < text.length) {
    const unit = text.codePointAt(read) as number
    const lone = unit >= 0xd800 && unit <= 0xdfff
    const point = lone ? 0xfffd : unit
    const size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
    if (written + size > bytes.length) break
    if (size === 1) bytes[written] = point
    else {
      const lead = size === 2 ? 0xc0 : size === 3 ? 0xe0 : 0xf0
      bytes[written] = lead | (point >> (6 * (size - 1)))
      for (let at = 1; at < size; at++) bytes[written + at] = 0x80 | ((point >> (6 * (size - 1 - at))) & 63)
    }
    written += size
    read += unit > 0xffff ? 2 : 1
  }
  return { read, written }
}

const CHUNK = 4_096

export class TextDecoder {
  readonly encoding = 'utf-8'
  readonly fatal: boolean
  readonly ignoreBOM: boolean
  #rest: number[] = []
  #begun = false

  constructor(label: unknown = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!/^\s*(?:utf-?8|unicode-1-1-utf-8)\s*$/i.test(String(label))) {
      throw new RangeError(`the encoding ${String(label)} is not here: only utf-8 is`)
    }
    this.fatal = options.fatal === true
    this.ignoreBOM = options.ignoreBOM === true
  }

  decode(given?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
    const bytes = viewOf(given)
    const all = this.#rest.length === 0 ? bytes : Uint8Array.from([...this.#rest, ...bytes])
    this.#rest = []
    let out = ''
    let units: number[] = []
    for (let at = 0; at < all.length; ) {
      const { point, size, cut } = characterAt(all, at)
      if (cut && options.stream === true) {
        this.#rest = [...all.subarray(at)]
        break
      }
      if (point === -1 && this.fatal) throw new TypeError('The encoded data was not valid for encoding utf-8')
      const isMark = point === 0xfeff && !this.#begun && !this.ignoreBOM
      this.#begun = true
      if (!isMark) units.push(point === -1 ? 0xfffd : point)
      at += size
      if (units.length >= CHUNK) {
        out += String.fromCodePoint(...units)
        units = []
      }
    }
    if (options.stream !== true) this.#begun = false
    return out + String.fromCodePoint(...units)
  }
}

function viewOf(given: ArrayBuffer | ArrayBufferView | undefined): Uint8Array {
  if (given === undefined) return new Uint8Array(0)
  if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
  return new Uint8Array(given)
}

/** One character, or -1 with how many bytes of it are wrong; `cut` when the bytes end within it. */
function characterAt(bytes: Uint8Array, at: number): { point: number; size: number; cut: boolean } {
  const first = bytes[at] as number
  if (first < 0x80) return { point: first, size: 1, cut: false }
  const size = first >= 0xf0 && first <= 0xf4 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0
  if (size === 0 || first > 0xf4) return { point: -1, size: 1, cut: false }
  let point = first & (0x7f >> size)
  for (let offset = 1; offset < size; offset++) {
    const next = bytes[at + offset]
    if (next === undefined) return { point: -1, size: offset, cut: true }
    const [low, high] = offset > 1 ? [0x80, 0xbf] : secondOf(first)
    if (next < low || next > high) return { point: -1, size: offset, cut: false }
    point = (point << 6) | (next & 63)
  }
  return { point, size, cut: false }
}

/** Overlong forms and surrogates are told by the second byte. */
function secondOf(first: number): [number, number] {
  switch (first) {
    case 0xe0:
      return [0xa0, 0xbf]
    case 0xed:
      return [0x80, 0x9f]
    case 0xf0:
      return [0x90, 0xbf]
    case 0xf4:
      return [0x80, 0x8f]
    default:
      return [0x80, 0xbf]
  }
}
