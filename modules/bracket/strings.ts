/**
 * The two ways to write text, read in any number of pieces: quoted with JSON's escapes, and raw between `<<END` and
 * `END`. `read` gives true when the string has ended and `value` holds it, false when more has to come; what it cannot
 * decide yet stays in the input. Both throw a `Refusal` that points at the string.
 */
import { isSpace, type Input } from './input.ts'
import { Pieces } from './pieces.ts'
import { Refusal } from './refusal.ts'
import { BRACKET_LIMITS } from './types.ts'

const ESCAPES: Record<string, string> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** From the first character of a string to after its last one. */
export type Span = readonly [from: number, to: number]

/** More of a string has been read. */
export type OnPiece = ((piece: string) => void) | undefined

/** After a string only a delimiter may follow. */
export const isDelimiter = (code: number): boolean =>
  code === 44 || code === 125 || code === 93 || code === 58 || isSpace(code)

export class QuotedReader {
  opened = 0
  private readonly pieces = new Pieces()
  private quote: '"' | "'" = '"'

  /** At the opening quote. */
  begin(input: Input): void {
    this.pieces.take()
    this.opened = input.offset
    this.quote = input.text[input.at] === "'" ? "'" : '"'
    input.at++
  }

  read(input: Input, onPiece: OnPiece): boolean {
    const { text } = input
    for (;;) {
      const quote = input.next(this.quote)
      const end = Math.min(quote, input.next('\\'))
      if (end > input.at) this.take(text.slice(input.at, end), onPiece)
      input.at = end
      if (end === text.length) {
        if (input.ended) throw this.unclosed()
        return false
      }
      if (end === quote) return this.close(input)
      if (!this.escape(input, onPiece)) return false
    }
  }

  private take(piece: string, onPiece: OnPiece): void {
    this.pieces.add(piece)
    onPiece?.(piece)
  }

  get value(): string {
    return this.pieces.whole()
  }

  /** A quote inside is a mistake that is never guessed away: nobody knows where the string should end. */
  private close(input: Input): boolean {
    const next = input.text.charCodeAt(input.at + 1)
    if (Number.isNaN(next)) {
      if (!input.ended) return false
    } else if (!isDelimiter(next)) {
      throw new Refusal(
        'quote_inside_string',
        input.offset,
        `The string ends here, but \`${input.text[input.at + 1]}\` follows`,
        `Write a quote inside a string as \\${this.quote}, or use <<END … END for code.`,
      )
    }
    input.at++
    return true
  }

  private escape(input: Input, onPiece: OnPiece): boolean {
    const { text, at } = input
    const char = text[at + 1]
    const length = char === 'u' ? 6 : 2
    if (at + length > text.length) {
      if (input.ended) throw this.unclosed()
      return false
    }
    if (char === 'u') {
      const digits = text.slice(at + 2, at + 6)
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
        throw new Refusal(
          'bad_escape',
          input.offset,
          '`\\u` needs four hexadecimal digits',
          'Write the character itself.',
        )
      }
      this.take(String.fromCharCode(Number.parseInt(digits, 16)), onPiece)
    } else {
      const value = ESCAPES[char ?? '']
      if (value === undefined) {
        throw new Refusal(
          'bad_escape',
          input.offset,
          `\`\\${char}\` is no escape`,
          'Write a backslash as \\\\, or use <<END … END for code.',
        )
      }
      this.take(value, onPiece)
    }
    input.at += length
    return true
  }

  private unclosed(): Refusal {
    const { quote } = this
    const hint = `Add the closing ${quote}; write a quote inside as \\${quote}.`
    return new Refusal('unclosed_string', this.opened, 'This string is never closed', hint)
  }
}

const RAW_BEGIN = /<<([A-Za-z0-9_]{1,32})[ \t]*\r?\n/y
const RAW_BEGIN_CHARS = 40

export class RawReader {
  value = ''
  opened = 0
  private tag = ''
  private lineStart = true
  /** a line break that is content only if more follows */
  private told = ''

  /** At a `<`. Undefined when it cannot be told yet whether raw text begins here. */
  begin(input: Input): boolean | undefined {
    const { text, at } = input
    RAW_BEGIN.lastIndex = at
    const found = RAW_BEGIN.exec(text)
    if (found === null || found[0].length > RAW_BEGIN_CHARS) {
      const rest = text.slice(at, at + RAW_BEGIN_CHARS)
      const isOpen = !input.ended && rest.length < RAW_BEGIN_CHARS && /^<(<[A-Za-z0-9_]*[ \t]*\r?)?$/.test(rest)
      return isOpen ? undefined : false
    }
    this.value = ''
    this.opened = input.offset
    this.tag = found[1] ?? ''
    this.lineStart = true
    this.told = ''
    input.at += found[0].length
    return true
  }

  /** Lines as they are, up to the tag at the start of one; no escapes, no last line break. */
  read(input: Input, onPiece: OnPiece): boolean {
    const { text, at } = input
    for (let tag = text.indexOf(this.tag, at); tag >= 0; tag = text.indexOf(this.tag, tag + 1)) {
      const from = this.lineBefore(text, at, tag)
      if (from === undefined) continue
      const after = tag + this.tag.length
      const next = text.charCodeAt(after)
      if (Number.isNaN(next) && !input.ended) break
      if (!Number.isNaN(next) && (next === 58 || !isDelimiter(next))) continue
      this.take(text.slice(at, from), onPiece)
      this.value = this.value.slice(0, -1)
      input.at = after
      return true
    }
    const end = input.ended ? text.length : this.decided(text, at)
    this.take(text.slice(at, end), onPiece)
    if (end > at) this.lineStart = text[end - 1] === '\n'
    input.at = end
    if (!input.ended) return false
    const hint = `Put ${this.tag} alone on a line after the text.`
    throw new Refusal('unclosed_raw', this.opened, `\`<<${this.tag}\` is never closed`, hint)
  }

  private take(piece: string, onPiece: OnPiece): void {
    if (piece === '') return
    this.value += piece
    if (onPiece === undefined) return
    const whole = this.told + piece
    this.told = whole.endsWith('\n') ? '\n' : ''
    onPiece(whole.slice(0, whole.length - this.told.length))
  }

  /** Where the line of a tag begins, when only blanks stand before it. */
  private lineBefore(text: string, at: number, tag: number): number | undefined {
    let from = tag
    while (from > at && (text[from - 1] === ' ' || text[from - 1] === '\t')) from--
    if (tag - from > BRACKET_LIMITS.line_chars_max) return undefined
    return (from === at ? this.lineStart : text[from - 1] === '\n') ? from : undefined
  }

  /** Up to where text is content, whatever comes: the last line may still become the end. */
  private decided(text: string, at: number): number {
    const line = text.lastIndexOf('\n') + 1
    if (line < at || (line === at && !this.lineStart)) return text.length
    const rest = text.slice(line)
    if (rest.length > BRACKET_LIMITS.line_chars_max + this.tag.length) return text.length
    return this.tag.startsWith(rest.replace(/^[ \t]+/, '')) ? line : text.length
  }
}
