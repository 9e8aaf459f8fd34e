/**
 * The scanner beside a parser that was made from the grammar: of whatever blocks, both read the same values or neither
 * reads them. The two share no code and were written from the specification.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import peggy from 'peggy'
import { expect, it } from 'vitest'
import { printCall, printResult, scan } from '../../modules/bracket/index.ts'
import type { Json, JsonMap } from '../../modules/contracts/seams.ts'
import { allCalls } from '../support/bracket-messages.ts'

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const grammar = peggy.generate(text('oracle.peggy'))

type Tree = string | number | boolean | null | { items: Tree[] } | { members: { key: string; value: Tree }[] }
type Read = { name: string; id?: string | undefined; body: Json }

const refuse = (why: string): never => {
  throw new SyntaxError(why)
}

function valueOf(tree: Tree): Json {
  if (typeof tree !== 'object' || tree === null) return tree
  if ('items' in tree) return tree.items.map(valueOf)
  const map: JsonMap = {}
  for (const { key, value } of tree.members) {
    if (Object.hasOwn(map, key)) refuse(`${key} twice`)
    Object.defineProperty(map, key, { value: valueOf(value), enumerable: true, configurable: true, writable: true })
  }
  return map
}

const isMap = (value: Json | undefined): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The rules of the specification for what a block says. */
function blockOf(tree: Tree, head: 'call' | 'result'): Read {
  const [first, ...members] = typeof tree === 'object' && tree !== null && 'members' in tree ? tree.members : []
  const name = first?.value
  if (first?.key !== head || typeof name !== 'string' || !/^[A-Za-z_][\w.:/-]*$/.test(name)) return refuse('no head')
  const body = valueOf({ members }) as JsonMap
  if (Object.hasOwn(body, head)) refuse('two heads')
  if (head === 'result') return { name, body }
  const { params, id, ...lifted } = body
  if (!isMap(params)) return { name, body }
  for (const key of Object.keys(lifted)) if (Object.hasOwn(params, key)) refuse(`${key} twice`)
  return { name, id: typeof id === 'string' ? id : undefined, body: { ...params, ...lifted } }
}

function byOracle(inside: string, head: 'call' | 'result'): Read[] | undefined {
  try {
    return (grammar.parse(inside) as Tree[]).map((tree) => blockOf(tree, head))
  } catch (thrown) {
    if ((thrown as Error).name === 'SyntaxError') return undefined
    throw thrown
  }
}

function byScanner(inside: string, head: 'call' | 'result'): Read[] | undefined {
  const parts = scan(`\`\`\`${head === 'call' ? 'tool' : 'result'}\n${inside}\n\`\`\``)
  const read: Read[] = []
  for (const part of parts) {
    if (part.kind === 'call') read.push({ name: part.name, id: part.id, body: part.params })
    else if (part.kind === 'result') read.push({ name: part.name, body: part.body })
    else return undefined
  }
  return read
}

/** In JSON's words, so that `__proto__` and the order of keys count too. True when they were read. */
function same(inside: string, head: 'call' | 'result' = 'call'): boolean {
  const oracle = byOracle(inside, head)
  expect({ inside, read: JSON.stringify(byScanner(inside, head)) }).toEqual({ inside, read: JSON.stringify(oracle) })
  return oracle !== undefined
}

const inFence = (message: string): string => message.replace(/^[^\n]*\n/, '').replace(/\n```\s*$/, '')

it('both listings of the paper', () => {
  expect(same(inFence(text('../fixtures/bracket/listing-8.txt')))).toBe(true)
  expect(same(inFence(text('../fixtures/bracket/listing-9.txt')), 'result')).toBe(true)
})

it('every real call, as it is printed and as JSON', () => {
  for (const { name, params } of allCalls()) {
    expect(same(printCall(name, params))).toBe(true)
    expect(same(JSON.stringify({ call: name, params }, null, 1))).toBe(true)
  }
})

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json)

it('any JSON value, in a call and in a result', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(same(printCall('t', { value }))).toBe(true)
      expect(same(JSON.stringify({ call: 't', params: { value } }))).toBe(true)
      expect(same(printResult({ name: 't', status: 'success', value }), 'result')).toBe(true)
    }),
    { numRuns: 1_000, seed: 20_261_123 },
  )
})

/** Signs and words that mean something, parts of blocks among them. No line of backticks: that is the fence's end. */
const SIGNS =
  `{ } [ ] : , " ' \\ # // = call result params data id __proto__ a a b x/y it's a\\_b "s" "" 's' "\\u00e9\\n"
  0 007 12 -1.5e3 1e999 true null True {a:1} {a:"x"} a:1 <<E <E params{a:1}{b:2} {call: {params{ }}}`.split(/\s+/)
const sign = fc.constantFrom(
  ...SIGNS,
  ' ',
  ' ',
  ' ',
  '\n',
  '\n',
  '\u00a0',
  '"two\nlines"',
  '<<E\n',
  '\nE\n',
  '\n  E ',
  '\n# c\n',
)

it('blocks of whatever means something', () => {
  let read = 0
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 20 }), (signs) => {
      const inside = signs.join('')
      for (const block of [`{call: t {params {a: ${inside}}}}`, `{call: t ${inside}}`, `{${inside}}`]) {
        if (same(block)) read++
      }
    }),
    { numRuns: 4_000, seed: 20_261_124 },
  )
  expect(read).toBeGreaterThan(500)
})

it('real calls, broken at one or two places', () => {
  const calls = allCalls()
  const breaks = fc.array(fc.tuple(fc.nat(), fc.nat(2), sign), { minLength: 1, maxLength: 2 })
  const seen = { read: 0, refused: 0 }
  fc.assert(
    fc.property(fc.nat(calls.length - 1), fc.boolean(), breaks, (index, printed, places) => {
      const { name = 't', params = {} } = calls[index] ?? {}
      let inside = printed ? printCall(name, params) : JSON.stringify({ call: name, params })
      for (const [at, cut, put] of places) {
        const from = at % inside.length
        inside = inside.slice(0, from) + put + inside.slice(from + cut)
      }
      seen[same(inside) ? 'read' : 'refused']++
    }),
    { numRuns: 6_000, seed: 20_261_125 },
  )
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(500)
})
