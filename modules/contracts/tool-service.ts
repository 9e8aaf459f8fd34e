/** The service `tools` and the hooks it asks, as their callers see them. */
import type { ToolInfo, ToolResult } from './tool.ts'

export interface InvokeOptions {
  deadline_ms?: number
  signal?: AbortSignal
  trace?: string
  /** the service that asks, as the tool is told */
  caller?: string
  /** the operator's token: a person calls, and the hooks are told so. Without it the call is the system's own */
  operator?: string
  /** of a call that had to be approved: the hook that parked it knows it by this word */
  permit?: string
  /** the result says which version answered: `answered_by` */
  detail?: boolean
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
  /** `human`: it came with the operator's token */
  origin: 'human' | 'self'
  /** the tool says that it changes nothing */
  read_only?: true
  permit?: string
  trace?: string
  id?: string
}

/** What a hook says to a call. Nothing: it may be made. */
export interface HookAnswer {
  params?: Record<string, unknown>
  /** why it may not be made */
  refuse?: string
  /** with `refuse`: the approval it waits for */
  approval?: string
}

/**
 * A service that is asked before each tool call and told after it; `hooks:` of the service `tools` names them in order.
 * Both methods are optional, get what they return by value, and have a deadline.
 */
export interface ToolHookApi {
  /** May change the parameters or refuse the call. Throwing refuses it too: a hook that fails lets nothing through. */
  before_call?(call: ToolCall): Promise<HookAnswer | undefined>
  /** May not change anything. Throwing is recorded and has no effect on the result. */
  after_call?(call: ToolCall, result: ToolResult, ms: number): Promise<void>
}
