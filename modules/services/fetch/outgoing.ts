/** What a caller wants sent, checked: methods, headers that are not the connection's own, a body within its limit. */
import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { FetchOptions } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import type { Outgoing } from './exchange.ts'

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** They say how the connection is used, which is decided here. */
const NOT_YOURS = new Set(
  'host connection content-length transfer-encoding keep-alive upgrade te trailer expect proxy-connection proxy-authorization accept-encoding'.split(
    ' ',
  ),
)
const HEADERS_MAX = 64
const HEADER_BYTES_MAX = 8_192

const wrong = (reason: string): Error => coded('bad_arguments', { api: 'fetch', reason })

export function outgoingOf({ method = 'GET', headers = {}, body }: FetchOptions, bytesMax: number): Outgoing {
  const verb = String(method).toUpperCase()
  if (!METHODS.has(verb)) throw wrong(`the method must be one of ${[...METHODS].join(', ')}`)
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array))
    throw wrong('the body must be a text or bytes')
  if (body !== undefined && (verb === 'GET' || verb === 'HEAD')) throw wrong(`a ${verb} request has no body`)
  const bytes = body === undefined ? 0 : Buffer.byteLength(body)
  if (bytes > bytesMax) throw coded('fetch_too_large', { what: 'body', limit: bytesMax })
  return { method: verb, headers: checkedHeaders(headers), body }
}

function checkedHeaders(given: unknown): Record<string, string> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrong('the headers must be a map')
  const entries = Object.entries(given as Record<string, unknown>)
  if (entries.length > HEADERS_MAX) throw wrong(`more than ${HEADERS_MAX} headers`)
  const headers: Record<string, string> = {}
  for (const [key, value] of entries) {
    const name = key.toLowerCase()
    if (NOT_YOURS.has(name)) throw wrong(`the header \`${name}\` is not yours to set`)
    if (typeof value !== 'string' || value.length > HEADER_BYTES_MAX)
      throw wrong(`the header \`${name.slice(0, 40)}\` is no short text`)
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch {
      throw wrong(`the header \`${name.slice(0, 40)}\` holds what no header may`)
    }
    headers[name] = value
  }
  return headers
}
