/**
 * A chat as server-sent events, while it is written. Whoever hangs up cancels the turn it was waiting for, also while
 * nothing is being sent. What its errors hold of secrets and paths is taken out, as of any other error.
 */
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ChatEvent, ChatRequest } from '../../contracts/services.ts'
import { SAFE_HEADERS, toldOf } from './answer.ts'
import { entryOf } from './entry.ts'
import type { Desk } from './routes/route.ts'

const HEADERS = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no', ...SAFE_HEADERS }

/** An answer that is sent while it comes to be. Never fails: an error is a frame. */
export class Frames {
  readonly frames: AsyncIterable<string>

  constructor(frames: AsyncIterable<string>) {
    this.frames = frames
  }
}

export function streamChat(desk: Desk, request: ChatRequest): Frames {
  const { call, place } = entryOf(desk)
  return new Frames(chatFrames(desk, desk.assistant.with(call), { ...request, trace: place, signal: desk.signal }))
}

async function* chatFrames(desk: Desk, assistant: Desk['assistant'], request: ChatRequest): AsyncGenerator<string> {
  try {
    for await (const event of assistant.chatStream(request)) yield frameOf(event.type, event)
  } catch (thrown) {
    const { code, message, hint } = await desk.clean(toldOf(thrown))
    yield frameOf('error', { type: 'error', error: { code, message, hint } })
  }
}

const frameOf = (type: string, data: ChatEvent | object): string => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`

/** Returns when it flows. */
export function sendFrames(response: ServerResponse, { frames }: Frames): void {
  response.writeHead(200, HEADERS)
  response.flushHeaders()
  pipeline(Readable.from(frames), response).catch(() => undefined)
}
