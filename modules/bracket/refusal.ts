/** What is wrong with a block, and where. Thrown by the readers, caught by `scan.ts`, never seen outside. */
import type { BracketErrorCode } from './types.ts'

export class Refusal extends Error {
  readonly code: BracketErrorCode
  /** offset in the text */
  readonly at: number
  readonly hint: string

  constructor(code: BracketErrorCode, at: number, message: string, hint: string) {
    super(message)
    this.code = code
    this.at = at
    this.hint = hint
  }
}
