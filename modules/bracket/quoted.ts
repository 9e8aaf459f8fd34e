/**
 * A model may show what it was given: a file with an example of a call in it, a message of the user. A call that was
 * read although it stands in no ```tool fence of its own is therefore not to be run when the same text came from outside
 * before. Used by who runs calls.
 */
import type { BracketWarningCode, CallPart } from './types.ts'

const AROUND: ReadonlySet<BracketWarningCode> = new Set(['fence_label', 'fence_in_line', 'no_fence'])

/** Without what quoting and indenting add. */
const bare = (text: string): string => text.replace(/[\s\\]+/g, '')

/** `texts`: what came from outside, as it was sent to the model. */
export function isQuoted({ source, warnings = [] }: CallPart, texts: readonly string[]): boolean {
  if (!warnings.some(({ code }) => AROUND.has(code))) return false
  const call = bare(source)
  return texts.some((text) => bare(text).includes(call))
}
