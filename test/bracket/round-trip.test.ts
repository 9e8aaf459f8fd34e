/** What the printer writes, the scanner reads back unchanged: real calls, generated JSON, and text made to break it. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fence, printCall, printResult, scan, type CallPart } from '../../modules/bracket/index.ts'
import type { Json, JsonMap } from '../../modules/contracts/seams.ts'

/** Prints a call in a fence and reads it back. */
function roundTrip(name: string, params: JsonMap): CallPart {
  const message = fence('tool', printCall(name, params))
  const parts = scan(message)
  const [part] = parts
  if (parts.length !== 1 || part?.kind !== 'call') throw new Error(`${JSON.stringify(parts)}\nfrom\n${message}`)
  return part
}

const sample = readFileSync(new URL('../fixtures/bracket/bfcl-sample.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { id: string; name: string; params: JsonMap })

/** JSON text, so that `__proto__` and the order of keys count too. -0 is 0 in JSON. */
const spelled = (value: Json): string => JSON.stringify(value)

const json = fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.parse(JSON.stringify(value)) as Json)
const key = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'constructor', 'params', 'id', 'call', ''),
)
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '\n',
        '```',
        '```tool',
        '{call: x {params {}}}',
        'END',
        '<<END',
        '"',
        '\\',
        '\t',
        '\r',
        ' ',
        'a',
        '}',
        '#',
      ),
    )
    .map((parts) => parts.join('')),
)

it('the sample is large enough to mean something', () => {
  expect(sample.length).toBeGreaterThan(390)
})

it('every call of the Berkeley sample reads back as it was printed', () => {
  for (const { id, name, params } of sample) {
    const part = roundTrip(name, params)
    expect({ id, name: part.name, params: part.params }).toEqual({ id, name, params })
  }
})

it('every call of the Berkeley sample, written as JSON in the braces, is read too', () => {
  for (const { id, name, params } of sample) {
    const parts = scan(fence('tool', `{"call": ${JSON.stringify(name)}, "params": ${JSON.stringify(params, null, 2)}}`))
    expect({ id, parts }).toMatchObject({ id, parts: [{ kind: 'call', name, params }] })
  }
})

it('all calls of the sample in one message keep their order and do not touch each other', () => {
  const some = sample.slice(0, 60)
  const parts = scan(fence('tool', some.map(({ name, params }) => printCall(name, params)).join('\n')))
  expect(parts.map((part) => (part.kind === 'call' ? part.name : part))).toEqual(some.map(({ name }) => name))
})

describe('any JSON value', () => {
  it('as parameters comes back unchanged, and printing it again gives the same text', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, json), { maxLength: 6 }), (members) => {
        const params: JsonMap = Object.fromEntries(members)
        const part = roundTrip('any.name', params)
        expect(spelled(part.params)).toBe(spelled(params))
        expect(printCall(part.name, part.params)).toBe(part.source)
      }),
      { numRuns: 3_000 },
    )
  })

  it('as the value of a result comes back as its data', () => {
    fc.assert(
      fc.property(json, (value) => {
        const [part] = scan(fence('result', printResult({ name: 'some_tool', status: 'success', value })))
        expect(part).toMatchObject({ kind: 'result', name: 'some_tool' })
        const data = part?.kind === 'result' ? (part.body['data'] as JsonMap) : {}
        const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
        expect(spelled(isMap ? data : (data['value'] as Json))).toBe(spelled(value))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('any text', () => {
  it('as a parameter comes back unchanged, alone, in a list and in a map', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const params = { alone: text, list: [text, text], map: { inner: text } }
        expect(spelled(roundTrip('x', params).params)).toBe(spelled(params))
      }),
      { numRuns: 3_000 },
    )
  })

  const traps = {
    'a line that is the end mark': 'a\nEND\nb',
    'every end mark the printer tries first': 'END\nEND2\nEND3\nEND4',
    'an end mark after spaces': 'a\n   END',
    'only a line break': '\n',
    'empty lines at both ends': '\n\na\n\n',
    'a carriage return': 'a\r\nb\r\n',
    'half a surrogate pair': 'a\n\ud83d',
    'a null character': 'a\n\0b',
    'an end mark after a line separator (U+2028)': 'a\nb\u2028END c',
    'an end mark after a paragraph separator (U+2029)': 'a\nb\u2029END}',
    'source code of this file': readFileSync(new URL(import.meta.url), 'utf8'),
  }
  it.each(Object.entries(traps))('with %s comes back unchanged', (_name, text) => {
    expect(roundTrip('x', { text }).params['text']).toBe(text)
  })
})
