/** What the model is told before the conversation, and which of the later messages came from outside. Pure. */
import { scan } from '../../bracket/index.ts'
import { roleOf, type NewMessage } from './messages.ts'

/** `tools` is the catalogue as its service words it: no description in it can open a fence. */
export function systemText(prompt: string, fill: { tools: string; mark: string; status: string }): string {
  const known: Record<string, string> = fill
  // All in one pass: a description that asks for the mark must not get it.
  return prompt.replaceAll(/\{\{(mark|tools|status)\}\}/g, (_whole, name: string) => known[name] ?? '')
}

/** Undefined for what the provider itself or the assistant wrote: answers to calls that nobody could read, too. */
export function outsideText(message: NewMessage, provider: string): string | undefined {
  const { kind, content, provider: author } = message
  if (roleOf(kind) === 'assistant') return author === '' || author === provider ? undefined : content
  if (kind !== 'results' || !content.includes('{result: unknown ')) return content
  return scan(content)
    .flatMap((part) => (part.kind === 'result' && part.name !== 'unknown' ? [part.source] : []))
    .join('\n')
}
