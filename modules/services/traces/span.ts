/** A call as a span: names, times and outcome; arguments and results are left where they are. Pure. */
import type { FinishedCall } from '../../contracts/observe.ts'
import type { Completion, CompletionChunk } from '../../contracts/services.ts'
import type { ModelUse, Span } from '../../contracts/traces.ts'
import { toErrorData } from '../../lib/errors.ts'

const MESSAGE_CHARS_MAX = 500

/** Undefined for a call that belongs to no trace. */
export function spanOf(call: FinishedCall): Span | undefined {
  const { trace, version, thrown } = call
  if (trace === undefined) return undefined
  return {
    trace,
    span: call.span,
    parent: call.parent ?? null,
    caller: call.caller,
    callee: call.callee,
    aspect: call.aspect,
    method: call.method,
    kind: call.kind,
    generation: version?.generation ?? null,
    source_hash: version?.source_hash ?? null,
    config_hash: version?.config_hash ?? null,
    at: call.at,
    ms: Math.round(call.ms * 1000) / 1000,
    outcome: call.outcome,
    error: call.outcome === 'ok' ? null : errorOf(thrown),
    model: modelOf(call),
  }
}

function errorOf(thrown: unknown): Span['error'] {
  const { code, message } = toErrorData(thrown)
  return { code, message: message.slice(0, MESSAGE_CHARS_MAX) }
}

/** By what it answers with: every inference service ends with a completion, whatever stands behind it. */
function modelOf({ method, result }: FinishedCall): ModelUse | null {
  if ((method !== 'complete' && method !== 'stream') || typeof result !== 'object' || result === null) return null
  const chunk = result as Partial<Extract<CompletionChunk, { type: 'end' }>>
  const { model, finish, usage } = (chunk.type === 'end' ? chunk.completion : result) as Partial<Completion>
  if (typeof model !== 'string' || typeof finish !== 'string') return null
  return {
    name: model,
    finish,
    input_tokens: usage?.input_tokens ?? null,
    output_tokens: usage?.output_tokens ?? null,
    cost_usd: usage?.cost_usd ?? null,
  }
}
