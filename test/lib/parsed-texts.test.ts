/** Rows parsed once: shared while the text is the same, anew when it is not, and no more of them than the bound. */
import { describe, expect, it } from 'vitest'
import { ParsedTexts } from '../../modules/lib/parsed-texts.ts'

interface Row {
  a: { b: number[] }
}

const text = (b: number): string => JSON.stringify({ a: { b: [b] } })

describe('ParsedTexts', () => {
  it('gives the same value for the same text, and another for another one', () => {
    const parsed = new ParsedTexts<Row>(1_000)
    const first = parsed.of(1, text(1))
    expect(parsed.of(1, text(1))).toBe(first)
    expect(parsed.of(1, text(2))).toEqual({ a: { b: [2] } })
    expect(parsed.of(2, text(1))).not.toBe(first)
  })

  it('what it gives cannot be altered, at any depth', () => {
    const value = new ParsedTexts<Row>(1_000).of(1, text(1))
    expect(() => value.a.b.push(2)).toThrow(TypeError)
    expect(() => Object.assign(value.a, { b: [] })).toThrow(TypeError)
  })

  it('what was not asked for longest goes, and a text beyond the bound stays not at all', () => {
    const parsed = new ParsedTexts<Row>(2 * text(1).length)
    const [one, two] = [parsed.of(1, text(1)), parsed.of(2, text(2))]
    expect(parsed.of(1, text(1))).toBe(one)
    parsed.of(3, text(3))
    expect(parsed.of(1, text(1))).toBe(one)
    expect(parsed.of(2, text(2))).not.toBe(two)
    const long = JSON.stringify({ a: 'x'.repeat(100) })
    expect(parsed.of(4, long)).not.toBe(parsed.of(4, long))
    const again = parsed.of(1, text(1))
    expect(parsed.of(1, text(1))).toBe(again)
  })

  it('a text that is no JSON is thrown, and what was known of the row is gone', () => {
    const parsed = new ParsedTexts<Row>(1_000)
    parsed.of(1, text(1))
    expect(() => parsed.of(1, '{half')).toThrow(SyntaxError)
    expect(parsed.of(1, text(1))).toEqual({ a: { b: [1] } })
  })
})
