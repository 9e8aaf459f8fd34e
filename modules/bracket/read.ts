/**
 * Reads one block, `{call: name {params {…}}}`, from a position in a text. Every JSON object is a block's body.
 * Strings decide where they end, so a fence inside a string is content. Throws a `Refusal` that carries its place;
 * `scan.ts` turns it into a part and goes on with the next call.
 */
import type { Json, JsonMap } from '../contracts/seams.ts'
import { Refusal } from './refusal.ts'
import { readQuoted, readRaw } from './strings.ts'
import { BRACKET_LIMITS, type BracketErrorCode } from './types.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_.:/-]*$/
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Members that may stand alone, as an empty map. */
const EMPTY_GROUPS = new Set(['params', 'data'])

export interface Block {
  head: 'call' | 'result'
  name: string
  members: JsonMap
  /** offset after the closing brace */
  end: number
}

/** From the first character of a string to after its last one. */
export type Span = readonly [from: number, to: number]

/** `ticks`: length of the fence around; a line of as many ends the block. `strings` is filled with the whole strings read. */
export function readBlock(text: string, at: number, ticks: number, strings: Span[]): Block {
  return new Reader(text, at, ticks, strings).block()
}

const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text)

function setOwn(map: JsonMap, key: string, value: Json): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
}

class Reader {
  private readonly text: string
  private at: number
  private readonly start: number
  private readonly strings: Span[]
  private readonly closing: RegExp
  /** where the maps and lists that are open now begin */
  private readonly open: number[] = []

  constructor(text: string, at: number, ticks: number, strings: Span[]) {
    this.text = text
    this.at = at
    this.start = at
    this.strings = strings
    this.closing = new RegExp(`\`{${ticks},}[ \\t]*\\r?(?:\\n|$)`, 'y')
  }

  block(): Block {
    const members = this.map(0)
    const [first] = Object.keys(members)
    if (first === undefined)
      throw this.refuse('no_head', this.start, 'The block is empty', 'Write `{call: tool_name {params {key: value}}}`.')
    if (first !== 'call' && first !== 'result') {
      throw this.refuse(
        'unknown_head',
        this.start,
        `A block begins with \`call:\`, not \`${short(first)}\``,
        'Write `{call: tool_name {params {key: value}}}`.',
      )
    }
    const name = members[first]
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw this.refuse(
        'bad_name',
        this.start,
        `\`${short(JSON.stringify(name))}\` is no name`,
        'A name has letters, digits and _ . : / -, and begins with a letter.',
      )
    }
    delete members[first]
    return { head: first, name, members, end: this.at }
  }

  private refuse(code: BracketErrorCode, at: number, message: string, hint: string): Refusal {
    return new Refusal(code, at, message, hint)
  }

  private space(): void {
    for (;;) {
      const char = this.text[this.at]
      if (char === ' ' || char === '\t' || char === '\n' || char === '\r') this.at++
      else if ((char === '#' || (char === '/' && this.text[this.at + 1] === '/')) && this.atLineStart()) this.skipLine()
      else return
    }
  }

  private atLineStart(): boolean {
    const before = this.text.slice(this.text.lastIndexOf('\n', this.at - 1) + 1, this.at)
    return before.trim() === ''
  }

  private skipLine(): void {
    const end = this.text.indexOf('\n', this.at)
    this.at = end < 0 ? this.text.length : end
  }

  /** `{` members `}`; nested braces without a key merge into the map around them. */
  private map(depth: number, map: JsonMap = {}): JsonMap {
    const opened = this.at
    this.limitDepth(depth)
    this.open.push(opened)
    this.at++
    let count = 0
    for (;;) {
      this.space()
      const char = this.text[this.at]
      if (char === undefined) throw this.unclosed(opened)
      if (this.at - this.start > BRACKET_LIMITS.block_chars_max)
        throw this.refuse(
          'too_long',
          this.at,
          'The block is too long',
          `At most ${BRACKET_LIMITS.block_chars_max} characters.`,
        )
      if (char === '}') {
        this.open.pop()
        this.at++
        return map
      }
      if (char === ',') {
        this.at++
        continue
      }
      if (char === ']')
        throw this.refuse(
          'mismatched',
          this.at,
          '`]` closes a list, but a map is open here',
          'Close the map with `}` first.',
        )
      if (++count > BRACKET_LIMITS.members_max)
        throw this.refuse('too_many', this.at, `More than ${BRACKET_LIMITS.members_max} members`, 'Send less at once.')
      if (char === '{') this.map(depth + 1, map)
      else this.member(map, depth)
    }
  }

  private unclosed(opened: number): Refusal {
    return this.refuse(
      'unclosed_block',
      opened,
      'This `{` is never closed',
      'Add the missing `}` before the end of the fence.',
    )
  }

  private limitDepth(depth: number): void {
    if (depth > BRACKET_LIMITS.depth_max)
      throw this.refuse('too_deep', this.at, `More than ${BRACKET_LIMITS.depth_max} levels`, 'Send the value flatter.')
  }

  private member(map: JsonMap, depth: number): void {
    const at = this.at
    const key = this.key()
    this.space()
    const char = this.text[this.at]
    if (char === ':') {
      this.at++
      this.space()
      this.put(map, key, this.value(depth + 1), at)
      return
    }
    if (char === '{') {
      this.put(map, key, this.groups(depth), at)
      return
    }
    if ((char === '}' || char === ',') && EMPTY_GROUPS.has(key)) {
      this.put(map, key, {}, at)
      return
    }
    throw this.refuse(
      'expected_colon',
      this.at,
      `\`:\` is missing after \`${short(key)}\``,
      `Write \`${short(key)}: value\`.`,
    )
  }

  /** `params {a: 1} {b: 2}`: the groups of one key are one map. */
  private groups(depth: number): JsonMap {
    const all: JsonMap = {}
    while (this.text[this.at] === '{') {
      this.map(depth + 1, all)
      this.space()
    }
    return all
  }

  private put(map: JsonMap, key: string, value: Json, at: number): void {
    if (Object.hasOwn(map, key))
      throw this.refuse('duplicate_key', at, `\`${short(key)}\` stands twice`, 'Keep one of them.')
    setOwn(map, key, value)
  }

  private key(): string {
    const at = this.at
    const char = this.text[at]
    if (char === '"' || char === "'") return this.take(readQuoted(this.text, this.at))
    const word = this.word(true)
    if (word === '')
      throw this.refuse(
        'expected_key',
        at,
        `A key is expected, not \`${char ?? ''}\``,
        'Write `key: value`; a value with spaces or signs needs "quotes".',
      )
    if (word.length > BRACKET_LIMITS.key_chars_max)
      throw this.refuse('too_long', at, 'The key is too long', `At most ${BRACKET_LIMITS.key_chars_max} characters.`)
    return word
  }

  private value(depth: number): Json {
    const at = this.at
    const char = this.text[at]
    if (char === '"' || char === "'") return this.take(readQuoted(this.text, this.at))
    if (char === '{') return this.map(depth)
    if (char === '[') return this.list(depth)
    if (char === '<' && /^<<[A-Za-z0-9_]{1,32}[ \t]*\r?\n/.test(this.text.slice(at, at + 40)))
      return this.take(readRaw(this.text, this.at))
    const word = this.word(false)
    if (word === '')
      throw this.refuse(
        'expected_value',
        at,
        `A value is expected, not \`${char ?? 'the end'}\``,
        'Write a number, true, false, null, a word, or text in "quotes".',
      )
    if (word === 'true') return true
    if (word === 'false') return false
    if (word === 'null') return null
    return NUMBER.test(word) && Number.isFinite(Number(word)) ? Number(word) : word
  }

  private take({ value, end }: { value: string; end: number }): string {
    this.strings.push([this.at, end])
    this.at = end
    return value
  }

  private word(stopAtColon: boolean): string {
    const at = this.at
    if (this.text[at] === '`' && this.atLineStart()) {
      this.closing.lastIndex = at
      if (this.closing.test(this.text)) throw this.unclosed(this.open.at(-1) ?? this.start)
    }
    for (let char = this.text[this.at]; char !== undefined; char = this.text[this.at]) {
      if (/[\s{}[\],"]/.test(char) || (stopAtColon && char === ':')) break
      this.at++
    }
    return this.text.slice(at, this.at)
  }

  private list(depth: number): Json[] {
    const opened = this.at
    this.limitDepth(depth)
    this.open.push(opened)
    this.at++
    const items: Json[] = []
    for (;;) {
      this.space()
      const char = this.text[this.at]
      if (char === undefined)
        throw this.refuse('unclosed_block', opened, 'This `[` is never closed', 'Add the missing `]`.')
      if (char === ']') {
        this.open.pop()
        this.at++
        return items
      }
      if (char === ',') {
        this.at++
        continue
      }
      if (char === '}')
        throw this.refuse(
          'mismatched',
          this.at,
          '`}` closes a map, but a list is open here',
          'Close the list with `]` first.',
        )
      if (items.length >= BRACKET_LIMITS.items_max)
        throw this.refuse('too_many', this.at, `More than ${BRACKET_LIMITS.items_max} items`, 'Send less at once.')
      items.push(this.value(depth + 1))
    }
  }
}
