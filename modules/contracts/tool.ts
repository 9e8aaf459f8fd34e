/**
 * A tool is a described function in a module's `tool` aspect. `params` is a zod object; the kernel derives a JSON
 * Schema from it and checks arguments against it before `run` is called. Tools that are described elsewhere bring a
 * JSON Schema in its place: it is shown as it is, arguments are checked against what zod can read of it and passed as given.
 */
import type { ZodType, infer as Infer } from 'zod'
import type { JsonMap } from './seams.ts'

/** What a tool's `run` is told about its call. */
export interface ToolContext {
  /** the service that asked, `anonymous` when unknown */
  caller: string
  /** aborts when the caller gives up or the deadline is over: nobody waits for the result any more */
  signal?: AbortSignal
}

export interface Tool<P extends ZodType | JsonMap = ZodType | JsonMap> {
  description: string
  params: P
  /** how long one call may take, where it differs from the `deadline_ms` of the service `tools` */
  deadline_ms?: number
  /** It changes nothing: calls of such tools in one batch run side by side. Default: it may change something. */
  read_only?: boolean
  /** May throw or reject: the error becomes the tool's result. May be called while the version drains. */
  run(params: P extends ZodType ? Infer<P> : Record<string, unknown>, context: ToolContext): unknown
}

/** A tool as the catalogue shows it. */
export interface ToolInfo {
  /** folded name, as `filesystem_read_file` */
  name: string
  api: string
  method: string
  description: string
  /** JSON Schema (draft 7) of the parameters */
  schema: JsonMap
  /** one line for people and models: `filesystem_read_file(path: string, limit?: number)` */
  signature: string
  deadline_ms?: number
  read_only?: boolean
}

/** Where the rest of a result that was too large is: `tools_continue` with this token and offset gives the next part. */
export interface ToolMore {
  token: string
  offset: number
  /** how long the whole is, in the unit of `offset` */
  total: number
  /** text counts characters, a list items; `json` is the JSON text of the whole value, in parts */
  kind: 'text' | 'list' | 'json'
  /** the member of the value that was cut; absent when the value itself was */
  member?: string
  hint: string
}

interface ToolOutcome {
  name: string
  /** parameters that were taken otherwise than they came, one line each */
  warnings?: string[]
  /** who answered, where that was asked for and somebody did */
  answered_by?: AnsweredBy
}

/** The version that answered, and what it is made from. */
export interface AnsweredBy {
  generation: number
  source_hash: string | null
  config_hash: string | null
}

/** What a tool call came to. `value` is plain data. */
export type ToolResult =
  | (ToolOutcome & { status: 'success'; value: unknown; more?: ToolMore })
  | (ToolOutcome & { status: 'error'; error: { code: string; message: string; hint: string } })
