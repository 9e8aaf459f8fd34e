/** What is wrong with a block, and where. Thrown by the readers, caught by the scanner, never seen outside. */
import type { BracketError, BracketErrorCode } from './types.ts'

export class Refusal extends Error {
  readonly code: BracketErrorCode
  /** offset in the message */
  readonly at: number
  readonly hint: string

  constructor(code: BracketErrorCode, at: number, message: string, hint: string) {
    super(message)
    this.code = code
    this.at = at
    this.hint = hint
  }
}

export const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text)

/** With line, column and the line itself, for who has to find it in `text`, the message. */
export function placed(text: string, refusal: Refusal): BracketError {
  const { code, message, hint, at: offset } = refusal
  const before = text.slice(0, offset)
  const start = before.lastIndexOf('\n') + 1
  const end = text.indexOf('\n', offset)
  let line = 1
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line++
  const excerpt = text.slice(start, end < 0 ? undefined : end).slice(0, 120)
  return { code, message, hint, line, column: offset - start + 1, offset, excerpt }
}
