/** A provider written by hand, for what a scripted one cannot do: answers held back and let go piece by piece. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import type { CompletionChunk } from '../../modules/contracts/services.ts'

export interface Asked {
  url: string
  headers: IncomingMessage['headers']
  /** as it came */
  raw: string
  body: Record<string, unknown>
}

export interface Reply {
  /** One piece of the answer's text. */
  say(content: string): void
  /** One event of the stream, whatever it is. */
  send(event: unknown): void
  /** The reason of the end, the usage where there is one, and the end. */
  finish(usage?: Record<string, unknown>, reason?: string): void
  /** Breaks the connection off. */
  cut(): void
  /** Everything at once, not as a stream. */
  json(status: number, body: unknown, headers?: Record<string, string>): void
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>
  readonly response: ServerResponse
}

export interface Provider {
  readonly url: string
  readonly port: number
  readonly asked: Asked[]
  stop(): Promise<void>
}

/** `answer` is told which request it is, from 1. */
export async function startProvider(
  answer: (reply: Reply, asked: Asked, nth: number) => unknown,
  port = 0,
): Promise<Provider> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void text(request.pipe(new PassThrough())).then((raw) => {
      const one: Asked = {
        url: request.url ?? '',
        headers: request.headers,
        raw,
        body: (raw === '' ? {} : JSON.parse(raw)) as Record<string, unknown>,
      }
      asked.push(one)
      return answer(replyTo(response), one, asked.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${bound}/v1`,
    port: bound,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function replyTo(response: ServerResponse): Reply {
  const closed = new Promise<void>((resolve) => response.on('close', resolve))
  const send = (event: unknown): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`)
  }
  const chunk = (choices: unknown[], more: Record<string, unknown> = {}): unknown => ({
    id: 'x',
    object: 'chat.completion.chunk',
    model: 'handmade',
    choices,
    ...more,
  })
  return {
    send,
    say: (content) => send(chunk([{ index: 0, delta: { content }, finish_reason: null }])),
    finish: (usage, reason = 'stop') => {
      send(chunk([{ index: 0, delta: {}, finish_reason: reason }]))
      if (usage !== undefined) send(chunk([], { usage }))
      response.end('data: [DONE]\n\n')
    },
    cut: () => response.destroy(),
    json: (status, body, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(body))
    },
    closed,
    response,
  }
}

/** A promise and the way to fulfil it. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** What a stream gave until it ended or broke. */
export async function read(
  stream: AsyncGenerator<CompletionChunk>,
  onText: (text: string) => void = () => {},
): Promise<{
  texts: string[]
  end: CompletionChunk | undefined
  error: { code?: string; message: string } | undefined
}> {
  const texts: string[] = []
  let end: CompletionChunk | undefined
  try {
    for await (const chunk of stream) {
      expect(end).toBeUndefined()
      if (chunk.type === 'end') end = chunk
      else {
        texts.push(chunk.text)
        onText(chunk.text)
      }
    }
  } catch (error) {
    return { texts, end, error: error as Error }
  }
  return { texts, end, error: undefined }
}
