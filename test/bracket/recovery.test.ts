/** One broken call does not take the others with it, and nothing that was content of a string becomes a call. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fence, printCall, scan, type CallPart, type Part } from '../../modules/bracket/index.ts'

const calls = (parts: readonly Part[]): CallPart[] => parts.filter((part): part is CallPart => part.kind === 'call')
const names = (parts: readonly Part[]): string[] => calls(parts).map((part) => part.name)

/** Broken, but with whole strings. */
const BROKEN = [
  '{call: broken {params {p: }}}',
  '{call: broken {params {p 1}}}',
  '{call: broken {params {p: "\\q"}}}',
  '{call: broken {params {p: 1}',
  '{call: broken {params {p: 1]}}',
  '{call: broken {params {p: 1}}}}',
  '{call: broken {params {p: 1} {p: 2}}}',
  '{call: 1 {params {}}}',
  '{"name": "broken", "arguments": {}}',
  'broken(1)',
]

/** Broken in a string: where it ends is anybody's guess. */
const BROKEN_STRINGS = [
  '{call: broken {params {p: "x"y}}}',
  '{call: broken {params {p: "x}}}',
  '{call: broken {params {p: "say "hi" now"}}}',
  '{call: broken {params {p: <<END\nx\n}}}',
]

describe('a broken call between two good ones', () => {
  it.each([...BROKEN, ...BROKEN_STRINGS])('%s', (broken) => {
    const parts = scan(fence('tool', `{call: first {params {a: 1}}}\n${broken}\n{call: last {params {b: "two"}}}`))
    const others = names(parts).filter((name) => name !== 'broken')
    expect(others).toEqual(['first', 'last'])
    expect(parts.some((part) => part.kind === 'error')).toBe(true)
  })

  it('costs itself only, wherever it stands among any number of calls', () => {
    const good = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }), {
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(good, fc.constantFrom(...BROKEN), fc.nat(), (all, broken, place) => {
        const texts = all.map((params, index) =>
          printCall(`good_${index}`, JSON.parse(JSON.stringify(params)) as CallPart['params']),
        )
        texts.splice(place % (texts.length + 1), 0, broken)
        const found = names(scan(fence('tool', texts.join('\n')))).filter((name) => name !== 'broken')
        expect(found).toEqual(all.map((_, index) => `good_${index}`))
      }),
      { numRuns: 1_000 },
    )
  })
})

it('a broken call does not take the text and the fences after it', () => {
  const parts = scan('```tool\n{call: a {params {p: "x}}}\n```\nbetween\n```tool\n{call: b {params {}}}\n```\nafter')
  expect(parts.map((part) => part.kind)).toEqual(['error', 'text', 'call', 'text'])
})

it('after a string that never ends, the closing fence still ends the fence', () => {
  const parts = scan('```tool\n{call: a {params {code: "if (x) {\n  y()\n}\n```\nThat was it.')
  expect(parts.map((part) => part.kind)).toEqual(['error', 'text'])
  expect(parts.at(-1)).toEqual({ kind: 'text', text: 'That was it.' })
})

describe('the content of a string never becomes a call, also when the call around it is broken', () => {
  const inner = '{call: kernel_reload_service {params {service: "api"}}}'

  it('raw text in a call that lacks a closing brace', () => {
    const parts = scan(
      fence('tool', `{call: write {params {path: "notes"} {content: <<END\nAn example:\n${inner}\nEND\n}}`),
    )
    expect(names(parts)).toEqual([])
  })

  it('raw text in a call with a mistake after it', () => {
    const parts = scan(fence('tool', `{call: write {params {content: <<END\n${inner}\nEND\n, path: }}}`))
    expect(names(parts)).toEqual([])
  })

  it('quoted text over several lines in a call with a mistake after it', () => {
    const quoted = inner.replaceAll('"', '\\"')
    const parts = scan(
      fence(
        'tool',
        `{call: write {params {content: "see\n${quoted.replace('service: \\"api\\"', 'a: 1')}\n", path: }}}`,
      ),
    )
    expect(names(parts)).toEqual([])
  })

  it('and the next call after the broken one is still read', () => {
    const broken = `{call: write {params {content: <<END\n${inner}\nEND\n, path: }}}`
    expect(names(scan(fence('tool', `${broken}\n{call: next {params {}}}`)))).toEqual(['next'])
  })
})

describe('how models write it', () => {
  const FORMS: [what: string, block: string, params: Record<string, unknown>][] = [
    ['groups', '{call: t {params {a: 1} {b: "x"}}}', { a: 1, b: 'x' }],
    ['one group', '{call: t {params {a: 1, b: "x"}}}', { a: 1, b: 'x' }],
    ['a colon before the groups', '{call: t, params: {a: 1, b: "x"}}', { a: 1, b: 'x' }],
    ['JSON', '{"call": "t", "params": {"a": 1, "b": "x"}}', { a: 1, b: 'x' }],
    ['no commas at all', '{call: t {params {a: 1 b: "x"}}}', { a: 1, b: 'x' }],
    ['trailing commas', '{call: t, {params {a: 1, b: [1, 2,],},},}', { a: 1, b: [1, 2] }],
    ['no params word', '{call: t {a: 1} {b: "x"}}', { a: 1, b: 'x' }],
    ['empty params', '{call: t {params}}', {}],
    ['no params', '{call: t}', {}],
    ['single quotes', "{call: t {params {a: 'it\\'s'}}}", { a: "it's" }],
    [
      'bare words',
      '{call: t {params {path: modules/web.py, day: 2024-01-01, n: 007}}}',
      { path: 'modules/web.py', day: '2024-01-01', n: '007' },
    ],
    ['an address', '{call: t {params {url: https://example.org/a?b=c}}}', { url: 'https://example.org/a?b=c' }],
    [
      'constants and numbers',
      '{call: t {params {a: true, b: false, c: null, d: -1.5e3}}}',
      { a: true, b: false, c: null, d: -1500 },
    ],
    ['comment lines', '{call: t {params {\n  # why\n  a: 1\n  // and\n  b: 2}}}', { a: 1, b: 2 }],
    ['many lines', '{\n  call: t\n  {params\n    {a: 1}\n  }\n}', { a: 1 }],
  ]
  it.each(FORMS)('%s', (_what, block, params) => {
    const parts = scan(fence('tool', block))
    expect(parts).toMatchObject([{ kind: 'call', name: 't' }])
    expect(calls(parts)[0]?.params).toEqual(params)
  })

  it('an id beside the parameters is kept apart from them', () => {
    expect(scan(fence('tool', '{call: t {id: "c1"} {params {a: 1}}}'))).toMatchObject([{ id: 'c1', params: { a: 1 } }])
  })

  it('a parameter called id is a parameter when there is no params word', () => {
    expect(calls(scan(fence('tool', '{call: t {id: "c1"}}')))[0]?.params).toEqual({ id: 'c1' })
  })

  it('a member beside params with the name of a parameter is an error, not a silent change', () => {
    const parts = scan(fence('tool', '{call: t {params {path: "a"}} {path: "b"}}'))
    expect(parts).toMatchObject([{ kind: 'error', error: { code: 'duplicate_key' } }])
  })
})
