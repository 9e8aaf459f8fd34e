/**
 * What stands between the words of a block: spaces, comments (`#` and `//`, only where a line starts), and the line that
 * closes the fence around it. Used by the block reader.
 */
import type { Input } from './input.ts'
import { closes } from './lines.ts'

/** Answers instead of a character: more has to come, and nothing of the block comes any more. */
export const MORE = -1
export const END = -2

export class Spaces {
  private readonly ticks: number
  private inComment = false

  constructor(ticks: number) {
    this.ticks = ticks
  }

  /** The code of the next character that counts; the input stands at it. */
  next(input: Input): number {
    for (;;) {
      if (this.inComment && !this.skipLine(input)) return MORE
      const code = input.toNonSpace()
      if (Number.isNaN(code)) return input.ended ? END : MORE
      if (!input.blank) return code
      const special = this.atLineStart(input, code)
      if (special !== undefined) return special
    }
  }

  /** Undefined when a comment begins here. */
  private atLineStart(input: Input, code: number): number | undefined {
    const { text, at, ended } = input
    if (code === 96) {
      const isEnd = closes(text, at, this.ticks, ended)
      if (isEnd !== false) return isEnd === undefined ? MORE : END
    }
    if (code === 47 && at + 1 >= text.length && !ended) return MORE
    this.inComment = code === 35 || (code === 47 && text.charCodeAt(at + 1) === 47)
    if (this.inComment) return undefined
    input.blank = false
    return code
  }

  private skipLine(input: Input): boolean {
    const end = input.text.indexOf('\n', input.at)
    input.at = end < 0 ? input.text.length : end
    this.inComment = end < 0 && !input.ended
    return !this.inComment
  }
}
