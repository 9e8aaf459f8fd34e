/**
 * A tool is a described function in a module's `tool` aspect. `params` is a zod object; the kernel derives a JSON
 * Schema from it and checks arguments against it before `run` is called.
 */
import type { ZodType, infer as Infer } from 'zod'
import type { JsonMap } from './seams.ts'

/** What a tool's `run` is told about its call. */
export interface ToolContext {
  /** the service that asked, `anonymous` when unknown */
  caller: string
  signal?: AbortSignal
}

export interface Tool<P extends ZodType = ZodType> {
  description: string
  params: P
  /** May throw or reject: the error becomes the tool's result. May be called while the version drains. */
  run(params: Infer<P>, context: ToolContext): unknown
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
}

/** What a tool call came to. `value` is plain data. */
export type ToolResult =
  | { name: string; status: 'success'; value: unknown }
  | { name: string; status: 'error'; error: { code: string; message: string; hint: string } }
