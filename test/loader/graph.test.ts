import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { createLoader, type TestLoader } from '../support/loader.ts'

let test: TestLoader | undefined
afterEach(() => test?.dispose())

const scan = (file = 'modules/m.ts') => (test as TestLoader).loader.scan(join((test as TestLoader).root.path, file))

it('equal content has an equal key, wherever the files stand; any changed file changes it', () => {
  test = createLoader({
    'modules/m.ts': `import { x } from './x.ts'; import './ring.ts'; export const a = x`,
    'modules/x.ts': `export const x = 1`,
    'modules/ring.ts': `import './back.ts'; export const r = 1`,
    'modules/back.ts': `import './ring.ts'; export const b = 1`,
    'modules/copy/m.ts': `import { x } from './x.ts'; import './ring.ts'; export const a = x`,
    'modules/copy/x.ts': `export const x = 1`,
    'modules/copy/ring.ts': `import './back.ts'; export const r = 1`,
    'modules/copy/back.ts': `import './ring.ts'; export const b = 1`,
  })
  const { key } = scan()
  expect(scan('modules/copy/m.ts').key).toBe(key)
  const keys = new Set([key])
  for (const file of ['x', 'ring', 'back']) {
    test.root.write(`modules/${file}.ts`, `${test.root.read(`modules/${file}.ts`)} // changed`)
    keys.add(scan().key)
  }
  expect(keys.size).toBe(4)
  expect([...scan().files.keys()].map((path) => path.split('/').at(-1)).sort()).toEqual([
    'back.ts',
    'm.ts',
    'ring.ts',
    'x.ts',
  ])
})

it('hands on the text of each file as it was read, also of one that is broken', () => {
  const files = {
    'modules/m.ts': `import { x } from './x.ts'; export const a = x`,
    'modules/x.ts': `export const x = 1; import './bad.ts'`,
    'modules/bad.ts': `const = 1`,
  }
  test = createLoader(files)
  const { texts } = scan()
  expect(Object.fromEntries(texts)).toEqual(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [join(test?.root.path ?? '', path), text])),
  )
})

it('the graph holds dynamic imports, JSON and .js helpers, and lists what is missing', () => {
  test = createLoader({
    'modules/m.ts': `import './plain.js'; import d from './d.json'; export const f = () => import('./late.ts'); export { d }; import './gone.ts'`,
    'modules/plain.js': `export {}`,
    'modules/d.json': `{}`,
    'modules/late.ts': `import '../outside/deep.mjs'`,
    'outside/deep.mjs': `export const deep = 1`,
  })
  const found = scan()
  expect([...found.files.keys()].map((path) => path.slice((test?.root.path.length ?? 0) + 1)).sort()).toEqual(
    ['modules/d.json', 'modules/late.ts', 'modules/m.ts', 'modules/plain.js', 'outside/deep.mjs'].sort(),
  )
  expect(found.missing).toContain(join(test.root.path, 'modules/gone.ts'))
  expect(found.error).toMatchObject({ code: 'import_missing', file: 'modules/m.ts', line: 1 })
})

it('a chain of 3,000 files is no problem for the stack', async () => {
  const files: Record<string, string> = {}
  for (let index = 0; index < 3_000; index++) {
    files[`modules/f${index}.ts`] = index === 2_999 ? 'export const last = 1' : `export * from './f${index + 1}.ts'`
  }
  test = createLoader({ ...files, 'modules/m.ts': `export * from './f0.ts'` })
  expect(scan().files.size).toBe(3_001)
  expect((await test.load('modules/m.ts')).exports['last']).toBe(1)
})

it('the place of a syntax error counts characters, not bytes', () => {
  test = createLoader({ 'modules/m.ts': `const a = 'äöü😀' +;\n` })
  expect(scan().error).toMatchObject({ code: 'source_syntax', line: 1, column: "const a = 'äöü😀' +".length + 1 })
})
