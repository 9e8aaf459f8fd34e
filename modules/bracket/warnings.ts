/**
 * Repairs of what stands around the blocks of a fence: kept for the next block of it, each kind told once a fence. Used
 * by the scanner.
 */
import type { BracketWarning, BracketWarningCode } from './types.ts'

type AroundCode = 'fence_label' | 'fence_in_line' | 'no_fence' | 'prose_in_fence' | 'list_of_calls' | 'extra_brace'

const MESSAGES: Record<AroundCode, string> = {
  fence_label: 'a fence of another label was read as ```tool',
  fence_in_line: 'a fence in the middle of a line was read',
  no_fence: 'a call without a fence was read',
  prose_in_fence: 'text between the calls of a fence was passed over',
  list_of_calls: 'a list of calls was read as the calls in it',
  extra_brace: 'closing braces that close nothing were passed over',
}

/** What stands between the blocks of a fence when a model wrote a list of them, or a brace too many. */
export const NOISE: Record<string, AroundCode> = {
  '}': 'extra_brace',
  '[': 'list_of_calls',
  ',': 'list_of_calls',
  ']': 'list_of_calls',
}

/** Most messages need no repair. */
const NONE: readonly never[] = []

export class Warnings {
  private told: readonly BracketWarningCode[] = NONE
  private pending: readonly BracketWarning[] = NONE

  /** Another fence begins. */
  begin(): void {
    this.told = NONE
    this.pending = NONE
  }

  add(code: AroundCode, offset: number): void {
    if (this.told.includes(code)) return
    this.told = [...this.told, code]
    this.pending = [...this.pending, { code, message: MESSAGES[code], offset }]
  }

  take(): readonly BracketWarning[] {
    const taken = this.pending
    this.pending = NONE
    return taken
  }
}
