/** How answers and refusals look. One place, so that nothing else leaves than these members: no stack, no cause. Pure. */
import { statusOf, toErrorData } from '../../lib/errors.ts'
import type { FieldError } from './check.ts'

/** No answer may be kept or taken for something else. */
export const SAFE_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

export interface Refusal {
  status: number
  headers: Record<string, string>
  text: string
}

export function refusalOf(thrown: unknown): Refusal {
  const { code, message, hint, file, line, column } = toErrorData(thrown)
  const { field, expected } = (thrown ?? {}) as Partial<FieldError>
  const place = file === undefined ? {} : { file, line, column }
  const part = typeof field === 'string' ? { field, expected } : {}
  const status = statusOf(code)
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...SAFE_HEADERS,
      ...(code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}),
    },
    text: JSON.stringify({ error: { code, message, hint, doc: `ERRORS.md#${code}`, ...part, ...place } }),
  }
}
