/** Every size has a limit, what is over it is told with its own code, and nothing hostile makes the scanner throw. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BRACKET_LIMITS, fence, printCall, scan, type Part } from '../../modules/bracket/index.ts'
import type { JsonMap } from '../../modules/contracts/seams.ts'

const codes = (parts: readonly Part[]): string[] =>
  parts.map((part) => (part.kind === 'error' ? part.error.code : part.kind))
const nested = (levels: number): string => `${'{a: '.repeat(levels)}1${'}'.repeat(levels)}`

describe('limits', () => {
  it('values nested deeper than the limit are refused, values just below are read', () => {
    expect(codes(scan(fence('tool', `{call: t {params ${nested(BRACKET_LIMITS.depth_max - 4)}}}`)))).toEqual(['call'])
    expect(codes(scan(fence('tool', `{call: t {params ${nested(BRACKET_LIMITS.depth_max + 1)}}}`)))).toEqual([
      'too_deep',
    ])
  })

  it('an endless row of opening braces or brackets is refused and does not exhaust the stack', () => {
    for (const sign of ['{', '[', '{a: ', '[[{a:']) {
      const parts = scan(fence('tool', `{call: t {params {a: ${sign.repeat(200_000)}`))
      expect(parts.every((part) => part.kind === 'error')).toBe(true)
      expect(codes(parts)).toContain('too_deep')
    }
  })

  it('calls beyond the limit in one fence are not run, and one error says so', () => {
    const parts = scan(fence('tool', '{call: t {params {}}}\n'.repeat(BRACKET_LIMITS.blocks_max + 10)))
    expect(codes(parts)).toEqual([...Array<string>(BRACKET_LIMITS.blocks_max).fill('call'), 'too_many'])
  })

  it('the limit of calls holds for the whole message, not for each fence of it', () => {
    const one = `${fence('tool', '{call: t {params {}}}\n'.repeat(BRACKET_LIMITS.blocks_max - 1))}\n`
    const found = codes(scan(one.repeat(3))).filter((code) => code === 'call')
    expect(found.length).toBeLessThanOrEqual(BRACKET_LIMITS.blocks_max)
  })

  it('a message of nothing but mistakes is given up, not told to its end', () => {
    const found = scan('```tool\nx\n```\n'.repeat(1_000)).filter((part) => part.kind === 'error')
    expect(found.length).toBeLessThanOrEqual(BRACKET_LIMITS.blocks_max + 1)
  })

  it('the text after too many calls is still there', () => {
    const parts = scan(`${fence('tool', '{call: t}\n'.repeat(BRACKET_LIMITS.blocks_max + 1))}\nafter`)
    expect(parts.at(-1)).toEqual({ kind: 'text', text: 'after' })
  })

  it('a block over the limit is told as too long', () => {
    const half = 'x'.repeat(BRACKET_LIMITS.block_chars_max / 2)
    expect(codes(scan(fence('tool', `{call: t {params {a: "${half}"}}}`)))).toEqual(['call'])
    expect(codes(scan(fence('tool', `{call: t {params {a: "${half}"} {b: "${half}"} {c: 1}}}`)))).toEqual(['too_long'])
  })

  it('a message over the limit is one error, not read at all', () => {
    const parts = scan(`${fence('tool', '{call: t}')}\n${'x'.repeat(BRACKET_LIMITS.message_chars_max)}`)
    expect(codes(parts)).toEqual(['too_long'])
  })

  it('too many members, too many items and too long a key are refused', () => {
    const members = Array.from({ length: BRACKET_LIMITS.members_max + 1 }, (_, index) => `k${index}: 1`).join(' ')
    expect(codes(scan(fence('tool', `{call: t {params {${members}}}}`)))).toEqual(['too_many'])
    expect(
      codes(scan(fence('tool', `{call: t {params {a: [${'1 '.repeat(BRACKET_LIMITS.items_max + 1)}]}}}`))),
    ).toEqual(['too_many'])
    expect(
      codes(scan(fence('tool', `{call: t {params {${'k'.repeat(BRACKET_LIMITS.key_chars_max + 1)}: 1}}}`))),
    ).toEqual(['too_long'])
  })
})

describe('names that mean something to JavaScript', () => {
  const read = (block: string): JsonMap => {
    const [part] = scan(fence('tool', block))
    if (part?.kind !== 'call') throw new Error(JSON.stringify(part))
    return part.params
  }

  it('__proto__ stays an own property and changes no prototype', () => {
    for (const block of [
      '{call: t {params {__proto__: {polluted: true}}}}',
      '{call: t {params {"__proto__": {polluted: true}}}}',
      '{call: t {params {__proto__ {polluted: true}}}}',
      '{call: t {__proto__: {polluted: true}}}',
    ]) {
      const params = read(block)
      expect(Object.keys(params)).toEqual(['__proto__'])
      expect(Object.getPrototypeOf(params)).toBe(Object.prototype)
      expect((params as { polluted?: unknown }).polluted).toBeUndefined()
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('constructor, toString and hasOwnProperty are keys like any other', () => {
    expect(read('{call: t {params {constructor: 1} {toString: 2} {hasOwnProperty: 3}}}')).toEqual(
      Object.assign(Object.create(null) as JsonMap, { constructor: 1, toString: 2, hasOwnProperty: 3 }),
    )
  })
})

describe('hostile text', () => {
  const pieces = fc.constantFrom(
    ...'```|````|```tool\n|```result\n|\n```\n|{call: a |{result: a |{params |{|}|[|]|:|,|"|\'|\\|\\u|\\uD800|<<E\n|<<'.split(
      '|',
    ),
    ...'\nE\n|E|\n|\r\n|\r|\t| |#|//|\u2028|\0|\ud800|__proto__|params|id|call|1|-|1e400|0x1|.5|true|null|a|b:|NaN|`'.split(
      '|',
    ),
  )
  const hostile = fc.oneof(
    fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join('')),
    fc.array(pieces, { maxLength: 60 }).map((parts) => `\`\`\`tool\n{call: t {params ${parts.join('')}`),
    fc.string({ unit: 'binary', maxLength: 300 }).map((text) => `\`\`\`tool\n${text}`),
  )

  it('never makes the scanner throw, and each error has its place inside the text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const part of scan(text)) {
          if (part.kind !== 'error') continue
          const { line, column, offset, hint, code } = part.error
          const before = text.slice(0, offset)
          expect(offset).toBeLessThanOrEqual(text.length)
          expect(line).toBe(before.split('\n').length)
          expect(column).toBe(offset - before.lastIndexOf('\n'))
          expect(hint).not.toBe('')
          expect(code).toMatch(/^[a-z_]+$/)
        }
      }),
      { numRuns: 20_000 },
    )
  })

  it('that still gives a call gives one that prints and reads back the same', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const part of scan(text)) {
          if (part.kind !== 'call') continue
          const printed = printCall(part.name, part.params)
          const [again] = scan(fence('tool', printed))
          expect(again).toMatchObject({ kind: 'call', name: part.name })
          expect(again?.kind === 'call' ? printCall(again.name, again.params) : '').toBe(printed)
          expect(again?.kind === 'call' ? again.params : undefined).toStrictEqual(part.params)
        }
      }),
      { numRuns: 20_000 },
    )
  })

  it('a number too large for a number is refused or kept as text, never turned into something else', () => {
    const [part] = scan(fence('tool', '{call: t {params {a: 1e400}}}'))
    if (part?.kind === 'call') expect(JSON.parse(JSON.stringify(part.params))).toEqual({ a: '1e400' })
    else expect(part?.kind).toBe('error')
  })
})
