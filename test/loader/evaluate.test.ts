import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { z } from 'zod'
import { createLoader, type TestLoader } from '../support/loader.ts'
import { rejection } from '../support/system.ts'

let test: TestLoader | undefined
afterEach(() => test?.dispose())

const start = (files: Record<string, string>): TestLoader => {
  test = createLoader(files)
  return test
}

it('gives a package the same instance the rest of the process has', async () => {
  const { load } = start({ 'modules/m.ts': `import { z } from 'zod'; export const schema = z.string(); export { z }` })
  const { exports } = await load('modules/m.ts')
  expect((exports['z'] as { string: unknown }).string).toBe(z.string)
})

it('runs enums, parameter properties, namespaces, JSON, defaults and stars', async () => {
  const { load } = start({
    'modules/m.ts': `
      import path, * as all from 'node:path'
      import data from './data.json' with { type: 'json' }
      import fallback, { named as renamed } from './other.ts'
      export * from './star.ts'
      export * as space from './star.ts'
      enum Color { Red = 'r', Green = 'g' }
      const enum Fast { One = 1 }
      namespace N { export const inside = 5 }
      export class Module { constructor(private readonly a: number, public b = 2) {} sum() { return this.a + this.b + Fast.One + N.inside } }
      export const out = [Color.Green, path.sep, all.sep, data.deep.value, fallback(), renamed]
      export default async function named() { return import.meta.filename }
    `,
    'modules/data.json': '{"deep": {"value": 7}, "__proto__": 1}',
    'modules/other.ts': `export default function () { return 'fallback' }\nexport const named = 'named'`,
    'modules/star.ts': `export const starred: number = 1\nexport type Gone = string`,
  })
  const { exports } = await load('modules/m.ts')
  const Module = exports['Module'] as new (a: number) => { sum(): number }
  expect(new Module(1).sum()).toBe(9)
  expect(exports['out']).toEqual(['g', '/', '/', 7, 'fallback', 'named'])
  expect(exports['starred']).toBe(1)
  expect((exports['space'] as { starred: number }).starred).toBe(1)
  expect(await (exports['default'] as () => Promise<string>)()).toBe(join(test?.root.path ?? '', 'modules/m.ts'))
})

it('keeps live bindings: an export that changes later is seen by its importers', async () => {
  const { load } = start({
    'modules/m.ts': `import { count, add } from './c.ts'; export const read = () => count; export { add }`,
    'modules/c.ts': `export let count = 0; export const add = () => { count++ }`,
  })
  const { exports } = await load('modules/m.ts')
  const { read, add } = exports as unknown as { read(): number; add(): void }
  add()
  add()
  expect(read()).toBe(2)
})

it('evaluates files that import each other, each once', async () => {
  const { load } = start({
    'modules/a.ts': `import { b } from './b.ts'; export const a = () => 'a' + b(); export const order = []; globalThis.__ring = (globalThis.__ring ?? 0) + 1`,
    'modules/b.ts': `import { a } from './a.ts'; export const b = () => 'b' + typeof a`,
  })
  const { exports } = await load('modules/a.ts')
  expect((exports['a'] as () => string)()).toBe('abfunction')
  const holder = globalThis as { __ring?: number }
  expect(holder.__ring).toBe(1)
  delete holder.__ring
})

it('waits for a top-level await before the importer goes on', async () => {
  const { load } = start({
    'modules/m.ts': `import { ready } from './slow.ts'; export const seen = ready`,
    'modules/slow.ts': `export const ready = await new Promise((resolve) => setTimeout(() => resolve('yes'), 5))`,
  })
  expect((await load('modules/m.ts')).exports['seen']).toBe('yes')
})

it('a helper is one per service and kept while it does not change; the entry is new for each version', async () => {
  const { load, root } = start({
    'modules/m.ts': `import { box } from './helper.ts'; export { box }; export const own = {}`,
    'modules/helper.ts': `export const box = { n: 0 }`,
  })
  const first = await load('modules/m.ts', 'one', 1)
  const second = await load('modules/m.ts', 'one', 2)
  const other = await load('modules/m.ts', 'two', 1)
  expect(second.exports['box']).toBe(first.exports['box'])
  expect(second.exports['own']).not.toBe(first.exports['own'])
  expect(other.exports['box']).not.toBe(first.exports['box'])
  root.write('modules/helper.ts', `export const box = { n: 1 }`)
  const third = await load('modules/m.ts', 'one', 3)
  expect(third.exports['box']).toEqual({ n: 1 })
})

it('a changed file deep in a chain is never stale', async () => {
  const { load, root } = start({
    'modules/m.ts': `import { one } from './one.ts'; export const get = () => one()`,
    'modules/one.ts': `import { two } from './two.ts'; export const one = () => two()`,
    'modules/two.ts': `import { three } from './three.js'; export const two = () => three`,
    'modules/three.ts': `export const three = 0`,
  })
  let stale = 0
  for (let version = 1; version <= 200; version++) {
    root.write('modules/three.ts', `export const three = ${version}`)
    const loaded = await load('modules/m.ts', 'chain', version)
    if ((loaded.exports['get'] as () => number)() !== version) stale++
    loaded.release()
  }
  expect(stale).toBe(0)
})

it('reads import() when it runs, and gives the same module twice', async () => {
  const { load } = start({
    'modules/m.ts': `export const get = (name: string) => import('./' + name + '.ts'); export const fixed = () => import('./late.ts')`,
    'modules/late.ts': `export const value = 'late'`,
  })
  const { exports } = await load('modules/m.ts')
  const { get, fixed } = exports as unknown as Record<string, (name?: string) => Promise<{ value: string }>>
  const one = await get?.('late')
  expect(one?.value).toBe('late')
  expect(await fixed?.()).toBe(one)
  expect(await rejection(get?.('none') ?? Promise.resolve())).toMatchObject({ code: 'import_missing' })
})

it('names file, line and column of what cannot be loaded', async () => {
  const { load } = start({
    'modules/syntax.ts': 'export const a = 1\nexport const b = {,}\n',
    'modules/missing.ts': `import { x } from './none.ts'\nexport const a = x`,
    'modules/package.ts': `\nimport x from 'no-such-package'\nexport const a = x`,
    'modules/name.ts': `import { nope } from './ok.ts'\nexport const a = nope`,
    'modules/ok.ts': 'export const yes = 1',
    'modules/throws.ts': 'const a: number = 1\n\nthrow new TypeError(`no ${a}`)',
    'modules/decorated.ts': 'const d = (c: unknown) => c\n@d class A {}\nexport { A }',
    'modules/bad.json': '{"a": 1,}',
    'modules/json.ts': `import data from './bad.json'\nexport { data }`,
  })
  const root = test?.root.path ?? ''
  expect(await rejection(load('modules/syntax.ts'))).toMatchObject({
    code: 'source_syntax',
    file: 'modules/syntax.ts',
    line: 2,
    column: 19,
  })
  expect(await rejection(load('modules/missing.ts'))).toMatchObject({
    code: 'import_missing',
    file: 'modules/missing.ts',
    line: 1,
  })
  expect(await rejection(load('modules/package.ts'))).toMatchObject({
    code: 'import_missing',
    file: 'modules/package.ts',
    line: 2,
  })
  expect(await rejection(load('modules/name.ts'))).toMatchObject({
    code: 'export_missing',
    file: join(root, 'modules/name.ts'),
  })
  expect(await rejection(load('modules/throws.ts'))).toMatchObject({
    code: 'module_threw',
    file: join(root, 'modules/throws.ts'),
    line: 3,
    column: 7,
  })
  expect(await rejection(load('modules/decorated.ts'))).toMatchObject({ code: 'source_unsupported' })
  expect(await rejection(load('modules/json.ts'))).toMatchObject({ code: 'source_syntax', file: 'modules/bad.json' })
})

it('looks again at a name that was missing', async () => {
  const { load, root } = start({ 'modules/m.ts': `import { x } from './x.ts'; export const a = x` })
  expect(await rejection(load('modules/m.ts'))).toMatchObject({ code: 'import_missing' })
  root.write('modules/x.ts', 'export const x = 1')
  expect((await load('modules/m.ts', 'test', 2)).exports['a']).toBe(1)
})

it('a top level that never settles is given up on', async () => {
  const { loader, root } = start({ 'modules/m.ts': 'await new Promise(() => {}); export const a = 1' })
  const scan = loader.scan(join(root.path, 'modules/m.ts'))
  expect(await rejection(loader.evaluate(scan, { service: 's', generation: 1 }, { evaluate_ms: 30 }))).toMatchObject({
    code: 'module_timeout',
  })
})
