/**
 * One try over HTTP: sends a body and gives the pieces of the answer as they come, counting bytes and time. The
 * client's own stream ends without a word when it is aborted: `TryTime` knows whether it was.
 */
import type OpenAI from 'openai'
import { asChunk, type Chunk } from './answer.ts'
import type { TryTime } from './call-time.ts'
import type { Body } from './request.ts'

export async function* chunksOf(client: OpenAI, body: Body, time: TryTime, bytesMax: number): AsyncGenerator<Chunk> {
  time.connecting()
  const response = await client.chat.completions.create(body, { signal: time.controller.signal }).asResponse()
  time.reading()
  const counted = countBytes(response, time, bytesMax)
  if (response.headers.get('content-type')?.includes('application/json') === true) {
    yield asChunk((await counted.json()) as OpenAI.ChatCompletion)
    return
  }
  // With the client, whose log is off: without it, a broken event would be printed to the terminal.
  const { Stream } = await import('openai/streaming')
  const chunks = Stream.fromSSEResponse<Chunk>(counted, time.controller, client)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await chunks.next()
      time.pause()
      if (next.done === true) return
      // A piece that is no map carries nothing.
      if (typeof next.value === 'object' && next.value !== null) yield next.value
      time.reading()
    }
  } finally {
    await chunks.return?.(undefined)
  }
}

/** The same response, each byte of which is heard and counted. */
export const countBytes = ({ body, headers }: Response, time: TryTime, bytesMax: number): Response =>
  new Response(body?.pipeThrough(counting(time, bytesMax)) ?? null, { headers })

function counting(time: TryTime, bytesMax: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0
  return new TransformStream({
    transform(chunk, out) {
      time.heard()
      bytes += chunk.byteLength
      if (bytes > bytesMax) out.error(new Error(`its answer is longer than ${bytesMax} bytes`))
      else out.enqueue(chunk)
    },
  })
}
