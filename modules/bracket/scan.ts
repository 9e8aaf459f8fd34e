/**
 * A model's message → its parts: text, calls, results, and errors with their place. A fence opens at the start of a
 * line only; where it closes is decided by reading the blocks in it, never by searching for the closing line. One
 * broken call does not take the others with it. Whole messages only; it never throws.
 */
import { readBlock, type Span } from './read.ts'
import { Refusal } from './refusal.ts'
import { BRACKET_LIMITS, type BracketError, type Part } from './types.ts'

const OPEN = /^(`{3,})[ \t]*(tool|result)[ \t]*\r?$/gm

export function scan(text: string): Part[] {
  const parts: Part[] = []
  const addText = (from: number, to: number): void => {
    if (to > from) parts.push({ kind: 'text', text: text.slice(from, to) })
  }
  if (text.length > BRACKET_LIMITS.message_chars_max) {
    const refusal = new Refusal(
      'too_long',
      BRACKET_LIMITS.message_chars_max,
      'The message is too long',
      'Send less at once.',
    )
    return [{ kind: 'error', error: toError(text, refusal), source: '' }]
  }
  const budget: Budget = { blocks: 0 }
  OPEN.lastIndex = 0
  let from = 0
  for (let open = OPEN.exec(text); open !== null; open = OPEN.exec(text)) {
    addText(from, open.index)
    from = scanFence(text, open.index + open[0].length, (open[1] ?? '```').length, open[2] === 'result', parts, budget)
    OPEN.lastIndex = from
  }
  addText(from, text.length)
  return parts
}

/** Blocks read so far in the whole message, good or broken. */
interface Budget {
  blocks: number
}

/** Reads blocks until the closing line; returns the offset after it. */
function scanFence(
  text: string,
  start: number,
  ticks: number,
  results: boolean,
  parts: Part[],
  budget: Budget,
): number {
  const close = new RegExp(`^[ \\t]*\`{${ticks},}[ \\t]*\\r?$`, 'gm')
  let at = start
  for (;;) {
    at = skipSpace(text, at)
    close.lastIndex = lineStart(text, at)
    const closing = close.exec(text)
    if (closing !== null && closing.index + closing[0].length >= at && closing.index <= at)
      return afterLine(text, closing.index)
    if (at >= text.length) return text.length
    if (budget.blocks >= BRACKET_LIMITS.blocks_max) {
      if (budget.blocks++ === BRACKET_LIMITS.blocks_max)
        parts.push({
          kind: 'error',
          error: toError(
            text,
            new Refusal('too_many', at, `More than ${BRACKET_LIMITS.blocks_max} calls`, 'Send fewer at once.'),
          ),
          source: '',
        })
      return closing === null ? text.length : afterLine(text, closing.index)
    }
    budget.blocks++
    at = scanBlock(text, at, ticks, close, results, parts)
  }
}

function scanBlock(text: string, at: number, ticks: number, close: RegExp, results: boolean, parts: Part[]): number {
  const strings: Span[] = []
  try {
    if (text[at] !== '{')
      throw new Refusal('no_head', at, 'A block begins with `{`', 'Write `{call: tool_name {params {key: value}}}`.')
    const { head, name, members, end } = readBlock(text, at, ticks, strings)
    const source = text.slice(at, end)
    if (results !== (head === 'result')) {
      throw new Refusal(
        'unknown_head',
        at,
        `\`${head}:\` does not belong in this fence`,
        'A ```tool fence holds calls, a ```result fence holds results.',
      )
    }
    if (head === 'result') parts.push({ kind: 'result', name, body: members, source })
    else parts.push(toCall(name, members, source, at))
    return end
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    const next = recover(text, at, close, strings)
    parts.push({ kind: 'error', error: toError(text, thrown), source: text.slice(at, next).trimEnd() })
    return next
  }
}

/** Members beside `params` and `id` are parameters written without the wrapper. */
function toCall(name: string, members: Record<string, unknown>, source: string, at: number): Part {
  const { params, id, ...others } = members as { params?: unknown; id?: unknown }
  const isMap = typeof params === 'object' && params !== null && !Array.isArray(params)
  const twice = isMap ? Object.keys(others).find((key) => Object.hasOwn(params, key)) : undefined
  if (twice !== undefined)
    throw new Refusal('duplicate_key', at, `\`${twice.slice(0, 80)}\` stands twice`, 'Keep one of them.')
  const all = { ...(isMap ? params : {}), ...others, ...(isMap || params === undefined ? {} : { params }) }
  const lifted = !isMap && id !== undefined ? { ...all, id } : all
  return { kind: 'call', name, params: lifted as never, id: isMap && typeof id === 'string' ? id : undefined, source }
}

/** After a broken block: the next `{call:` at the start of a line, or the closing line; never inside a whole string of it. */
function recover(text: string, at: number, close: RegExp, strings: readonly Span[]): number {
  const find = (pattern: RegExp, from: number): number => {
    pattern.lastIndex = from
    for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
      const { index } = found
      const around = strings.find(([first, last]) => index > first && index < last)
      if (around === undefined) return index
      pattern.lastIndex = around[1]
    }
    return text.length
  }
  const next = /^[ \t]*\{\s*(?:call|result)\s*:/gm
  return Math.max(at + 1, Math.min(find(next, afterLine(text, at)), find(close, at)))
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1

function afterLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end + 1
}

function skipSpace(text: string, at: number): number {
  let next = at
  while (next < text.length && /\s/.test(text[next] ?? '')) next++
  return next
}

function toError(text: string, refusal: Refusal): BracketError {
  const before = text.slice(0, refusal.at)
  const start = before.lastIndexOf('\n') + 1
  const end = text.indexOf('\n', refusal.at)
  return {
    code: refusal.code,
    message: refusal.message,
    hint: refusal.hint,
    line: before.split('\n').length,
    column: refusal.at - start + 1,
    offset: refusal.at,
    excerpt: text.slice(start, end < 0 ? undefined : end).slice(0, 120),
  }
}
