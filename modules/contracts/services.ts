/** The interfaces of the services that come with the product, as their callers see them. */
import type { ChatMessage, ProviderInfo, Usage } from './inference.ts'

export type * from './inference.ts'
export type * from './stores.ts'
export type * from './tool-service.ts'

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

export interface FileChange {
  path: string
  /** null: the file is to be gone */
  content: string | null
  /** the hash it must have now, null when it must not be there; else `file_changed` */
  base?: string | null
}

export interface FileChanged {
  path: string
  /** null: there is none */
  hash: string | null
  /** the hash before */
  before: string | null
}

/** All paths are relative to the root, with `/`. */
export interface FilesystemApi {
  read_file(
    path: string,
    options?: { offset?: number; limit?: number },
  ): {
    path: string
    content: string
    bytes: number
    truncated: boolean
    /** of the whole file, when it was read whole: the `base` of a change */
    hash?: string
  }
  write_file(path: string, content: string): { path: string; bytes: number }
  /** All or none; the answers stand in the order of the changes. */
  write_files(changes: FileChange[]): FileChanged[]
  /** Replaces a piece that stands in the file exactly once. */
  edit_file(path: string, oldText: string, newText: string, base?: string): FileChanged & { line: number }
  /** Never over another file. */
  move_file(from: string, to: string): { from: string; to: string }
  /** Puts the file aside, to `kept_at`: moving it back undoes it. */
  delete_file(path: string): { path: string; kept_at: string }
  list_files(path?: string, options?: { recursive?: boolean }): { path: string; files: FileEntry[]; truncated: boolean }
  search_files(
    text: string,
    path?: string,
  ): { matches: { path: string; line: number; text: string }[]; truncated: boolean }
}

export interface FetchOptions {
  /** default: GET */
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string | Uint8Array | undefined
  /** what the body of the answer is given as; default: text */
  as?: 'text' | 'json' | 'bytes'
  /** less than the configured time, at most */
  timeout_ms?: number
  signal?: AbortSignal
}

export interface FetchAnswer {
  /** after redirects */
  url: string
  status: number
  /** 200 to 299 */
  ok: boolean
  /** names in lower case; more of one, as `set-cookie`, a line each */
  headers: Record<string, string>
  redirects: number
  bytes: number
  /** a text, bytes, or what the JSON holds */
  body: unknown
}

/** The URL is the first argument of all: what a grant's pattern is compared with is its host. */
export interface FetchApi {
  get(url: string, options?: Omit<FetchOptions, 'method' | 'body'>): Promise<FetchAnswer>
  request(url: string, options?: FetchOptions): Promise<FetchAnswer>
  /** The bytes of the answer as they come; an answer of 400 and above is thrown. */
  stream(url: string, options?: FetchOptions): AsyncGenerator<Uint8Array>
}

export interface ChatRequest {
  message: string
  conversation_id?: string
  provider?: string
  /** cancels the turn */
  signal?: AbortSignal
  /** its place in a trace; without it the turn begins one */
  trace?: string
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
  /** `parked`: the turn waits for a person's decision and goes on when it comes; `cut`: a limit or a cancel ended it */
  status: 'done' | 'parked' | 'cut'
  /** why it is cut (`code: message`), or the question it is parked with */
  reason?: string
  /** what is to be decided, when parked */
  approval_id?: string
  provider: string
  model: string
  steps: ChatStep[]
  prompt_hash: string
  /** sums over the turn */
  usage: Usage | null
}

/** What a chat shows while it is under way. */
export type ChatEvent = { type: 'text'; text: string } | ChatCall | ChatResult | { type: 'answer'; answer: ChatAnswer }

/** A call as the model wrote it, in a fence; it is run once its message has ended. */
export interface ChatCall {
  type: 'call'
  text: string
  tool: string
  params: Record<string, unknown>
}

/** What came of a call, in a fence as the model reads it. In the order of the calls. */
export interface ChatResult {
  type: 'result'
  text: string
  tool: string
  status: 'success' | 'error'
  /** null: of an older turn, whose times are not kept */
  ms: number | null
  error?: { code: string; message: string; hint: string }
}

/** A conversation as it was shown while it went on; `provider` wrote the text, empty where the system did. */
export type PastEvent =
  | { type: 'user'; text: string }
  | { type: 'text'; text: string; provider: string }
  | ChatCall
  | ChatResult

/** An inference service that may answer. */
export interface ProviderChoice {
  name: string
  /** null: it could not be asked */
  info: ProviderInfo | null
  /** why not */
  reason: string | null
  /** it answers a message that names no other */
  chosen: boolean
}

/** A turn that waits for a person. */
export interface ParkedTurn {
  approval_id: string
  conversation_id: string
  /** what the model asks a person for */
  question: string
  /** epoch milliseconds */
  asked_at: number
}

export interface ConversationInfo {
  conversation_id: string
  /** the beginning of its first message */
  title: string
  messages: number
  /** epoch milliseconds */
  updated_at: number
  usage: Usage | null
}

export interface AssistantApi {
  chat(request: ChatRequest): Promise<ChatAnswer>
  /** Whoever stops reading cancels the turn. */
  chatStream(request: ChatRequest): AsyncGenerator<ChatEvent>
  /** Ends the turn of a conversation that is under way or parked; false when there is none. What it did stays. */
  cancel(conversationId: string): Promise<boolean>
  /** The last used first. */
  conversations(): Promise<ConversationInfo[]>
  messages(conversationId: string): Promise<ChatMessage[]>
  /** The same as it was shown. Rejects with `conversation_missing`. */
  past(conversationId: string): Promise<PastEvent[]>
  /** Who may answer, in the order in which they are asked. */
  providers(): Promise<ProviderChoice[]>
  parked(): Promise<ParkedTurn[]>
  /** Gives a parked turn its answer; the turn goes on where it stood, also after a restart. */
  decide(approvalId: string, decision: { approved: boolean; by: string; note?: string }): Promise<ChatAnswer>
}
