/** The interfaces of the services that come with the product, as their callers see them. */
import type { ToolInfo, ToolResult } from './tool.ts'

export type SqlValue = null | number | bigint | string | Uint8Array
export type SqlParams = readonly SqlValue[] | Readonly<Record<string, SqlValue>>
export type SqlRow = Record<string, SqlValue>

export interface DatabaseApi {
  /** One statement that changes something. */
  execute(sql: string, params?: SqlParams): { changes: number; last_insert_rowid: number }
  /** One statement that returns rows; at most the configured number of them. */
  query(sql: string, params?: SqlParams): SqlRow[]
  /** All statements or none. */
  transaction(statements: { sql: string; params?: SqlParams }[]): { changes: number; last_insert_rowid: number }[]
}

export interface FileEntry {
  path: string
  kind: 'file' | 'folder'
  bytes: number
  /** epoch milliseconds */
  modified_ms: number
}

/** All paths are relative to the root, with `/`. */
export interface FilesystemApi {
  read_file(
    path: string,
    options?: { offset?: number; limit?: number },
  ): { path: string; content: string; bytes: number; truncated: boolean }
  write_file(path: string, content: string): { path: string; bytes: number }
  list_files(path?: string, options?: { recursive?: boolean }): { path: string; files: FileEntry[]; truncated: boolean }
  search_files(
    text: string,
    path?: string,
  ): { matches: { path: string; line: number; text: string }[]; truncated: boolean }
}

export interface ToolsApi {
  /** The catalogue of all live tools, sorted by name. */
  list(): Promise<{ tools: ToolInfo[]; conflicts: string[] }>
  /** Never rejects for an error of the tool: the error is the result. */
  invoke(
    name: string,
    params: Record<string, unknown>,
    options?: { deadline_ms?: number; signal?: AbortSignal; trace?: string; caller?: string },
  ): Promise<ToolResult>
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant'
  content: string
}

export interface CompletionRequest {
  messages: ChatMessage[]
  signal?: AbortSignal
}

export interface Completion {
  text: string
  model: string
  /** `length` means the text was cut */
  finish: 'stop' | 'length'
  usage: { input_tokens: number; output_tokens: number } | null
}

export interface ProviderInfo {
  model: string
  /** usable right now */
  ready: boolean
  /** why not, or what it is */
  note: string
}

/** Every inference module, whatever stands behind it. */
export interface InferenceApi {
  describe(): ProviderInfo
  complete(request: CompletionRequest): Promise<Completion>
}

export interface ChatRequest {
  message: string
  conversation_id?: string
  provider?: string
}

export interface ChatStep {
  tool: string
  params: Record<string, unknown>
  status: 'success' | 'error'
  ms: number
}

export interface ChatAnswer {
  conversation_id: string
  answer: string
  provider: string
  model: string
  steps: ChatStep[]
  prompt_hash: string
  usage: { input_tokens: number; output_tokens: number } | null
}

/** What a chat shows while it is under way. */
export type ChatEvent =
  | { type: 'text'; text: string }
  | { type: 'call'; text: string; tool: string }
  | { type: 'result'; text: string; tool: string; status: 'success' | 'error' }
  | { type: 'answer'; answer: ChatAnswer }

export interface AssistantApi {
  chat(request: ChatRequest): Promise<ChatAnswer>
  chatStream(request: ChatRequest): AsyncGenerator<ChatEvent>
}
