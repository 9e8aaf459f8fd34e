/**
 * The traces of this process, the oldest dropped first. Plain data, held by the service over its versions: a reload
 * changes what is done with them and loses none. Bounded by traces, by spans of one trace, and by bytes.
 */
import { coded } from '../../lib/errors.ts'
import type { Span, Trace, TraceSummary } from '../../contracts/traces.ts'

export interface TraceRecord {
  spans: Span[]
  dropped: number
  bytes: number
}

export interface TraceBook {
  /** in the order in which they began */
  traces: Map<string, TraceRecord>
  bytes: number
}

export interface TraceLimits {
  traces_max: number
  spans_max: number
  bytes_max: number
}

export const newBook = (): TraceBook => ({ traces: new Map(), bytes: 0 })

const SPAN_BYTES = 250

/** What a span takes, near enough: its fixed fields and its texts. */
const bytesOf = ({ error, method, callee }: Span): number =>
  SPAN_BYTES + 2 * (method.length + callee.length + (error?.message.length ?? 0))

export function keepSpan(book: TraceBook, span: Span, limits: TraceLimits): void {
  let record = book.traces.get(span.trace)
  if (record === undefined) {
    record = { spans: [], dropped: 0, bytes: 0 }
    book.traces.set(span.trace, record)
  }
  if (record.spans.length >= limits.spans_max) record.dropped++
  else {
    const bytes = bytesOf(span)
    record.spans.push(span)
    record.bytes += bytes
    book.bytes += bytes
  }
  dropOld(book, limits)
}

export function dropOld(book: TraceBook, { traces_max, bytes_max }: TraceLimits): void {
  for (const [id, { bytes }] of book.traces) {
    if (book.traces.size <= traces_max && book.bytes <= bytes_max) return
    book.traces.delete(id)
    book.bytes -= bytes
  }
}

/** By the whole id or by the beginning of it. Throws `trace_not_found`. */
export function findTrace(book: TraceBook, id: string): [id: string, record: TraceRecord] {
  const known = book.traces.get(id)
  if (known !== undefined) return [id, known]
  const found = id.length < 4 ? [] : [...book.traces].filter(([one]) => one.startsWith(id))
  const [first] = found
  if (first === undefined || found.length > 1) throw coded('trace_not_found', { id })
  return first
}

export function summaryOf(trace: string, { spans, dropped }: TraceRecord): TraceSummary {
  // A call is told when it ends, so the first told is seldom the first begun.
  let first = spans[0] as Span
  let end = 0
  let errors = 0
  for (const one of spans) {
    if (one.at < first.at || (one.at === first.at && one.parent === null)) first = one
    if (one.at + one.ms > end) end = one.at + one.ms
    if (one.outcome === 'error') errors++
  }
  const ms = Math.round((end - first.at) * 1000) / 1000
  const entry = `${first.caller} → ${first.callee}.${first.method}`
  return { trace, at: first.at, ms, spans: spans.length + dropped, dropped, errors, entry }
}

export function treeOf(trace: string, record: TraceRecord): Trace {
  const ids = new Set(record.spans.map(({ span }) => span))
  const below = new Map<string | null, Span[]>()
  for (const span of record.spans) {
    // One whose parent is not here (it has not ended, or came from elsewhere) stands at the top.
    const parent = span.parent !== null && ids.has(span.parent) && span.parent !== span.span ? span.parent : null
    below.set(parent, [...(below.get(parent) ?? []), span])
  }
  const tree: Trace['tree'] = []
  const walk = (parent: string | null, depth: number): void => {
    for (const span of (below.get(parent) ?? []).sort((a, b) => a.at - b.at)) {
      tree.push({ ...span, depth })
      walk(span.span, depth + 1)
    }
  }
  walk(null, 0)
  return { ...summaryOf(trace, record), tree }
}
