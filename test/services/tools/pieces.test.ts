/** A value in parts: each fits, each ends where a line or an item ends, and all joined are the whole. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { pieceAt, wholeOf, withPart, type Whole } from '../../../modules/services/tools/pieces.ts'

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

function allParts(whole: Whole, first: number, limit: number): (string | readonly unknown[])[] {
  const parts: (string | readonly unknown[])[] = []
  for (let at: number | undefined = 0; at !== undefined; ) {
    const piece = pieceAt(whole, at, parts.length === 0 ? first : limit)
    parts.push(piece.part)
    at = piece.next
  }
  return parts
}

/** The value again, from what a reader gets. */
function rejoined(value: unknown, limit: number): unknown {
  const { whole, room } = wholeOf(value, limit)
  const parts = allParts(whole, room, limit)
  if (whole.kind === 'list') return withPart(value, whole, parts.flat())
  return whole.kind === 'text' ? withPart(value, whole, parts.join('')) : (JSON.parse(parts.join('')) as unknown)
}

it('all parts joined are the whole, and each fits', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(fc.string({ unit: fc.constantFrom('a', '\n', 'ä', '😀', '"', '\u0001'), maxLength: 30 }))
      .map((one) => one.join('\n')),
    fc.array(fc.jsonValue(), { maxLength: 60 }),
    fc.record({ path: fc.string({ maxLength: 10 }), content: fc.string({ maxLength: 300 }), n: fc.integer() }),
    fc.record({ rows: fc.array(fc.record({ id: fc.integer() }), { maxLength: 100 }), truncated: fc.boolean() }),
    fc.jsonValue({ maxDepth: 5 }),
  )
  fc.assert(
    fc.property(value, fc.integer({ min: 16, max: 200 }), (given, limit) => {
      const plain = JSON.parse(JSON.stringify(given)) as unknown
      expect(rejoined(plain, limit)).toEqual(plain)
      const { whole, room } = wholeOf(plain, limit)
      const [first, ...others] = allParts(whole, room, limit)
      expect(bytes(withPart(plain, whole, first as string))).toBeLessThanOrEqual(limit)
      for (const part of others) expect(bytes(part)).toBeLessThanOrEqual(limit)
    }),
    { numRuns: 3_000 },
  )
})

it('text is cut after a line', () => {
  const { whole, room } = wholeOf('one\ntwo\nthree\nfour', 14)
  expect(allParts(whole, room, 14)).toEqual(['one\ntwo\n', 'three\nfour'])
})

it('a line that is too long is cut between characters, never within one', () => {
  const { whole, room } = wholeOf('😀😀😀', 11)
  expect(allParts(whole, room, 11)).toEqual(['😀😀', '😀'])
})

it('a list is cut after an item, also as the large member of a map', () => {
  const rows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
  const { whole, room } = wholeOf({ rows, total: 16 }, 40)
  expect(whole).toMatchObject({ kind: 'list', member: 'rows' })
  expect(allParts(whole, room, 40)).toEqual([rows.slice(0, 9), rows.slice(9)])
})

it('a list with an item larger than a part goes as its JSON text', () => {
  const { whole } = wholeOf([1, 'x'.repeat(100)], 50)
  expect([whole.kind, JSON.parse(whole.body as string)]).toEqual(['json', [1, 'x'.repeat(100)]])
})
