/** `fetch` whose answers have a size: a whole body, or between two blank lines of an event stream. */

const LINE_FEED = 10
const CARRIAGE_RETURN = 13

export const limitedFetch =
  (bytesMax: number, onLimit: () => void): typeof fetch =>
  async (input, init) => {
    const response = await fetch(input, init)
    if (response.body === null) return response
    const stream = /^text\/event-stream/i.test(response.headers.get('content-type') ?? '')
    const { status, statusText, headers } = response
    return new Response(response.body.pipeThrough(limit(bytesMax, stream, onLimit)), { status, statusText, headers })
  }

function limit(bytesMax: number, stream: boolean, onLimit: () => void): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0
  let most = 0
  let blank = true
  return new TransformStream({
    transform: (chunk, controller) => {
      if (!stream) bytes += chunk.length
      for (const byte of stream ? chunk : []) {
        most = Math.max(most, ++bytes)
        if (byte !== LINE_FEED) {
          if (byte !== CARRIAGE_RETURN) blank = false
          continue
        }
        if (blank) bytes = 0
        blank = true
      }
      if (Math.max(most, bytes) <= bytesMax) {
        controller.enqueue(chunk)
        return
      }
      controller.error(new Error(`more than ${bytesMax} bytes at once`))
      onLimit()
    },
  })
}
