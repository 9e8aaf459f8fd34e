/**
 * The routes. Each one turns a request into calls through handles and a result into JSON; nothing here knows how a
 * service works. Errors leave as `{error: {code, message, hint, doc}}` with the status of their code, never a stack.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { DetailedResult, Handle, KernelApi } from '../../contracts/module.ts'
import type { KernelServiceApi, ProposedFile } from '../../contracts/kernel.ts'
import type { ToolsApi } from '../../contracts/services.ts'
import { coded, fromErrorData, statusOf, toErrorData } from '../../lib/errors.ts'
import { isStream, streamRefused, toPlain } from '../../lib/plain-json.ts'
import { addChatRoutes } from './chat.ts'
import { readBody } from './body.ts'
import { askMcp } from './mcp.ts'

export interface AppOptions {
  kernel: KernelApi
  body_bytes_max: number
  deadline_ms: number
  /** the service that answers /api/chat */
  assistant: string
  /** whether a request carries the system's own token */
  isOperator(headers: IncomingHttpHeaders): boolean
}

/** What the server gives to a route beside the request. */
export interface Served {
  incoming: IncomingMessage
}

export function createApp(options: AppOptions): Hono<{ Bindings: Served }> {
  const { kernel } = options
  const app = new Hono<{ Bindings: Served }>()
  const system = kernel.getApi<KernelServiceApi>('kernel')
  const tools = kernel.getApi<ToolsApi>('tools')

  app.onError((error, context) => answerError(context, error))
  app.notFound((context) => answerError(context, coded('not_found', { path: context.req.path })))
  app.use('*', async (context, next) => {
    await next()
    context.header('cache-control', 'no-store')
    context.header('x-content-type-options', 'nosniff')
  })
  app.use('*', async (_context, next) => {
    try {
      await next()
    } catch (thrown) {
      // Hono takes only an Error to onError, and a module may throw anything.
      throw thrown instanceof Error ? thrown : fromErrorData(toErrorData(thrown))
    }
  })
  const limited = bodyLimit({
    maxSize: options.body_bytes_max,
    onError: (context) => answerError(context, coded('body_too_large', { limit: options.body_bytes_max })),
  })
  app.use('/api/*', limited)
  app.use('/mcp', limited)

  app.get('/health', async (context) => {
    const { status, version, prog, services } = await system.status()
    return context.json({ status, kernel: { version, prog }, services })
  })
  app.get('/api/kernel', async (context) => context.json({ ...(await system.status()), ...(await system.kernel()) }))
  app.post('/api/kernel/swap', async (context) => context.json(await system.swap()))
  app.get('/api/services', async (context) => context.json({ services: await system.services() }))
  app.get('/api/services/:api', async (context) => context.json(await system.show(context.req.param('api'))))
  addChangeRoutes(app, system)
  app.post('/api/services/:api/call', async (context) => {
    const body = await readBody(context)
    return context.json(await call(options, context.req.param('api'), body, context.req.raw.signal))
  })
  app.get('/api/tree', async (context) => context.text(await system.tree(context.req.query('service'))))
  addToolRoutes(app, tools)
  addChatRoutes(app, options)
  app.all('/mcp', ({ req, env }) => askMcp(kernel, req.raw, options.isOperator(env.incoming.headers)))
  return app
}

function addToolRoutes(app: Hono<{ Bindings: Served }>, tools: Handle<ToolsApi>): void {
  app.get('/api/tools', async (context) => context.json(await tools.list()))
  app.get('/api/tools/:name', async (context) => {
    const draft = context.req.query('draft') as '7' | undefined
    return context.json(await tools.describe(context.req.param('name'), draft === undefined ? {} : { draft }))
  })
  app.post('/api/tools/:name', async (context) => {
    const params = await readBody(context)
    const id = context.req.header('idempotency-key')
    // With a key the caller may come again for the result: a lost connection does not end the call.
    const how = id === undefined ? { signal: context.req.raw.signal } : { id }
    const result = await tools.invoke(context.req.param('name'), params, { ...how, caller: 'http' })
    if (result.status !== 'success') return answerError(context, result.error)
    return context.json({ ...result, value: toPlain(result.value, { api: 'tools', method: result.name }) })
  })
}

function addChangeRoutes(app: Hono<{ Bindings: Served }>, system: Handle<KernelServiceApi>): void {
  app.post('/api/services/:api/reload', async (context) => context.json(await system.reload(context.req.param('api'))))
  app.post('/api/services/:api/rollback', async (context) =>
    context.json(await system.rollback(context.req.param('api'))),
  )
  app.post('/api/services/:api/undo', async (context) => context.json(await system.undo(context.req.param('api'))))
  app.post('/api/plan', async (context) => {
    const { files } = await readBody(context)
    return context.json({ changes: await system.plan(files as ProposedFile[] | undefined) })
  })
  app.get('/api/configs', async (context) =>
    context.json({ configs: await system.configs(context.req.query('service')) }),
  )
}

const answerError = (context: Context, error: unknown): Response => {
  const { code, message, hint, file, line, column } = toErrorData(error)
  const place = file === undefined ? {} : { file, line, column }
  return context.json(
    { error: { code, message, hint, doc: `ERRORS.md#${code}`, ...place } },
    statusOf(code) as ContentfulStatusCode,
  )
}

/** Names that belong to the handle itself; no service has a method of that name. */
const HANDLE_NAMES = new Set(['as', 'with', 'getStats', 'toString'])

async function call(
  options: AppOptions,
  api: string,
  body: Record<string, unknown>,
  signal: AbortSignal,
): Promise<{ result: unknown; generation: number; trace_id: string }> {
  const { method, args = [], aspect, deadline_ms = options.deadline_ms } = body
  if (typeof method !== 'string' || method === '')
    throw coded('bad_request', { reason: '`method` must be the name of a method' })
  if (!Array.isArray(args)) throw coded('bad_request', { reason: '`args` must be a list' })
  if (aspect !== undefined && typeof aspect !== 'string')
    throw coded('bad_request', { reason: '`aspect` must be a name' })
  if (typeof deadline_ms !== 'number' || !(deadline_ms > 0))
    throw coded('bad_request', { reason: '`deadline_ms` must be a positive number' })
  const trace = crypto.randomUUID()
  const handle = options.kernel.getApi(api)
  const target = aspect === undefined || aspect === 'default' ? handle : handle.as(aspect)
  const detailed = target.with({ detail: true, deadlineMs: Math.min(deadline_ms, 600_000), signal, trace })
  const forward: unknown = HANDLE_NAMES.has(method) ? undefined : detailed[method]
  if (typeof forward !== 'function') throw coded('method_not_found', { api, method })
  const answer: unknown = forward(...(args as unknown[]))
  if (isStream(answer)) throw streamRefused({ api, method })
  const { result, generation } = (await answer) as DetailedResult
  return { result: toPlain(result, { api, method }), generation, trace_id: trace }
}
