/** A call of a service's method from outside: through a handle, with a deadline, and with a trace id of its own. */
import type { DetailedResult } from '../../contracts/module.ts'
import { coded } from '../../lib/errors.ts'
import { isStream, plainMember, streamRefused, type JsonText } from '../../lib/plain-json.ts'
import { readPlace } from '../../lib/trace.ts'
import { entryOf } from './entry.ts'
import type { Desk } from './routes/route.ts'

export interface CallBody {
  method: string
  args: unknown[]
  aspect?: string | undefined
  deadline_ms?: number | undefined
}

/** What is told beside the result. */
interface Answered {
  generation: number
  source_hash: string | null
  config_hash: string | null
  trace_id: string
}

const DEADLINE_MS_MAX = 600_000

/** Names that belong to the handle itself; no service has a method of that name. */
const HANDLE_NAMES = new Set(['as', 'with', 'getStats', 'toString'])

export async function callService(desk: Desk, api: string, body: CallBody): Promise<JsonText> {
  const { method, args, aspect, deadline_ms = desk.deadline_ms } = body
  desk.checkCall(api, method)
  const { call } = entryOf(desk)
  const handle = desk.kernel.getApi(api)
  const target = aspect === undefined || aspect === 'default' ? handle : handle.as(aspect)
  const patience = { deadlineMs: Math.min(deadline_ms, DEADLINE_MS_MAX), ...call }
  // With a key the asker may come again for the answer: a lost connection does not end the call.
  const signal = desk.idempotencyKey === undefined ? { signal: desk.hangUp } : {}
  const detailed = target.with({ detail: true, ...patience, ...signal })
  const forward: unknown = HANDLE_NAMES.has(method) ? undefined : detailed[method]
  if (typeof forward !== 'function') throw coded('method_not_found', { api, method })
  const answer: unknown = forward(...args)
  if (isStream(answer)) throw streamRefused({ api, method })
  const { result, generation, sourceHash, configHash } = (await answer) as DetailedResult
  const answered: Answered = {
    generation,
    source_hash: sourceHash,
    config_hash: configHash,
    trace_id: readPlace(call.trace).trace,
  }
  return plainMember('result', result, { api, method }, answered)
}
