/**
 * Requests to routes: each record of the table becomes a route of Hono. What the token may do, what the request brings
 * and whether it came before is looked at here; nothing here knows how a service works.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { coded } from '../../lib/errors.ts'
import type { Retries } from '../../lib/retries.ts'
import { refusalOf, SAFE_HEADERS, sentOfTold, toldOf, type Sent } from './answer.ts'
import { parseBody, readText } from './body.ts'
import { checked } from './check.ts'
import type { Cleaner } from './clean.ts'
import { createDesk, type Means } from './desk.ts'
import { checkScope } from './guard.ts'
import { ROUTES } from './routes/index.ts'
import { NOTHING, type Asker, type Route } from './routes/route.ts'

export interface AppOptions {
  means: Means
  body_bytes_max: number
  retries: Retries<Sent>
  cleaner: Cleaner
}

/** What the server gives to a route beside the request. */
export interface Served {
  incoming: IncomingMessage
  outgoing: ServerResponse
  asker: Asker | undefined
}

export type Env = { Bindings: Served }

export function createApp(options: AppOptions): Hono<Env> {
  const app = new Hono<Env>()
  app.onError((error, context) => send(context, refusalOf(error)))
  app.notFound((context) => send(context, refusalOf(coded('not_found', { path: context.req.path }))))
  for (const one of ROUTES as readonly Route[]) {
    const path = one.path.replaceAll(/\{(\w+)\}/g, ':$1')
    if (one.raw === true) app.on(one.method, path, limited(options.body_bytes_max))
    app.on(one.method, path, async (context) => {
      try {
        checkScope(context.env.asker, one.scope)
        return one.raw === true ? await answerRaw(one, context, options) : await answer(one, context, options)
      } catch (thrown) {
        // A module may throw anything.
        return send(context, await refused(thrown, options.cleaner))
      }
    })
  }
  return app
}

/** For routes that read the body by themselves. */
const limited = (limit: number): ReturnType<typeof bodyLimit> =>
  bodyLimit({ maxSize: limit, onError: (context) => send(context, refusalOf(coded('body_too_large', { limit }))) })

const send = (context: Context, { status, headers, text }: Sent): Response =>
  context.body(text, status as ContentfulStatusCode, headers)

async function answerRaw(one: Route, context: Context<Env>, { means }: AppOptions): Promise<Response> {
  const desk = createDesk(means, context, undefined)
  return (await one.act({ params: {}, query: {}, body: undefined, desk })) as Response
}

async function answer(one: Route, context: Context<Env>, options: AppOptions): Promise<Response> {
  const { incoming, asker } = context.env
  const params = checked(one.params, context.req.param(), 'path')
  const query = checked(one.query, context.req.query(), 'query')
  const text = one.method === 'GET' ? '' : await readText(incoming, options.body_bytes_max)
  const sent = one.body === NOTHING ? {} : parseBody(text, incoming.headers['content-type'])
  const body = checked(one.body, sent, 'body')
  const key = keyOf(one, incoming)
  const desk = createDesk(options.means, context, key)
  if (key === undefined) {
    const result = await one.act({ params, query, body, desk })
    return result instanceof Response ? result : send(context, await sentOf(one, result, options.cleaner))
  }
  const caller = JSON.stringify([asker?.name, one.method, context.req.path])
  const make = (): ReturnType<typeof attempt> => attempt(one, { params, query, body, desk }, options.cleaner)
  return send(context, await options.retries.once(caller, key, { text, query: context.req.query() }, make))
}

const KEY = /^[\x21-\x7e]{1,200}$/

/** The name of a request that may come again, where this is the place to recognize it. */
function keyOf({ method, idempotent }: Route, { headers }: IncomingMessage): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined || method === 'GET' || idempotent === 'elsewhere') return undefined
  if (typeof key === 'string' && KEY.test(key)) return key
  throw coded('bad_request', { reason: 'an Idempotency-Key is 1 to 200 letters, digits and signs without blanks' })
}

/** Never rejects. What was refused before anything was done leaves the key free. */
async function attempt(
  one: Route,
  asked: Parameters<Route['act']>[0],
  cleaner: Cleaner,
): Promise<{ result: Sent; ran: boolean; bytes: number }> {
  try {
    const result = await sentOf(one, await one.act(asked), cleaner)
    return { result, ran: true, bytes: result.text.length }
  } catch (thrown) {
    const result = await refused(thrown, cleaner)
    return { result, ran: ![400, 403, 404, 429, 503].includes(result.status), bytes: result.text.length }
  }
}

const refused = async (thrown: unknown, cleaner: Cleaner): Promise<Sent> =>
  sentOfTold(await cleaner.error(toldOf(thrown)))

async function sentOf({ as, own }: Route, result: unknown, cleaner: Cleaner): Promise<Sent> {
  const json = own === true ? JSON.stringify(result) : undefined
  const text = as === 'text' ? String(result) : (json ?? (await cleaner.text(result)))
  const type = as === 'text' ? 'text/plain; charset=UTF-8' : 'application/json'
  return { status: 200, headers: { 'content-type': type, ...SAFE_HEADERS }, text }
}
