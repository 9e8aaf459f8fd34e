/**
 * A value that is too large, as parts whose join is the whole: text is cut after a line, a list after an item. In a map
 * the one large member is cut and the others stay; what has no such member is cut as its JSON text. Pure.
 */
export interface Whole {
  readonly kind: 'text' | 'list' | 'json'
  /** the member of the value this is; undefined: it is the value itself */
  readonly member: string | undefined
  readonly body: string | readonly unknown[]
}

export interface Piece {
  readonly part: string | readonly unknown[]
  /** where the next part begins; undefined: this was the last */
  readonly next: number | undefined
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? 'null')

/** `value` is plain JSON. `room` is what the first part may take when the members that stay are there. */
export function wholeOf(value: unknown, bytesMax: number): { whole: Whole; room: number } {
  if (isCuttable(value, bytesMax)) return { whole: { ...bodyOf(value), member: undefined }, room: bytesMax }
  const members = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
  const sized = members.map(([member, one]) => ({ member, one: one as unknown, bytes: bytesOf(one) }))
  const largest = sized.reduce<(typeof sized)[0] | undefined>(
    (best, one) => (best === undefined || one.bytes > best.bytes ? one : best),
    undefined,
  )
  if (largest !== undefined) {
    const room = bytesMax - (bytesOf(value) - largest.bytes)
    if (room >= bytesMax / 2 && isCuttable(largest.one, room))
      return { whole: { ...bodyOf(largest.one), member: largest.member }, room }
  }
  return { whole: { kind: 'json', member: undefined, body: JSON.stringify(value, null, 1) }, room: bytesMax }
}

/** The value with the first part in the place of the whole. */
export function withPart(value: unknown, { member }: Whole, part: Piece['part']): unknown {
  return member === undefined ? part : { ...(value as object), [member]: part }
}

/** At least one item or character, so that reading on always ends. */
export function pieceAt({ body }: Whole, offset: number, bytesMax: number): Piece {
  const end = typeof body === 'string' ? endOfText(body, offset, bytesMax) : endOfList(body, offset, bytesMax)
  return { part: body.slice(offset, end), next: end < body.length ? end : undefined }
}

/** Text, and lists of items that each fit into one part. */
function isCuttable(value: unknown, bytesMax: number): value is string | unknown[] {
  return typeof value === 'string' || (Array.isArray(value) && value.every((one) => bytesOf(one) + 3 <= bytesMax))
}

const bodyOf = (value: string | unknown[]): { kind: 'text' | 'list'; body: string | unknown[] } => ({
  kind: typeof value === 'string' ? 'text' : 'list',
  body: value,
})

function endOfList(list: readonly unknown[], offset: number, bytesMax: number): number {
  let bytes = 2
  for (let at = offset; at < list.length; at++) {
    bytes += bytesOf(list[at]) + 1
    if (bytes > bytesMax) return Math.max(at, offset + 1)
  }
  return list.length
}

/** After the last line that fits; in a line that is too long, between two characters. */
function endOfText(text: string, offset: number, bytesMax: number): number {
  let bytes = 2
  let line = offset
  for (let at = offset; at < text.length; ) {
    const code = text.codePointAt(at) ?? 0
    const next = at + (code > 0xffff ? 2 : 1)
    bytes += bytesOfCharacter(code)
    if (bytes > bytesMax) return line > offset ? line : at > offset ? at : next
    if (code === LINE_END) line = next
    at = next
  }
  return text.length
}

const LINE_END = 10
const SHORT_ESCAPES = new Set([8, 9, 10, 12, 13, 34, 92])

/** In JSON, as UTF-8. */
function bytesOfCharacter(code: number): number {
  if (SHORT_ESCAPES.has(code)) return 2
  if (code < 0x20 || (code >= 0xd800 && code <= 0xdfff)) return 6
  if (code < 0x80) return 1
  if (code < 0x800) return 2
  return code < 0x10000 ? 3 : 4
}
