/** What an inference service is to its callers: one question with its history, one answer, whole or in pieces. */
import type { ToolInfo } from './tool.ts'

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant'
  content: string
}

export interface CompletionRequest {
  /** the stable part first (system prompt), so that a provider's prompt cache can work */
  messages: ChatMessage[]
  signal?: AbortSignal
  /** offered as native tools by providers that are configured so; what comes back is text with fences all the same */
  tools?: ToolInfo[]
  /** tokens of the answer at most */
  output_tokens_max?: number
  /** the `id` of calls that the service itself writes as fences: native tool calls of its model */
  mark?: string
}

export interface Usage {
  input_tokens: number
  output_tokens: number
  /** the part of `input_tokens` that came from the provider's prompt cache */
  cached_tokens: number
  /** US dollars, from the prices in the provider's config; null when it has none */
  cost_usd: number | null
}

export interface Completion {
  text: string
  model: string
  /** `length` means the text was cut */
  finish: 'stop' | 'length'
  usage: Usage | null
}

/** `end` comes last, exactly once, and holds the whole; a stream that breaks off throws instead. */
export type CompletionChunk = { type: 'text'; text: string } | { type: 'end'; completion: Completion }

export interface ProviderInfo {
  model: string
  /** usable right now */
  ready: boolean
  /** why not, or what it is */
  note: string
  /** the prompt template its config names, from the root */
  prompt_file?: string
  /** `false`: its config wants no tools. None is told to it, and none it asks for is run. @default true */
  tool_use?: boolean
}

/** Every inference module, whatever stands behind it. */
export interface InferenceApi {
  /** May look for a server: answers within a second. */
  describe(): ProviderInfo | Promise<ProviderInfo>
  /** Rejects with a coded error: `provider_unready`, `provider_failed`, `provider_empty`, or the signal's reason. */
  complete(request: CompletionRequest): Promise<Completion>
  /** The same in pieces; the texts of the chunks joined are the completion's text. */
  stream(request: CompletionRequest): AsyncGenerator<CompletionChunk>
}

/** Vectors for texts; every inference module that can make them has it. */
export interface EmbeddingApi {
  /** One vector a text, all of one length. */
  embed(texts: string[]): Promise<{ vectors: number[][]; model: string }>
}
