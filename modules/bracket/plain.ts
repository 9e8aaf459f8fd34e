/**
 * The quick way through a block that is all there and written plainly: no escapes, raw strings, comments or mistakes.
 * Most calls are. What it gives is what the block reader would give; of anything else it reads nothing, tells nothing,
 * and the block reader begins anew at the same brace. So it knows no errors, no warnings and no places. Used by the
 * scanner where nobody listens to pieces and values.
 */
import type { Json, JsonMap } from '../contracts/seams.ts'
import { toPart, type Reading } from './call.ts'
import { isSpace, type Input } from './input.ts'
import { Refusal } from './refusal.ts'
import { isDelimiter } from './strings.ts'
import { BRACKET_LIMITS, type CallPart, type ResultPart, type ScanListener } from './types.ts'
import { endsWord, valueOf } from './words.ts'

const { depth_max, members_max, items_max, key_chars_max, block_chars_max } = BRACKET_LIMITS

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN = 123
const CLOSE = 125
const LIST = 91
const LIST_END = 93

/** What a word may not begin with here: it could be a comment, a line of backticks, raw text, or a mistake. */
const beginsOddly = (code: number): boolean => code < 128 && "#/`<':=".includes(String.fromCharCode(code))
const ODD = Uint8Array.from({ length: 128 }, (_, code) => (endsWord(code) || beginsOddly(code) ? 1 : 0))

const FAILED = -1

/** A key that stands twice was put twice and is there once. */
const isWhole = (map: JsonMap, count: number): boolean =>
  count === 0 || count === 1 || (count !== FAILED && Object.keys(map).length === count)

/** Digits are their number, up to nine of them and without a zero before them; -1 for any other word. */
function smallNumber(word: string): number {
  const { length } = word
  if (length > 9 || (length > 1 && word.charCodeAt(0) === 48)) return -1
  let value = 0
  for (let at = 0; at < length; at++) {
    const digit = word.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Whether somebody wants to be told of a block before it is whole: that takes the block reader. */
export const isHeard = ({ head, piece, value }: ScanListener): boolean => (head ?? piece ?? value) !== undefined

/** The block the input stands at, and the input behind it; undefined when the block reader has to look at it. */
export function plainPart(
  input: Input,
  { at, results, repair }: Omit<Reading, 'source'>,
): CallPart | ResultPart | undefined {
  const { text } = input
  const block = new PlainBlock(text, input.at, repair)
  if (!block.read()) return undefined
  try {
    const part = toPart(block, [], { at, source: text.slice(input.at, block.at), results, repair })
    input.at = block.at
    return part
  } catch (thrown) {
    if (thrown instanceof Refusal) return undefined
    throw thrown
  }
}

class PlainBlock {
  // What was read, once `read` has given true:
  readonly members: JsonMap = {}
  first: 'call' | 'result' | undefined
  head = ''
  /** index behind the closing brace */
  at: number
  private readonly text: string
  private readonly python: boolean
  private backslash = -1

  /** At the opening brace. `python`: its constants would be read with a warning. */
  constructor(text: string, at: number, python: boolean) {
    this.text = text
    this.at = at
    this.python = python
  }

  /** False when the block reader has to look at it. */
  read(): boolean {
    const { members } = this
    const from = this.at++
    const count = this.map(members, 1)
    return isWhole(members, count) && this.at - from <= block_chars_max && this.first !== undefined
  }

  /** The code of the next character that is no space; NaN at the end. */
  private next(): number {
    const { text } = this
    let { at } = this
    let code = text.charCodeAt(at)
    while (isSpace(code)) code = text.charCodeAt(++at)
    this.at = at
    return code
  }

  /** Members up to the closing brace: how many were put into the map, or FAILED. */
  private map(into: JsonMap, depth: number): number {
    if (depth > depth_max) return FAILED
    let count = 0
    for (let members = 0; members <= members_max; ) {
      const code = this.next()
      if (code === CLOSE) {
        this.at++
        return count
      }
      if (code === COMMA) this.at++
      else {
        members++
        // Braces without a key belong to the map around them.
        const put = code === OPEN ? this.inner(into, depth) : this.member(into, depth, code)
        if (put === FAILED) return FAILED
        count += put
      }
    }
    return FAILED
  }

  private inner(into: JsonMap, depth: number): number {
    this.at++
    return this.map(into, depth + 1)
  }

  private member(into: JsonMap, depth: number, code: number): number {
    const key = code === QUOTE ? this.quoted() : this.word(code, COLON)
    if (key === undefined || key === '__proto__') return FAILED
    if (code !== QUOTE && (key.length > key_chars_max || key.includes('\\'))) return FAILED
    const after = this.next()
    let value: Json | undefined
    if (after === OPEN) value = this.groups(depth)
    else if (after === COLON) {
      this.at++
      value = this.value(this.next(), depth)
    }
    if (value === undefined) return FAILED
    if (into === this.members && (this.first ?? key) === key) return this.begin(key, value)
    into[key] = value
    return 1
  }

  /** It is no member, and stands once. */
  private begin(key: string, value: Json): number {
    if (this.first !== undefined || typeof value !== 'string' || (key !== 'call' && key !== 'result')) return FAILED
    this.first = key
    this.head = value
    return 0
  }

  private groups(depth: number): JsonMap | undefined {
    const map: JsonMap = {}
    let count = 0
    do {
      const put = this.inner(map, depth)
      if (put === FAILED) return undefined
      count += put
    } while (this.next() === OPEN)
    return isWhole(map, count) ? map : undefined
  }

  private value(code: number, depth: number): Json | undefined {
    if (code === QUOTE) return this.quoted()
    if (code === LIST) return this.list(depth + 1)
    if (code === OPEN) {
      const map: JsonMap = {}
      return isWhole(map, this.inner(map, depth)) ? map : undefined
    }
    const word = this.word(code, -1)
    return word === undefined ? undefined : this.meaning(word, code)
  }

  private list(depth: number): Json[] | undefined {
    if (depth > depth_max) return undefined
    const items: Json[] = []
    this.at++
    for (;;) {
      const code = this.next()
      if (code === COMMA) this.at++
      else if (code === LIST_END) {
        this.at++
        return items
      } else {
        const item = items.length < items_max ? this.value(code, depth) : undefined
        if (item === undefined) return undefined
        items.push(item)
      }
    }
  }

  private quoted(): string | undefined {
    const { text } = this
    const from = this.at + 1
    const end = text.indexOf('"', from)
    if (this.backslash < from) {
      const found = text.indexOf('\\', from)
      this.backslash = found < 0 ? text.length : found
    }
    if (end < 0 || this.backslash < end || !isDelimiter(text.charCodeAt(end + 1))) return undefined
    this.at = end + 1
    return text.slice(from, end)
  }

  /** `until` ends it too. Undefined for what may be none, and where its end has not come. */
  private word(first: number, until: number): string | undefined {
    if (!(first >= 128 || ODD[first] === 0)) return undefined
    const { text } = this
    const from = this.at
    let at = from
    let code = first
    while (code !== until && !endsWord(code)) code = text.charCodeAt(++at)
    this.at = at
    return code === QUOTE || code === LIST || at >= text.length ? undefined : text.slice(from, at)
  }

  private meaning(word: string, first: number): Json | undefined {
    // A brace behind it opens a map of its own.
    if (this.text.charCodeAt(this.at) === OPEN) return undefined
    if (first > 64 && word.length > 5) return word
    const short = smallNumber(word)
    if (short >= 0) return short
    const { value, note } = valueOf(word, this.python)
    return note === undefined ? value : undefined
  }
}
