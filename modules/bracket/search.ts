/**
 * After a broken block: where reading goes on. At the next line that begins a block or closes the fence, never inside a
 * string of the broken block that was whole. Used by the scanner.
 */
import type { Input } from './input.ts'
import { beginsBlock, closes } from './lines.ts'
import type { Refusal } from './refusal.ts'
import type { Span } from './strings.ts'
import { BRACKET_LIMITS } from './types.ts'

export interface Broken {
  refusal: Refusal
  /** where the block began */
  at: number
  spans: readonly Span[]
  /** of the fence around */
  ticks: number
  /** `fence`: other blocks are not looked for. `line`: there is no fence, and the next line is text again. */
  until: 'block' | 'fence' | 'line'
}

/** Where reading goes on, and what stands there. */
export interface Found {
  at: number
  kind: 'block' | 'close' | 'line' | 'end'
}

export class Search {
  readonly broken: Broken
  private atLine = false

  constructor(broken: Broken) {
    this.broken = broken
  }

  /** The input stands at the block, at first. Undefined when more has to come. */
  read(input: Input): Found | undefined {
    const { text } = input
    for (;;) {
      if (!this.atLine && !this.nextLine(input)) return input.ended ? { at: input.offset, kind: 'end' } : undefined
      if (input.at >= text.length) return input.ended ? { at: input.offset, kind: 'end' } : undefined
      if (!this.skipString(input)) {
        const kind = this.lineKind(input)
        if (kind === undefined) return undefined
        if (kind !== false) return { at: input.offset, kind }
      }
      this.atLine = false
    }
  }

  private nextLine(input: Input): boolean {
    const end = input.text.indexOf('\n', input.at)
    input.at = end < 0 ? input.text.length : end + 1
    this.atLine = end >= 0
    return this.atLine
  }

  private skipString(input: Input): boolean {
    const { offset } = input
    const around = this.broken.spans.find(([from, to]) => offset > from && offset < to)
    if (around === undefined) return false
    input.at = Math.min(input.text.length, around[1] - input.base)
    return true
  }

  private lineKind(input: Input): Found['kind'] | false | undefined {
    const { text, at, ended } = input
    const { until, ticks, refusal } = this.broken
    if (until === 'line') return input.offset > refusal.at ? 'line' : false
    const first = afterBlanks(text, at)
    const sign = text.charCodeAt(first)
    // Most lines are neither, and there may be a million of them.
    if (sign !== 96 && sign !== 123 && first < text.length) return false
    const isClose = first - at > BRACKET_LIMITS.line_chars_max ? false : closesLine(text, first, ticks, ended)
    if (isClose !== false) return isClose === undefined ? undefined : 'close'
    if (until === 'fence') return false
    const begins = beginsBlock(text, at, ended)
    return begins === true ? 'block' : begins
  }
}

function afterBlanks(text: string, at: number): number {
  let next = at
  for (let code = text.charCodeAt(next); code === 32 || code === 9; ) code = text.charCodeAt(++next)
  return next
}

function closesLine(text: string, at: number, ticks: number, ended: boolean): boolean | undefined {
  if (at === text.length) return ended ? false : undefined
  return closes(text, at, ticks, ended)
}
