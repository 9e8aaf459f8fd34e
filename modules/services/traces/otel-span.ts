/**
 * A span in the words of OpenTelemetry; calls of models and tools by its conventions for generative AI. Prompts, answers,
 * arguments and results are never part of it. Pure; types only, so that nothing of the packages is loaded for it.
 */
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Span } from '../../contracts/traces.ts'
import { sha256 } from '../../lib/hash.ts'

/** Values of OpenTelemetry's enums. */
const INTERNAL = 0
const CLIENT = 2
const UNSET = 0
const ERROR = 2
const SAMPLED = 1

export type OtelResource = ReadableSpan['resource']

/** The exporter reads the attributes only. */
export const resourceOf = (attributes: Record<string, string>): OtelResource =>
  ({ attributes }) as unknown as OtelResource

export function otelSpan(span: Span, resource: OtelResource): ReadableSpan {
  const start = timeOf(span.at)
  const traceId = idOf(span.trace, 32)
  const context = { traceId, spanId: idOf(span.span, 16), traceFlags: SAMPLED }
  const { name, attributes } = described(span)
  return {
    name,
    kind: span.model === null ? INTERNAL : CLIENT,
    spanContext: () => context,
    ...(span.parent === null
      ? {}
      : { parentSpanContext: { traceId, spanId: idOf(span.parent, 16), traceFlags: SAMPLED } }),
    startTime: start,
    endTime: timeOf(span.at + span.ms),
    duration: timeOf(span.ms),
    status: span.error === null ? { code: UNSET } : { code: ERROR, message: span.error.message },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'meta-machine' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function described(span: Span): Pick<ReadableSpan, 'name' | 'attributes'> {
  const { callee, method, caller, aspect, generation, source_hash, config_hash, error, model } = span
  const attributes: Record<string, string | number | string[]> = {
    'code.function.name': `${callee}.${method}`,
    'meta_machine.caller': caller,
    'meta_machine.service': callee,
    'meta_machine.aspect': aspect,
  }
  if (generation !== null) attributes['meta_machine.generation'] = generation
  if (source_hash !== null) attributes['meta_machine.source_hash'] = source_hash
  if (config_hash !== null) attributes['meta_machine.config_hash'] = config_hash
  if (error !== null) attributes['error.type'] = error.code
  if (model !== null) {
    attributes['gen_ai.operation.name'] = 'chat'
    attributes['gen_ai.provider.name'] = callee
    attributes['gen_ai.response.model'] = model.name
    attributes['gen_ai.response.finish_reasons'] = [model.finish]
    if (model.input_tokens !== null) attributes['gen_ai.usage.input_tokens'] = model.input_tokens
    if (model.output_tokens !== null) attributes['gen_ai.usage.output_tokens'] = model.output_tokens
    return { name: `chat ${model.name}`, attributes }
  }
  if (aspect !== 'tool') return { name: `${callee}.${method}`, attributes }
  attributes['gen_ai.operation.name'] = 'execute_tool'
  attributes['gen_ai.tool.name'] = `${callee}_${method}`
  return { name: `execute_tool ${callee}_${method}`, attributes }
}

/** Ids that came from a caller may have any form: the same text always becomes the same id. */
function idOf(text: string, chars: 16 | 32): string {
  return text.length === chars && /^[0-9a-f]+$/.test(text) ? text : sha256(text).slice(0, chars)
}

function timeOf(ms: number): [seconds: number, nanoseconds: number] {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}
