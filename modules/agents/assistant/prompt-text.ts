/** What the model is told before the conversation, and which of the later messages came from outside. Pure. */
import { scan } from '../../bracket/index.ts'
import { APPROVAL_INFO } from './approvals.ts'
import { roleOf, type NewMessage } from './messages.ts'

/** `tools` is the catalogue as its service words it: no description in it can open a fence. Undefined: there are none. */
export function systemText(prompt: string, tools: string | undefined, mark: string): string {
  const { signature, description } = APPROVAL_INFO
  const all = tools === undefined ? '(none)' : `${tools}\n\n### people\n- ${signature}: ${description}`
  // The mark first: a description that asks for it must not get it.
  return prompt.replaceAll('{{mark}}', mark).replaceAll('{{tools}}', () => all)
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
