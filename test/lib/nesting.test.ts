/** What could end the process in the native parser is measured before it gets there, and ordinary code passes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { NESTING_MAX, nestingOf } from '../../modules/lib/nesting.ts'
import { transform } from '../../modules/loader/transform.ts'
import { sourceFiles } from '../craft/files.ts'
import { packageRoot } from '../support/root.ts'

const times = (text: string, count: number): string => text.repeat(count)
const KINDS: Record<string, (n: number) => string> = {
  parentheses: (n) => `${times('(', n)}1${times(')', n)}`,
  arrays: (n) => times('[', n) + times(']', n),
  'arrays that strings seem to close': (n) => times('["]",', n) + times(']', n),
  blocks: (n) => times('{', n) + times('}', n),
  objects: (n) => `a=${times('{a:', n)}1${times('}', n)}`,
  templates: (n) => `${times('`${', n)}1${times('}`', n)}`,
  'type arguments': (n) => `let a:${times('A<B,', n)}A${times('>', n)}`,
  'unary operators': (n) => `${times('!', n)}1`,
  sums: (n) => `1${times('\n+1', n)}`,
  'sums of expressions that hide separators': (n) => `1${times('+";"+/;"/', n)}`,
  conditionals: (n) => `${times('a?1:', n)}1`,
  'else if': (n) => `${times('if(a);else ', n)};`,
  'else if with blocks': (n) => `${times('if(a){}\nelse ', n)};`,
  'if in if': (n) => `${times('if(a)\n', n)};`,
  arrows: (n) => `${times('a=>', n)}1`,
  namespaces: (n) => times('namespace a{', n) + times('}', n),
}

describe('a source nested a hundred thousand levels deep is measured as too deep', () => {
  it.each(Object.keys(KINDS))('%s', (kind) => {
    expect(nestingOf(KINDS[kind]?.(100_000) ?? '')).toBeGreaterThan(NESTING_MAX)
  })
})

it('what just passes is parsed on the small stack of a thread', async () => {
  const sources = Object.values(KINDS).map((make) => {
    let [low, high] = [1, 100_000]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (nestingOf(make(middle)) <= NESTING_MAX) low = middle
      else high = middle
    }
    return make(low)
  })
  const parser = new URL('../../node_modules/oxc-parser/src-js/index.js', import.meta.url).href
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(${JSON.stringify(parser)}).then(({ parseSync }) => {
      parentPort.postMessage(workerData.map((text) => typeof parseSync('a.ts', text).program))
    })`
  const worker = new Worker(code, { eval: true, workerData: sources })
  const parsed = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await worker.terminate()
  expect(parsed).toEqual(sources.map(() => 'object'))
})

it('no file of this project measures a tenth of the limit', () => {
  // What comes before makes it too long for the short cut that small files take.
  const nesting = (file: string): number =>
    nestingOf(`${times(';\n', NESTING_MAX)}${readFileSync(join(packageRoot, file), 'utf8')}`)
  const files = ['modules', 'cli', 'test', 'bench'].flatMap(sourceFiles)
  expect(files.filter((file) => nesting(file) > NESTING_MAX / 10)).toEqual([])
})

it('a long file of short statements is no deep one, with semicolons and without', () => {
  for (const line of [
    'a = b + c;\n',
    'a = b + c\n',
    "f('x', [1, 2], { a: 1 })\n",
    'type A<B> = C<D<B>>\n',
    '/* ; */ a()\n',
  ])
    expect(nestingOf(times(line, 20_000))).toBeLessThan(100)
})

it.each([
  ['a regular expression that holds brackets', 'x = /[(/"]/.test(y)\n'],
  ['division after a bracket', 'x = (a + b) / 2 + "("\n'],
  ['a regular expression after a condition', 'if (a) /"/.test(b)\n'],
  ['a word that is a keyword elsewhere', 'x = a.return / 2 + "("\n'],
])('%s does not open what never closes', (_what, line) => {
  expect(nestingOf(times(line, 5_000))).toBeLessThan(100)
})

it('a slash of which nobody can tell what it is, before what would matter, is refused', () => {
  expect(nestingOf(times('a()\n', 5_000))).toBeLessThan(100)
  expect(nestingOf(`${times('a()\n', 5_000)}{}\n/"/ + "x"\n`)).toBe(Infinity)
})

it('a module that nests too deeply is refused with a code, and the process goes on', () => {
  const result = transform('modules/deep.ts', times('[', 50_000) + times(']', 50_000))
  expect(result).toMatchObject({ ok: false, error: { code: 'source_unsupported', file: 'modules/deep.ts' } })
})
