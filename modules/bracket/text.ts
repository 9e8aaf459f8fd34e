/**
 * The text between fences, and where it ends: at a line that opens a fence. Of messages of models it also sees what
 * was meant as one: a fence of another label around a call, a fence in the middle of a line, a call without a fence.
 * Used by the scanner.
 */
import type { Input } from './input.ts'
import { beginsBlock, beginsForeign, opens } from './lines.ts'
import { BRACKET_LIMITS } from './types.ts'

/** A fence that begins; the input stands behind its line. */
export interface Begun {
  /** offset of its line */
  at: number
  /** of the closing line, at least */
  ticks: number
  results: boolean
  /** it need not be one: without a call in it, it is text like any other */
  doubtful: boolean
  /** there is no fence, only a block at the start of a line */
  bare: boolean
  warning: 'fence_label' | 'fence_in_line' | 'no_fence' | undefined
}

/** Takes the text between fences, piece by piece. */
export interface TextSink {
  addText(piece: string): void
}

/** Part of a line that may still open a fence behind other text. */
const IN_LINE = /^`+[ \t]*(?:t(?:o(?:o(?:l[ \t]*\r?)?)?)?)?$/
const IN_LINE_WHOLE = /^`{3,}[ \t]*tool[ \t]*\r?\n/

export class TextReader {
  private readonly repair: boolean
  private lineStart = true
  /** offset up to which nothing but real fences is looked for */
  plainUntil = 0

  constructor(repair: boolean) {
    this.repair = repair
  }

  /** Goes on behind a closing line, or in the middle of one. */
  resume(lineStart: boolean): void {
    this.lineStart = lineStart
  }

  /** Undefined when all there is was text, or cannot be told yet. */
  read(input: Input, sink: TextSink): Begun | undefined {
    const { text } = input
    while (input.at < text.length) {
      if (this.lineStart) {
        const begun = this.atLineStart(input)
        if (begun !== false) return begun
        this.lineStart = false
      }
      const end = this.lineEnd(text, input.at)
      const ticks = this.ticksBefore(input, end)
      this.take(input, ticks, sink)
      if (ticks === end) continue
      const begun = this.inLine(input)
      if (begun !== false) return begun
      let after = input.at
      while (text[after] === '`') after++
      this.take(input, after, sink)
    }
    return undefined
  }

  private take(input: Input, end: number, sink: TextSink): void {
    if (end === input.at) return
    sink.addText(input.text.slice(input.at, end))
    this.lineStart = input.text[end - 1] === '\n'
    input.at = end
  }

  /** Where backticks stand that may open a fence in the middle of this line, or its end. */
  private ticksBefore(input: Input, end: number): number {
    if (!this.repair || input.offset < this.plainUntil) return end
    const line = input.text.slice(input.at, end)
    const found = line.indexOf('```')
    if (found >= 0) return input.at + found
    return input.ended || end < input.text.length ? end : end - (/`{1,2}$/.exec(line)?.[0].length ?? 0)
  }

  /** Up to the next line that has to be looked at. */
  private lineEnd(text: string, at: number): number {
    const end = text.indexOf(this.repair ? '\n' : '\n`', at)
    return end < 0 ? text.length : end + 1
  }

  private atLineStart(input: Input): Begun | false | undefined {
    const { text, at, ended } = input
    if (text[at] === '`') return this.fence(input)
    if (!this.repair || input.offset < this.plainUntil) return false
    const begins = beginsBlock(text, at, ended)
    if (begins !== true) return begins
    if (!/^\s*\{\s*["']?call/.test(text.slice(at, at + BRACKET_LIMITS.line_chars_max))) return false
    return { at: input.offset, ticks: 3, results: false, doubtful: false, bare: true, warning: 'no_fence' }
  }

  private fence(input: Input): Begun | false | undefined {
    const { text, at, ended } = input
    const opener = opens(text, at, ended)
    if (opener === undefined || opener === false) return opener
    const { label, ticks, length } = opener
    const isOurs = label === 'tool' || label === 'result'
    if (!isOurs) {
      if (!this.repair || input.offset < this.plainUntil) return false
      const begins = beginsForeign(text, at + length + 1, ended)
      if (begins !== true) return begins
    }
    const warning = isOurs ? undefined : 'fence_label'
    const begun: Begun = {
      at: input.offset,
      ticks,
      results: label === 'result',
      doubtful: !isOurs,
      bare: false,
      warning,
    }
    input.at += length
    return begun
  }

  /** At three backticks behind other text. */
  private inLine(input: Input): Begun | false | undefined {
    const rest = input.text.slice(input.at, input.at + BRACKET_LIMITS.line_chars_max)
    const found = IN_LINE_WHOLE.exec(rest)
    if (found === null) return !input.ended && IN_LINE.test(rest) ? undefined : false
    const begun: Begun = {
      at: input.offset,
      ticks: 3,
      results: false,
      doubtful: false,
      bare: false,
      warning: 'fence_in_line',
    }
    input.at += found[0].length - 1
    return begun
  }
}
