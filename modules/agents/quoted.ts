/**
 * A model may show what it was given: a file with an example of a call in it, a message of the user. A call that was
 * read although it stands in no ```tool fence of its own is therefore not run when the same text came from outside in
 * this conversation. Used by the assistant.
 */
import type { CallPart } from '../bracket/index.ts'
import type { ChatMessage } from '../contracts/services.ts'

const AROUND = new Set(['fence_label', 'fence_in_line', 'no_fence'])

/** Without what quoting and indenting add. */
const bare = (text: string): string => text.replace(/[\s\\]+/g, '')

export function isQuoted({ source, warnings = [] }: CallPart, messages: readonly ChatMessage[]): boolean {
  if (!warnings.some(({ code }) => AROUND.has(code))) return false
  const call = bare(source)
  return messages.some(({ role, content }) => role === 'user' && bare(content).includes(call))
}
