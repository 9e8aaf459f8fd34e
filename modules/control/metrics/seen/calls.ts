/**
 * A call that has ended, as it is counted. On the path of the call: a few look-ups, no text of it is kept. Calls of the
 * measuring itself are not counted.
 */
import type { FinishedCall } from '../../../contracts/observe.ts'
import { codeOf } from '../../../lib/errors.ts'
import { hashOf } from './args-hash.ts'
import type { Seen } from './index.ts'

export function seeCall(seen: Seen, call: FinishedCall, own: string): void {
  const { caller, callee, at, ms, aspect, outcome } = call
  if (caller === own) return
  const { counts } = seen
  const end = at + ms
  const code = outcome === 'error' ? (codeOf(call.thrown) ?? 'error') : undefined
  const pair = `${caller}>${callee}`
  counts.add(end, 'told')
  counts.add(end, `call ${pair}`)
  counts.add(end, `ms ${pair}`, ms)
  if (code !== undefined) counts.add(end, `bad ${pair}`)
  if (code === 'deadline_exceeded') counts.add(end, `late ${callee}`)
  if (aspect === 'tool' && outcome === 'ok') counts.add(end, `run ${callee}`)
  if (outcome === 'ok') seen.recoveries.answered(callee, at, end)
  seen.addTime(callee, end, ms / 1000)
  const answered = isAnswer(call)
  if (answered) counts.add(end, 'model answered')
  if (code?.startsWith('provider_') === true && isQuestion(call)) counts.add(end, 'model silent')
  if (call.args.length > 0) {
    const hash = hashOf(`${callee} ${aspect} ${call.method}`, call.args)
    if (hash !== undefined) seen.repeats.add(end, hash)
  }
  if (call.trace !== undefined) seeRequest(seen, call, call.trace, answered)
}

function seeRequest(seen: Seen, call: FinishedCall, trace: string, answered: boolean): void {
  const { caller, callee, at, ms, outcome } = call
  const request = seen.requests.of(trace)
  request.ended = at + ms
  request.ok = outcome === 'ok'
  request.calls++
  if (answered) request.answers++
  const status = statusOf(call)
  if (status !== undefined) {
    request.tools++
    if (status !== 'success') request.failedTools++
  }
  seen.requests.addSpan(request, `${call.parent ?? ''} ${caller} ${callee}`, at, ms)
}

const isQuestion = ({ method }: FinishedCall): boolean => method === 'complete' || method === 'stream'

/** A whole answer of a model, as every inference service gives it: at once, or at the end of a stream. */
function isAnswer(call: FinishedCall): boolean {
  if (!isQuestion(call) || call.outcome !== 'ok' || typeof call.result !== 'object') return false
  const result: { finish?: unknown; type?: unknown; completion?: unknown } | null = call.result
  return result?.finish !== undefined || (result?.type === 'end' && result.completion !== undefined)
}

/** Of a tool call, as the service `tools` answers it. */
function statusOf({ callee, method, result, outcome }: FinishedCall): string | undefined {
  if (callee !== 'tools' || method !== 'invoke') return undefined
  const { status } = (result ?? {}) as { status?: unknown }
  return outcome === 'ok' && typeof status === 'string' ? status : 'error'
}
