/** How answers and refusals look. One place, so that nothing else leaves than these members: no stack, no cause. Pure. */
import type { ErrorData } from '../../contracts/errors.ts'
import { statusOf, toErrorData } from '../../lib/errors.ts'

/** No answer may be kept or taken for something else. */
export const SAFE_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** An answer as it goes out, and as it is kept. */
export interface Sent {
  status: number
  headers: Record<string, string>
  text: string
}

/** What is told of an error: these members and no others. */
export type Told = ErrorData & { field?: string; expected?: string; retry_after_s?: number }

export function toldOf(thrown: unknown): Told {
  const { field, expected, retry_after_s } = (thrown ?? {}) as Partial<Told>
  const part = typeof field === 'string' && typeof expected === 'string' ? { field, expected } : {}
  return { ...toErrorData(thrown), ...part, ...(typeof retry_after_s === 'number' ? { retry_after_s } : {}) }
}

export const refusalOf = (thrown: unknown): Sent => sentOfTold(toldOf(thrown))

export function sentOfTold({ retry_after_s: wait, details: _details, ...told }: Told): Sent {
  const { code, message, hint, ...more } = told
  return {
    status: statusOf(code),
    headers: {
      'content-type': 'application/json',
      ...SAFE_HEADERS,
      ...(wait === undefined ? {} : { 'retry-after': String(wait) }),
      ...(code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}),
    },
    text: JSON.stringify({ error: { code, message, hint, doc: `ERRORS.md#${code}`, ...more } }),
  }
}
