/** The body of a request, as every route reads it. */
import type { IncomingMessage } from 'node:http'
import { coded, reasonOf } from '../../lib/errors.ts'

/** Rejects with `body_too_large` at the first byte too many, also when the length that is announced is. */
export function readText(request: IncomingMessage, bytesMax: number): Promise<string> {
  const tooLarge = (): Error => coded('body_too_large', { limit: bytesMax })
  const { 'content-length': announced, 'transfer-encoding': encoding } = request.headers
  if (Number(announced) > bytesMax) return Promise.reject(tooLarge())
  if (encoding === undefined && (announced === undefined || announced === '0')) return Promise.resolve('')
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes <= bytesMax) {
        chunks.push(chunk)
        return
      }
      request.off('data', onData)
      reject(tooLarge())
    }
    request.on('data', onData)
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    // Nobody is there to read the answer.
    request.once('close', () => {
      if (!request.complete) reject(coded('bad_request', { reason: 'its body does not end' }))
    })
  })
}

/** A JSON object, or a coded error. An empty body is an empty object. */
export function parseBody(text: string, type = ''): Record<string, unknown> {
  if (text.trim() === '') return {}
  if (!/^application\/([\w.+-]*\+)?json\b/i.test(type)) throw coded('unsupported_media')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw coded('bad_request', { reason: `the body is not JSON: ${reasonOf(error)}` })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw coded('bad_request', { reason: 'the body must be a JSON object' })
  }
  return value as Record<string, unknown>
}

/** Far more than any limit, far less than what somebody could send who does not stop. */
const RUN_OUT_BYTES_MAX = 67_108_864

/**
 * Of a request that was answered before its end: what still comes is let run out, because a connection that is closed on
 * unread bytes takes the answer with it.
 */
export async function letRunOut(request: IncomingMessage, time: Promise<void>): Promise<void> {
  const { socket } = request
  const since = socket.bytesRead
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (socket.bytesRead - since > RUN_OUT_BYTES_MAX) resolve()
    }
    request.on('data', look)
    request.once('close', resolve)
    time.then(resolve, resolve)
  })
  if (!request.complete) socket.destroySoon()
}
