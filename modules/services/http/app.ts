/**
 * From a request to its answer: one way for all routes of the table. What the token may do, what the request brings and
 * whether it came before is looked at here; nothing here knows how a service works. Node's own request and response are
 * used throughout: what is made for each request is what its answer needs.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { coded } from '../../lib/errors.ts'
import { JsonText } from '../../lib/plain-json.ts'
import type { Retries } from '../../lib/retries.ts'
import { refusalOf, SAFE_HEADERS, sentOfTold, toldOf, type Sent } from './answer.ts'
import { parseBody, readText } from './body.ts'
import { Frames, sendFrames } from './chat-stream.ts'
import { checked } from './check.ts'
import type { Cleaner } from './clean.ts'
import { RequestDesk, type Means } from './desk.ts'
import { checkScope } from './guard.ts'
import type { Outbox } from './outbox.ts'
import { Router, type Found } from './router.ts'
import { ROUTES } from './routes/index.ts'
import { NOTHING, type Asker, type Route } from './routes/route.ts'
import type { Target } from './target.ts'
import { sendWeb, webRequest } from './web.ts'

export interface AppOptions {
  means: Means
  body_bytes_max: number
  retries: Retries<Sent>
  outbox: Outbox
}

/** A request that was let in. */
export interface Visit {
  request: IncomingMessage
  response: ServerResponse
  asker: Asker | undefined
  target: Target
}

/** Sends an answer, or a refusal. */
export type App = (visit: Visit) => Promise<void>

export function createApp(options: AppOptions): App {
  const router = new Router(ROUTES)
  return async (visit) => {
    const { request, response, asker, target } = visit
    const found = router.find(request.method ?? 'GET', target.path)
    if (found === undefined) {
      options.outbox.send(response, refusalOf(coded('not_found', { path: target.path })))
      return
    }
    try {
      checkScope(asker, found.route.scope)
      await answer(found, visit, options)
    } catch (thrown) {
      request.resume()
      // A module may throw anything.
      options.outbox.send(response, await refused(thrown, options.means.cleaner))
    }
  }
}

async function answer({ route, params: given }: Found, visit: Visit, options: AppOptions): Promise<void> {
  const { request, response, asker, target } = visit
  const { means, retries, outbox } = options
  const params = checked(route.params, given, 'path')
  const values = firstValues(target.query)
  const query = checked(route.query, values, 'query')
  const text = route.method === 'GET' ? '' : await readText(request, options.body_bytes_max)
  if (route.raw === true) {
    const body = webRequest(request, target.url, text)
    const desk = new RequestDesk(means, visit, undefined)
    sendWeb(response, (await route.act({ params, query, body, desk })) as Response)
    return
  }
  const sent = route.body === NOTHING ? {} : parseBody(text, request.headers['content-type'])
  const body = checked(route.body, sent, 'body')
  const key = keyOf(route, request)
  const asked = { params, query, body, desk: new RequestDesk(means, visit, key) }
  if (key !== undefined) {
    const caller = JSON.stringify([asker?.name, route.method, target.path])
    const make = (): ReturnType<typeof attempt> => attempt(route, asked, means.cleaner)
    outbox.send(response, await retries.once(caller, key, { text, query: values }, make))
    return
  }
  const result = await route.act(asked)
  if (result instanceof Frames) sendFrames(response, result)
  else outbox.send(response, await sentOf(route, result, means.cleaner))
}

/** Of a name that is given twice the first counts. */
const firstValues = (query: URLSearchParams): Record<string, string> =>
  query.size === 0 ? {} : Object.fromEntries([...query].reverse())

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

async function sentOf({ as, own, text_type }: Route, result: unknown, cleaner: Cleaner): Promise<Sent> {
  if (as === 'text') return sentAs(text_type ?? 'text/plain; charset=UTF-8', String(result))
  if (result instanceof JsonText) return sentAs('application/json', result.text)
  return sentAs('application/json', own === true ? JSON.stringify(result) : await cleaner.text(result))
}

const sentAs = (type: string, text: string): Sent => ({
  status: 200,
  headers: { 'content-type': type, ...SAFE_HEADERS },
  text,
})
