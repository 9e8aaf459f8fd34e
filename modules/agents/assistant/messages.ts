/** What a conversation is made of, as it is stored and as a model is sent it. Pure. */
import type { ChatMessage, Usage } from '../../contracts/services.ts'

/**
 * `user` and `results` come from outside; `calls` is a message of a model that asks for tools, and is followed by its
 * `results`; `answer` ends a turn; `note` is the system's own word where a turn was cut.
 */
export type MessageKind = 'user' | 'results' | 'calls' | 'answer' | 'note'

export interface NewMessage {
  kind: MessageKind
  content: string
  /** which inference service wrote it; empty for what no model wrote */
  provider: string
}

export interface StoredMessage extends NewMessage {
  seq: number
}

export interface Conversation {
  id: string
  /** what a call of this conversation's model carries, and nothing from outside can know */
  mark: string
  /** which inference service knows the mark */
  provider: string
  usage: Usage | null
  messages: StoredMessage[]
  /** nothing of it is stored yet */
  isNew: boolean
}

export const roleOf = (kind: MessageKind): ChatMessage['role'] =>
  kind === 'user' || kind === 'results' ? 'user' : 'assistant'

export const toChat = ({ kind, content }: NewMessage): ChatMessage => ({ role: roleOf(kind), content })

/** An unknown price makes the sum unknown. */
export const addUsage = (a: Usage | null, b: Usage | null): Usage | null => {
  if (a === null || b === null) return a ?? b
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    cached_tokens: a.cached_tokens + b.cached_tokens,
    cost_usd: a.cost_usd === null || b.cost_usd === null ? null : a.cost_usd + b.cost_usd,
  }
}
