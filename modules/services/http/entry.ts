/** Where a request enters a trace: one of its own, or the one its `traceparent` header names. Used by routes that call on. */
import { newSpan, newTrace, placeOfHeader, placeUnder } from '../../lib/trace.ts'
import type { Desk } from './routes/route.ts'

export interface Entry {
  /** what the call is made with */
  call: { trace: string; span: string }
  /** what the callee is told, to pass it on */
  place: string
}

export function entryOf({ headers }: Desk): Entry {
  const { traceparent } = headers
  const trace = placeOfHeader(typeof traceparent === 'string' ? traceparent : undefined) ?? newTrace()
  const span = newSpan()
  return { call: { trace, span }, place: placeUnder(trace, span) }
}
