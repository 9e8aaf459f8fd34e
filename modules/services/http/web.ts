/**
 * Requests and answers as the web platform has them, for where another protocol begins: the libraries behind those
 * routes speak it. All others are spoken in Node's own terms, which costs a third of the time.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SAFE_HEADERS } from './answer.ts'

export function webRequest({ method = 'GET', headers }: IncomingMessage, url: string, text: string): Request {
  const named = Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string])
  return new Request(`http://localhost${url}`, { method, headers: named, ...(text === '' ? {} : { body: text }) })
}

/** The web platform's type has other chunks where a page's types are read together with these. */
type StreamOfNode = Parameters<typeof Readable.fromWeb>[0]

/** Returns when it flows. It ends when either side goes; the other is told. */
export function sendWeb(response: ServerResponse, answer: Response): void {
  response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), ...SAFE_HEADERS })
  if (answer.body === null) {
    response.end()
    return
  }
  response.flushHeaders()
  const body: unknown = answer.body
  pipeline(Readable.fromWeb(body as StreamOfNode), response).catch(() => undefined)
}
