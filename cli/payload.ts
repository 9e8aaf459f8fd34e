/** What a signal carries, out of what was typed: a JSON object as it is, anything else as text. Pure; for `mm` and the page. */
import type { ApiInput } from './api.ts'

export type Payload = NonNullable<ApiInput<'POST /api/meta-loop/signal'>['body']['payload']>

export function payloadOf(text: string | undefined): Payload {
  if (text === undefined || text === '') return {}
  try {
    const read: unknown = JSON.parse(text)
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as Payload
  } catch {
    // It goes as text.
  }
  return { raw: text }
}
