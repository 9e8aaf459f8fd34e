/**
 * Reads one block, `{call: name {params {…}}}`, in any number of pieces, with an explicit stack. Every JSON object is a
 * block's body. `read` gives true at the closing brace and false when more has to come; what is wrong is thrown as a
 * `Refusal`. Of fences it knows the line only that would close the one around it. Used by the scanner.
 */
import type { Json, JsonMap } from '../contracts/seams.ts'
import type { Input } from './input.ts'
import { Frames, type Frame, type Kind } from './frames.ts'
import * as mistakes from './mistakes.ts'
import { short } from './refusal.ts'
import { END, MORE, Spaces } from './spaces.ts'
import { QuotedReader, RawReader, type OnPiece, type Span } from './strings.ts'
import { BRACKET_LIMITS, type BracketWarning, type ScanListener } from './types.ts'
import { EQUALS, valueOf, Words } from './words.ts'

/** Members that may stand alone, as an empty map. */
const EMPTY_GROUPS = new Set(['params', 'data'])

export interface BlockOptions {
  /** length of the fence around: a line of as many backticks ends the block */
  ticks: number
  /** reads what is nearly right, and says so in `warnings` */
  repair: boolean
  /** the constants of Python stand for those of JSON */
  constants: boolean
  listener?: Pick<ScanListener, 'head' | 'piece' | 'value'> | undefined
}

/** Where in a block the next character stands. */
const MEMBER = 0
const AFTER_KEY = 1
const VALUE = 2
const AFTER_GROUP = 3
const KEY = 4
const QUOTED = 5
const RAW = 6
const WORD = 7
const DONE = 8

export class BlockReader {
  /** what was read, once `read` has given true */
  readonly frames: Frames
  readonly warnings: BracketWarning[] = []
  /** whole strings that hold line breaks: nothing in them begins or ends anything */
  readonly spans: Span[] = []
  private readonly options: BlockOptions
  private readonly start: number
  private readonly spaces: Spaces
  private state = MEMBER
  private readonly quoted = new QuotedReader()
  private readonly raw = new RawReader()
  private readonly words = new Words()
  private inKey = false
  private onPiece: OnPiece
  private guessedColon = false

  /** At the opening brace. */
  constructor(input: Input, options: BlockOptions) {
    this.options = options
    this.start = input.offset
    this.frames = new Frames(options.listener)
    this.spaces = new Spaces(options.ticks)
    this.open('map', this.frames.members, input)
  }

  /** The maps that are open are taken as closed: for a block in which nothing else is missing. */
  closeAll(): boolean {
    const { frames } = this
    while (frames.depth > 0 && (this.state === MEMBER || this.state === AFTER_GROUP)) {
      if (this.state === AFTER_GROUP) this.deliver(frames.top.groups)
      this.close()
    }
    return frames.depth === 0
  }

  read(input: Input): boolean {
    while (this.state !== DONE) if (!this.step(input)) return false
    return true
  }

  private step(input: Input): boolean {
    const { state } = this
    if (state === MEMBER) return this.member(input)
    if (state === AFTER_KEY) return this.afterKey(input)
    if (state === VALUE) return this.value(input)
    if (state === AFTER_GROUP) return this.afterGroup(input)
    if (state === KEY) return this.key(input)
    if (state === WORD) return this.word(input)
    return this.string(input, state === RAW ? this.raw : this.quoted)
  }

  /** The next character that counts; MORE when it has not come yet. */
  private next(input: Input): number {
    const code = this.spaces.next(input)
    if (code !== END) return code
    const { kind, opened } = this.frames.top
    throw mistakes.unclosed(opened, kind === 'list' ? '[' : '{')
  }

  private open(kind: Kind, map: JsonMap, input: Input): void {
    this.frames.push(kind, map, input.offset)
    input.at++
    input.blank = false
    this.state = kind === 'list' ? VALUE : MEMBER
  }

  /** The innermost brace or bracket ends here. */
  private close(): void {
    const { kind, map, items } = this.frames.pop()
    if (this.frames.depth === 0) this.state = DONE
    else if (kind === 'merged') this.state = MEMBER
    else if (kind === 'group') this.state = AFTER_GROUP
    else this.deliver(kind === 'list' ? items : map)
  }

  private deliver(value: Json): void {
    this.frames.deliver(value)
    this.state = this.frames.top.kind === 'list' ? VALUE : MEMBER
  }

  private member(input: Input): boolean {
    const code = this.next(input)
    if (code === MORE) return false
    const { top } = this.frames
    const at = input.offset
    if (at - this.start > BRACKET_LIMITS.block_chars_max)
      throw mistakes.tooLong(at, 'block', BRACKET_LIMITS.block_chars_max)
    if (code === 44) input.at++
    else if (code === 125) {
      input.at++
      this.close()
    } else if (code === 93) {
      throw mistakes.listClosesMap(at)
    } else {
      const { members_max } = BRACKET_LIMITS
      if (++top.count > members_max) throw mistakes.tooMany(at, members_max, 'members')
      if (code === 123) this.open('merged', top.map, input)
      else this.beginKey(input, code)
    }
    return true
  }

  private beginKey(input: Input, code: number): void {
    this.frames.top.keyAt = input.offset
    this.inKey = true
    if (code === 34 || code === 39) {
      this.onPiece = undefined
      this.quoted.begin(input)
      this.state = QUOTED
    } else {
      this.words.begin()
      this.state = KEY
    }
  }

  private key(input: Input): boolean {
    const { repair } = this.options
    if (!this.words.read(input, true, repair ? EQUALS : undefined)) return false
    const { word } = this.words
    const at = this.frames.top.keyAt
    if (word === '') {
      throw mistakes.expectedKey(at, input.text[input.at])
    }
    if (word.length > BRACKET_LIMITS.key_chars_max) throw mistakes.tooLong(at, 'key', BRACKET_LIMITS.key_chars_max)
    if (word.includes('\\_')) {
      if (!repair) throw mistakes.escapedKey(at, word)
      this.warn('escaped_underscore', at, '`\\_` was read as `_`')
      this.named(word.replaceAll('\\_', '_'))
    } else this.named(word)
    return true
  }

  private named(key: string): void {
    this.frames.top.key = key
    this.state = AFTER_KEY
  }

  private afterKey(input: Input): boolean {
    const code = this.next(input)
    if (code === MORE) return false
    const { top } = this.frames
    const { key } = top
    if (code === 58) {
      input.at++
      this.state = VALUE
    } else if (code === 123) {
      top.groups = {}
      this.open('group', top.groups, input)
    } else if ((code === 125 || code === 44) && EMPTY_GROUPS.has(key)) this.deliver({})
    else if (this.options.repair && code === EQUALS) {
      this.warn('equals_sign', input.offset, '`=` was read as `:`')
      input.at++
      this.state = VALUE
    } else if (this.options.repair && !this.guessedColon && code !== 125 && code !== 44 && code !== 93) {
      this.guessedColon = true
      this.warn('missing_colon', input.offset, `a \`:\` was read after \`${short(key)}\``)
      this.state = VALUE
    } else {
      throw mistakes.expectedColon(input.offset, key)
    }
    return true
  }

  /** `params {a: 1} {b: 2}`: the groups of one key are one map. */
  private afterGroup(input: Input): boolean {
    const code = this.next(input)
    if (code === MORE) return false
    if (code === 123) this.open('group', this.frames.top.groups, input)
    else this.deliver(this.frames.top.groups)
    return true
  }

  private value(input: Input): boolean {
    const code = this.next(input)
    if (code === MORE) return false
    const { top } = this.frames
    if (top.kind === 'list' && this.betweenItems(input, code, top)) return true
    if (code === 34 || code === 39) {
      this.beginString()
      this.quoted.begin(input)
      this.state = QUOTED
    } else if (code === 123) this.open('map', {}, input)
    else if (code === 91) this.open('list', top.map, input)
    else if (code === 60 && input.text.charCodeAt(input.at + 1) !== 61) return this.beginRaw(input)
    else this.beginWord()
    return true
  }

  /** True when this was no item. */
  private betweenItems(input: Input, code: number, top: Frame): boolean {
    const { items_max } = BRACKET_LIMITS
    if (code === 44) input.at++
    else if (code === 93) {
      input.at++
      this.close()
    } else if (code === 125) {
      throw mistakes.mapClosesList(input.offset)
    } else if (top.items.length >= items_max) {
      throw mistakes.tooMany(input.offset, items_max, 'items')
    } else return false
    return true
  }

  private beginString(): void {
    const { listener } = this.options
    this.inKey = false
    if (listener?.piece === undefined) {
      this.onPiece = undefined
      return
    }
    const path = this.frames.path()
    this.onPiece = (piece) => listener.piece?.(path, piece)
  }

  private beginRaw(input: Input): boolean {
    const began = this.raw.begin(input)
    if (began === undefined) return false
    if (began) {
      this.beginString()
      this.state = RAW
    } else this.beginWord()
    return true
  }

  private beginWord(): void {
    this.words.begin()
    this.state = WORD
  }

  private string(input: Input, reader: QuotedReader | RawReader): boolean {
    if (!reader.read(input, this.onPiece)) return false
    const { value, opened } = reader
    if (value.includes('\n') || reader === this.raw) this.spans.push([opened, input.offset])
    input.blank = false
    if (this.inKey) this.named(value)
    else this.deliver(value)
    return true
  }

  private word(input: Input): boolean {
    const began = this.words.word
    if (!this.words.read(input, false)) return false
    const { word } = this.words
    const at = input.offset - word.length
    if (word === '' && began === '') {
      throw mistakes.expectedValue(at, input.text[input.at])
    }
    const { value, note } = valueOf(word, this.options.constants)
    if (note === 'precision') this.warn(note, at, `${short(word)} is too large to be exact; quote it`)
    if (note === 'python_constant') this.warn(note, at, `\`${word}\` was read as \`${String(value)}\``)
    this.deliver(value)
    return true
  }

  private warn(code: BracketWarning['code'], offset: number, message: string): void {
    if (this.warnings.length < BRACKET_LIMITS.repairs_max) this.warnings.push({ code, message, offset })
  }
}
