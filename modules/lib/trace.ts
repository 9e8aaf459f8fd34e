/**
 * Places in a trace. A place is what `handle.with({trace})` takes: `<trace>`, or `<trace>/<span>` under one of its spans.
 * Ids are those of W3C Trace Context, so that a trace can begin or go on elsewhere. Pure but for the random ids.
 */

export interface Place {
  trace: string
  /** the span that stands above */
  parent: string | undefined
}

const PLACE_CHARS_MAX = 200
const HEADER = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-|$)/

export const newTrace = (): string => crypto.randomUUID().replaceAll('-', '')

export const newSpan = (): string => newTrace().slice(0, 16)

export function readPlace(text: string): Place {
  const cut = text.slice(0, PLACE_CHARS_MAX)
  const at = cut.indexOf('/')
  return at < 0 ? { trace: cut, parent: undefined } : { trace: cut.slice(0, at), parent: cut.slice(at + 1) }
}

/** The place under a span of the same trace. */
export const placeUnder = (place: string, span: string): string => `${readPlace(place).trace}/${span}`

/** The place a `traceparent` header names; undefined when there is none that can be read. */
export function placeOfHeader(header: string | null | undefined): string | undefined {
  const [, trace, span] = HEADER.exec(header ?? '') ?? []
  if (trace === undefined || span === undefined || /^0+$/.test(trace) || /^0+$/.test(span)) return undefined
  return `${trace}/${span}`
}
