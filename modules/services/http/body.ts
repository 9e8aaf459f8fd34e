/** The body of a request, as every route reads it. */
import type { Context } from 'hono'
import { coded, reasonOf } from '../../lib/errors.ts'

/** A JSON object, or a coded error. An empty body is an empty object. */
export async function readBody(context: Context): Promise<Record<string, unknown>> {
  const text = await context.req.text()
  if (text.trim() === '') return {}
  const type = context.req.header('content-type') ?? ''
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
