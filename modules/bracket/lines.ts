/**
 * The lines that matter outside of strings: those that open a fence, close one, or begin a block. Each question is asked
 * at the first character that counts and answered with undefined while the line may still become either. Such a line
 * has at most `line_chars_max` characters, so what is kept waiting is bounded.
 */
import { BRACKET_LIMITS } from './types.ts'

const { line_chars_max: MAX } = BRACKET_LIMITS
const TICK = 96

/** Backticks, at least as many as opened the fence, and nothing else up to the end of the line. */
export function closes(text: string, at: number, ticks: number, ended: boolean): boolean | undefined {
  let next = at
  while (text.charCodeAt(next) === TICK) next++
  if (next - at < ticks) return next === text.length && !ended ? undefined : false
  let code = text.charCodeAt(next)
  while (code === 32 || code === 9 || code === 13) code = text.charCodeAt(++next)
  if (next - at > MAX) return false
  if (next === text.length) return ended ? true : undefined
  return code === 10
}

export interface Opener {
  ticks: number
  label: string
  /** without the line break */
  length: number
}

const OPENER = /^(`{3,})[ \t]*([\w+-]*)[ \t]*\r?$/
const OPENING = /^`+[ \t]*[\w+-]*[ \t]*\r?$/

/** How nearly every fence opens. */
const PLAIN = '```tool\n'
const PLAIN_OPENER: Opener = { ticks: 3, label: 'tool', length: PLAIN.length - 1 }

/** A line that opens a fence, of any label. */
export function opens(text: string, at: number, ended: boolean): Opener | false | undefined {
  if (text.startsWith(PLAIN, at)) return PLAIN_OPENER
  const end = text.indexOf('\n', at)
  const line = text.slice(at, end < 0 ? undefined : Math.min(end, at + MAX + 1))
  if (line.length > MAX) return false
  if (end < 0 && !ended) return OPENING.test(line) ? undefined : false
  const found = OPENER.exec(line)
  return found === null ? false : { ticks: found[1]?.length ?? 3, label: found[2] ?? '', length: line.length }
}

const HEAD = /^[ \t]*\{\s*["']?(?:call|result)["']?\s*:/
const HEAD_BEGUN = beginnings('{', 'call', 'result')

/** A block's first words, blanks before it or not. */
export function beginsBlock(text: string, at: number, ended: boolean): boolean | undefined {
  return begins(text, at, ended, HEAD, HEAD_BEGUN)
}

const FOREIGN = /^[\s[,]*\{\s*["']?(?:call|name|tool|function|type|id)["']?\s*:/
const FOREIGN_BEGUN = beginnings('[', 'function', 'call', 'name', 'tool', 'type', 'id')

/** The same for what other protocols begin a call with, from the line after a fence's. */
export function beginsForeign(text: string, at: number, ended: boolean): boolean | undefined {
  return begins(text, at, ended, FOREIGN, FOREIGN_BEGUN)
}

function begins(text: string, at: number, ended: boolean, whole: RegExp, begun: RegExp): boolean | undefined {
  const head = text.slice(at, at + MAX)
  if (whole.test(head)) return true
  return !ended && head.length < MAX && begun.test(head) ? undefined : false
}

/** Everything that may still become `{ name :` with one of these names. */
function beginnings(open: string, ...names: string[]): RegExp {
  const prefix = (name: string): string =>
    name.split('').reduceRight((rest, char) => `(?:${char}${rest})?`, '["\']?\\s*')
  const blanks = open === '[' ? '[\\s[,]*' : '[ \\t]*'
  return new RegExp(`^${blanks}(?:\\{\\s*["']?(?:${names.map(prefix).join('|')}))?$`)
}
