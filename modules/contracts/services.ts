/** The interfaces of the services that come with the product, as their callers see them. */
import type { ChatMessage, Usage } from './inference.ts'
import type { ToolInfo, ToolResult } from './tool.ts'

export type * from './inference.ts'
export type * from './stores.ts'

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

export interface InvokeOptions {
  deadline_ms?: number
  signal?: AbortSignal
  trace?: string
  /** the service that asks, as the tool is told */
  caller?: string
  /** a larger result comes in parts; default: that of the service `tools` */
  result_bytes_max?: number
  /**
   * Names this call of this caller: a second one with the same id and parameters gets the result of the first and runs
   * nothing, also while the first is under way. With other parameters it is the error `retry_id_reused`.
   */
  id?: string
}

/** One of several calls made at once. */
export interface ToolRequest {
  name: string
  params: Record<string, unknown>
  id?: string
}

/** The catalogue as a part of a prompt: the same bytes while no tool changes. */
export interface ToolPrompt {
  text: string
  hash: string
  /** names of the tools that did not fit; `tools_find` shows them */
  dropped: string[]
}

export interface ToolsApi {
  /** The catalogue of all live tools, sorted by name. */
  list(): Promise<{ tools: ToolInfo[]; conflicts: string[] }>
  /** Never rejects for an error of the tool: the error is the result. */
  invoke(name: string, params: Record<string, unknown>, options?: InvokeOptions): Promise<ToolResult>
  /**
   * Several calls, results in their order. Tools that only read run side by side, `parallel_max` at most; any other
   * waits for those before it, and those after it wait for it. Never rejects; one that fails leaves the others alone.
   */
  invokeAll(calls: ToolRequest[], options?: Omit<InvokeOptions, 'id'>): Promise<ToolResult[]>
  /** Signatures and descriptions, grouped by service; shortened, and at last left out, to fit into `chars_max`. */
  prompt(options?: { chars_max?: number }): Promise<ToolPrompt>
  /** One tool, its JSON Schema in draft 7 or 2020-12. Rejects with `tool_not_found`. */
  describe(name: string, options?: { draft?: '7' | '2020-12' }): Promise<ToolInfo>
}

/** A tool call on its way, as a hook sees it. */
export interface ToolCall {
  name: string
  params: Record<string, unknown>
  caller: string
  trace?: string
  id?: string
}

/**
 * A service that is asked before each tool call and told after it; `hooks:` of the service `tools` names them in order.
 * Both methods are optional, get what they return by value, and have a deadline.
 */
export interface ToolHookApi {
  /** May change the parameters or refuse the call. Throwing refuses it too: a hook that fails lets nothing through. */
  before_call?(call: ToolCall): Promise<{ params?: Record<string, unknown>; refuse?: string } | undefined>
  /** May not change anything. Throwing is recorded and has no effect on the result. */
  after_call?(call: ToolCall, result: ToolResult, ms: number): Promise<void>
}

export interface ChatRequest {
  message: string
  conversation_id?: string
  provider?: string
  /** cancels the turn */
  signal?: AbortSignal
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
export type ChatEvent =
  | { type: 'text'; text: string }
  | { type: 'call'; text: string; tool: string }
  | { type: 'result'; text: string; tool: string; status: 'success' | 'error' }
  | { type: 'answer'; answer: ChatAnswer }

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
  parked(): Promise<ParkedTurn[]>
  /** Gives a parked turn its answer; the turn goes on where it stood, also after a restart. */
  decide(approvalId: string, decision: { approved: boolean; by: string; note?: string }): Promise<ChatAnswer>
}
