/**
 * The part of a message that is being read: what came with the last chunk, and the few characters before it that could
 * not be decided yet. A reader takes what it understands and leaves the rest; it never looks back.
 */
export class Input {
  text = ''
  /** the next character to be read */
  at = 0
  /** offset of the first character of `text` in the message */
  base = 0
  /** nothing comes any more */
  ended = false
  /** only blanks since the last line break */
  blank = true
  /** where these stand next, as far as it is known */
  private known: { '"': number; "'": number; '\\': number } | undefined

  feed(chunk: string): void {
    this.base += this.at
    this.text = this.at === this.text.length ? chunk : this.text.slice(this.at) + chunk
    this.at = 0
    this.forget()
  }

  /** Goes on at another place of the message, of which `text` is all that is known. */
  seek(text: string, offset: number): void {
    const inside = offset - this.base
    if (inside >= 0 && inside <= this.text.length) this.at = inside
    else {
      this.text = text.slice(offset)
      this.base = offset
      this.at = 0
    }
    this.forget()
  }

  private forget(): void {
    this.known = undefined
  }

  get offset(): number {
    return this.base + this.at
  }

  /** The code of the next character that is no space; NaN when it has not come, or nothing comes. */
  toNonSpace(): number {
    const { text } = this
    // A message may be megabytes of blanks: its place is written back once, not at each of them.
    let { at, blank } = this
    let code = text.charCodeAt(at)
    for (; isSpace(code); code = text.charCodeAt(++at)) if (code === 10) blank = true
    this.at = at
    this.blank = blank
    return code
  }

  /** The same as a character. */
  skipSpace(): string | undefined {
    return Number.isNaN(this.toNonSpace()) ? undefined : this.text[this.at]
  }

  /** Index of the next one, or the length of the text: looked for once, not at each string and each escape. */
  next(sign: '"' | "'" | '\\'): number {
    this.known ??= { '"': -1, "'": -1, '\\': -1 }
    const { known, text, at } = this
    if (known[sign] < at) {
      const found = text.indexOf(sign, at)
      known[sign] = found < 0 ? text.length : found
    }
    return known[sign]
  }
}

/** `\s` of regular expressions, quickly. */
export function isSpace(code: number): boolean {
  if (code <= 32) return code === 32 || (code >= 9 && code <= 13)
  return code >= 0xa0 && /\s/.test(String.fromCharCode(code))
}
