/**
 * A chat as server-sent events, while it is written. Whoever hangs up cancels the turn it was waiting for, also while
 * nothing is being sent.
 */
import type { ChatEvent, ChatRequest } from '../../contracts/services.ts'
import { toErrorData } from '../../lib/errors.ts'
import { entryOf } from './entry.ts'
import type { Desk } from './routes/route.ts'

const HEADERS = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }

export function streamChat(desk: Desk, request: ChatRequest): Response {
  const left = new AbortController()
  const signal = AbortSignal.any([desk.signal, left.signal])
  const { call, place } = entryOf(desk)
  const events = chatEvents(desk.assistant.with(call), { ...request, trace: place, signal })
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(out) {
      const { value, done } = await events.next()
      if (done === true) out.close()
      else out.enqueue(encoder.encode(value))
    },
    cancel: () => left.abort(),
  })
  return new Response(body, { headers: HEADERS })
}

async function* chatEvents(assistant: Desk['assistant'], request: ChatRequest): AsyncGenerator<string> {
  try {
    for await (const event of assistant.chatStream(request)) yield frameOf(event.type, event)
  } catch (error) {
    const { code, message, hint } = toErrorData(error)
    yield frameOf('error', { type: 'error', error: { code, message, hint } })
  }
}

const frameOf = (type: string, data: ChatEvent | object): string => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
