/**
 * Requests to routes: each record of the table becomes a route of Hono, its parts checked against its schemas. Nothing
 * here knows how a service works, and nothing there how a request is read.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { StatusCode } from 'hono/utils/http-status'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type { AssistantApi, ToolsApi } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import { refusalOf, SAFE_HEADERS } from './answer.ts'
import { parseBody, readText } from './body.ts'
import { checked } from './check.ts'
import { openApiOf } from './openapi.ts'
import { ROUTES } from './routes/index.ts'
import { NOTHING, type Desk, type Route } from './routes/route.ts'

export interface AppOptions {
  kernel: KernelApi
  body_bytes_max: number
  deadline_ms: number
  /** the service that answers /api/chat */
  assistant: string
}

/** What the server gives to a route beside the request. */
export interface Served {
  incoming: IncomingMessage
  outgoing: ServerResponse
  /** the request carries the system's own token */
  operator: boolean
}

type Env = { Bindings: Served }
type App = Hono<Env>

export function createApp(options: AppOptions): App {
  const app: App = new Hono<Env>()
  const { kernel } = options
  const common = {
    kernel,
    system: kernel.getApi<KernelServiceApi>('kernel'),
    tools: kernel.getApi<ToolsApi>('tools'),
    assistant: kernel.getApi<AssistantApi>(options.assistant),
    deadline_ms: options.deadline_ms,
    openApi: ({ version }: { version: string }) => openApiOf(ROUTES, version),
  }
  app.onError((error, context) => refuse(context, error))
  app.notFound((context) => refuse(context, coded('not_found', { path: context.req.path })))
  for (const one of ROUTES as readonly Route[]) {
    const path = one.path.replaceAll(/\{(\w+)\}/g, ':$1')
    if (one.raw === true) app.on(one.method, path, limited(options))
    app.on(one.method, path, async (context) => {
      try {
        return await answer(one, context, new OneDesk(common, context), options.body_bytes_max)
      } catch (thrown) {
        // A module may throw anything.
        return refuse(context, thrown)
      }
    })
  }
  return app
}

type Common = Pick<Desk, 'kernel' | 'system' | 'tools' | 'assistant' | 'deadline_ms' | 'openApi'>

/** What is costly about a request is made when a route asks for it. */
class OneDesk implements Desk {
  readonly kernel: Desk['kernel']
  readonly system: Desk['system']
  readonly tools: Desk['tools']
  readonly assistant: Desk['assistant']
  readonly deadline_ms: number
  readonly openApi: Desk['openApi']
  readonly idempotencyKey = undefined
  readonly #context: Context<Env>
  #left: AbortController | undefined

  constructor(common: Common, context: Context<Env>) {
    this.kernel = common.kernel
    this.system = common.system
    this.tools = common.tools
    this.assistant = common.assistant
    this.deadline_ms = common.deadline_ms
    this.openApi = common.openApi
    this.#context = context
  }

  get headers(): IncomingMessage['headers'] {
    return this.#context.env.incoming.headers
  }

  get operator(): boolean {
    return this.#context.env.operator
  }

  get web(): Request {
    return this.#context.req.raw
  }

  get signal(): AbortSignal {
    if (this.#left !== undefined) return this.#left.signal
    const left = new AbortController()
    this.#left = left
    this.#context.env.outgoing.once('close', () => left.abort())
    return left.signal
  }
}

async function answer(one: Route, context: Context<Env>, desk: Desk, bytesMax: number): Promise<Response> {
  const params = checked(one.params, context.req.param(), 'path')
  const query = checked(one.query, context.req.query(), 'query')
  const body = one.raw === true ? undefined : await bodyOf(one, context, bytesMax)
  const result = await one.act({ params, query, body, desk })
  if (result instanceof Response) return result
  const text = one.as === 'text' ? String(result) : JSON.stringify(result)
  const type = one.as === 'text' ? 'text/plain; charset=UTF-8' : 'application/json'
  return context.body(text, 200, { 'content-type': type, ...SAFE_HEADERS })
}

async function bodyOf(one: Route, { env: { incoming } }: Context<Env>, bytesMax: number): Promise<unknown> {
  if (one.method === 'GET') return {}
  const text = await readText(incoming, bytesMax)
  return checked(one.body, one.body === NOTHING ? {} : parseBody(text, incoming.headers['content-type']), 'body')
}

/** For routes that read the body by themselves. */
const limited = ({ body_bytes_max: limit }: AppOptions): ReturnType<typeof bodyLimit> =>
  bodyLimit({ maxSize: limit, onError: (context) => refuse(context, coded('body_too_large', { limit })) })

function refuse(context: Context, thrown: unknown): Response {
  const { status, headers, text } = refusalOf(thrown)
  return context.body(text, status as StatusCode as 400, headers)
}
