/** What the model is told before the conversation, and which of the later messages came from outside. Pure. */
import { scan } from '../../bracket/index.ts'
import type { ToolInfo } from '../../contracts/tool.ts'
import { roleOf, type NewMessage } from './messages.ts'

/** The stable part stands first in a prompt by choice of its author. A description cannot open a fence of its own. */
export function systemText(prompt: string, tools: readonly ToolInfo[], mark: string): string {
  const listed = tools.map(({ signature, description }) => `- ${signature}: ${description.replaceAll(/\s+/g, ' ')}`)
  // The mark first: a description that asks for it must not get it.
  return prompt.replaceAll('{{mark}}', mark).replaceAll('{{tools}}', () => listed.join('\n'))
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
