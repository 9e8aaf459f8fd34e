/** How answers and refusals look. One place, so that nothing else leaves than these members: no stack, no cause. Pure. */
import { statusOf, toErrorData } from '../../lib/errors.ts'
import type { FieldError } from './check.ts'

/** No answer may be kept or taken for something else. */
export const SAFE_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** An answer as it goes out, and as it is kept. */
export interface Sent {
  status: number
  headers: Record<string, string>
  text: string
}

export function refusalOf(thrown: unknown): Sent {
  const { code, message, hint, file, line, column } = toErrorData(thrown)
  const { field, expected, retry_after_s: wait } = (thrown ?? {}) as Partial<FieldError> & { retry_after_s?: unknown }
  const place = file === undefined ? {} : { file, line, column }
  const part = typeof field === 'string' ? { field, expected } : {}
  const status = statusOf(code)
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...SAFE_HEADERS,
      ...(typeof wait === 'number' ? { 'retry-after': String(wait) } : {}),
      ...(code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}),
    },
    text: JSON.stringify({ error: { code, message, hint, doc: `ERRORS.md#${code}`, ...part, ...place } }),
  }
}
