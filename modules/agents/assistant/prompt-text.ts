/** What the model is told before the conversation, and which of the later messages came from outside. Pure. */
import { scan } from '../../bracket/index.ts'
import { roleOf, type NewMessage } from './messages.ts'

/** `tools` is the catalogue as its service words it: no description in it can open a fence. */
export const systemText = (prompt: string, tools: string, mark: string): string =>
  // The mark first: a description that asks for it must not get it.
  prompt.replaceAll('{{mark}}', mark).replaceAll('{{tools}}', () => tools)

/** Undefined for what the provider itself or the assistant wrote: answers to calls that nobody could read, too. */
export function outsideText(message: NewMessage, provider: string): string | undefined {
  const { kind, content, provider: author } = message
  if (roleOf(kind) === 'assistant') return author === '' || author === provider ? undefined : content
  if (kind !== 'results' || !content.includes('{result: unknown ')) return content
  return scan(content)
    .flatMap((part) => (part.kind === 'result' && part.name !== 'unknown' ? [part.source] : []))
    .join('\n')
}
