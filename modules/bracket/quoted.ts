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
  return warnings.some(({ code }) => AROUND.has(code)) && isCopied(source, texts)
}

/** The same for a block that could not be read: nobody need be told how to write what was only shown. */
export function isCopied(source: string, texts: readonly string[]): boolean {
  const block = bare(source)
  return block !== '' && texts.some((text) => bare(text).includes(block))
}
