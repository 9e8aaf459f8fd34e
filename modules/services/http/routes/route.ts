/**
 * One route, as data: where it stands, who may ask, what it takes and gives, and what it does. Routing, validation, the
 * OpenAPI document, docs/http-api.md and the typed client (`cli/client.ts`, by `import type`) all come from these
 * records, so none of them can say something else. Each area has a file of its own that exports a list of them.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import type { ErrorCode } from '../../../contracts/errors.ts'
import type { KernelServiceApi } from '../../../contracts/kernel.ts'
import type { CallSignal, Handle, KernelApi } from '../../../contracts/module.ts'
import type { AssistantApi, ToolsApi } from '../../../contracts/services.ts'
import type { JsonText } from '../../../lib/plain-json.ts'
import type { Told } from '../answer.ts'
import type { Frames } from '../chat-stream.ts'
import type { Doctor } from '../doctor.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** `read` sees, `operate` calls and reloads, `admin` does everything; each holds those before it. `open` asks nobody. */
export const SCOPES = ['read', 'operate', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** Whose token a request carries, and what it may do. */
export interface Asker {
  name: string
  scope: Scope
  /** methods and tools it may call, as `service:method` */
  capabilities: readonly string[]
  /** those it may not, whatever its capabilities say */
  admin: readonly string[]
}

/** What a route may use. One for each request. */
export interface Desk {
  kernel: KernelApi
  system: Handle<KernelServiceApi>
  tools: Handle<ToolsApi>
  assistant: Handle<AssistantApi>
  /** how long a call may take when the request does not say */
  deadline_ms: number
  headers: IncomingHttpHeaders
  /** undefined: no good token came with it */
  asker: Asker | undefined
  /** Throws `token_scope` where the asker's token does not cover a method or tool. */
  checkCall(api: string, method: string): void
  /** tells when the asker hangs up */
  readonly hangUp: CallSignal
  /** the same, for who passes it on */
  readonly signal: AbortSignal
  /** An error without secrets and paths of this machine. */
  clean(error: Told): Promise<Told>
  /** what `mm doctor` finds */
  readonly doctor: Pick<Doctor, 'look'>
  /** What takes the same out of a text. */
  cleaner(): Promise<(text: string) => string>
  /** the OpenAPI document of the whole table */
  openApi(kernel: { version: string }): Record<string, unknown>
  /** set: the answer is kept under this name, so what it does goes on when the asker hangs up */
  idempotencyKey: string | undefined
}

export interface Asked<Params, Query, Body> {
  params: Params
  query: Query
  body: Body
  desk: Desk
}

export interface RouteInfo<M extends Method = Method, Path extends string = string> {
  /** `area.verb`, as the operation is called in the OpenAPI document */
  id: string
  method: M
  /** with `{name}` for what is filled in; a name with a slash is sent URL-encoded */
  path: Path
  scope: Scope | 'open'
  /** one sentence, without a period */
  summary: string
  /** more to know, as Markdown */
  notes?: string
  /** the command that asks for it, as `mm show` */
  verb?: string
  /** the codes it refuses with, beside those any route may answer */
  errors?: readonly ErrorCode[]
  /** what is sent back: JSON unless said otherwise */
  as?: 'json' | 'text' | 'events'
  /** of a `text` that is not plain */
  text_type?: string
  /** the answer is what a service made: it goes out as it is. In any other, errors are cleaned of secrets and paths */
  own?: true
  /** another protocol begins here: its body is a `Request` of the web platform, its answer a `Response` */
  raw?: true
  /** a POST whose repetition is recognized elsewhere: the header Idempotency-Key is passed on to it */
  idempotent?: 'elsewhere'
}

export type Acted<T> = T | JsonText | Frames

export interface Route<
  M extends Method = Method,
  Path extends string = string,
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  A extends z.ZodType = z.ZodType,
> extends RouteInfo<M, Path> {
  params: P
  query: Q
  /** `NOTHING`: a body is neither looked at nor refused */
  body: B
  answer: A
  /** `JsonText` goes out as it is, `Frames` one by one. */
  act(asked: Asked<z.output<P>, z.output<Q>, z.output<B>>): Acted<z.input<A>> | Promise<Acted<z.input<A>>>
}

/** No parameters, no query, no body. */
export const NOTHING = z.object({})
type Nothing = typeof NOTHING

type Given<M extends Method, Path extends string, P, Q, B, A extends z.ZodType> = RouteInfo<M, Path> & {
  params?: P
  query?: Q
  body?: B
  answer: A
}

/** A record of the table, its parts' types kept for `act` and for the client. */
export function route<
  const M extends Method,
  const Path extends string,
  A extends z.ZodType,
  P extends z.ZodType = Nothing,
  Q extends z.ZodType = Nothing,
  B extends z.ZodType = Nothing,
>(
  given: Given<M, Path, P, Q, B, A> & {
    act(asked: Asked<z.output<P>, z.output<Q>, z.output<B>>): Acted<z.input<A>> | Promise<Acted<z.input<A>>>
  },
): Route<M, Path, P, Q, B, A> {
  const { params = NOTHING, query = NOTHING, body = NOTHING } = given
  return { ...given, params: params as P, query: query as Q, body: body as B }
}

/** Names of shapes for the OpenAPI document: one set for each version of this module, so none outlives it. */
export const SHAPES = z.registry<{ id: string }>()

/** A shape that several routes answer, under a name of its own; `T` is its type in the contracts, which it must fit. */
export function shape<T>(id: string, schema: z.ZodType<T, T>): z.ZodType<T, T> {
  SHAPES.add(schema, { id })
  return schema
}
