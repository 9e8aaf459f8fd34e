/** A version from texts that were kept, after its files were broken, changed, shadowed or removed. */
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Scan } from '../../modules/contracts/seams.ts'
import { createLoader, type TestLoader } from '../support/loader.ts'

let test: TestLoader
afterEach(() => test.dispose())

const FILES = {
  'modules/m.ts': `import { CodedError } from 'meta-machine'
import { z } from 'zod'
import data from './data.json'
import { helper } from './helper'
interface Unused { a: number }
export class Module {
  get(): unknown { return [helper(), data, z.string().safeParse('x').success, typeof CodedError] }
  late(): Promise<{ late: number }> { return import('./late.ts') }
  named(file: string): Promise<{ late: number }> { return import(file) }
  boom(): never { throw new Error('boom') }
}
`,
  'modules/helper/index.ts': 'export const helper = (): string => "kept"\n',
  'modules/data.json': '{"a": 1}',
  'modules/late.ts': 'export const late = 1\n',
}

interface Made {
  get(): unknown
  late(): Promise<{ late: number }>
  named(file: string): Promise<{ late: number }>
  boom(): never
}

const path = (file: string): string => join(test.root.path, file)

async function make(scan: Scan): Promise<Made> {
  const { exports } = await test.loader.evaluate(scan, { service: 'kept', generation: 1 }, { evaluate_ms: 5_000 })
  return new (exports['Module'] as new () => Made)()
}

it('a version is made from its texts alone: with the key it had, whatever became of its files', async () => {
  test = createLoader(FILES)
  const before = test.loader.scan(path('modules/m.ts'))
  test.root.write('modules/m.ts', 'export class Module { get() { return "changed" }')
  test.root.remove('modules/helper')
  test.root.write('modules/helper.ts', 'export const helper = () => "found first on disk"')
  test.root.remove('modules/late.ts')
  test.root.write('modules/data.json', '{"a": 2}')
  expect(test.loader.scan(path('modules/m.ts')).error).toMatchObject({ code: 'source_syntax' })
  const kept = test.loader.scanTexts(before.entry, before.texts)
  expect(kept.error).toBeUndefined()
  expect(kept.key).toBe(before.key)
  expect(kept.files).toEqual(before.files)
  const made = await make(kept)
  expect(made.get()).toEqual(['kept', { a: 1 }, true, 'function'])
  expect((await made.late()).late).toBe(1)
  expect((await made.named('./late.ts')).late).toBe(1)
  expect(test.loader.placeOf(thrownBy(() => made.boom()))).toMatchObject({ file: path('modules/m.ts'), line: 10 })
})

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (thrown) {
    return thrown
  }
  throw new Error('it did not throw')
}

it('a text that is missing is an import that is missing, named as ever', () => {
  test = createLoader(FILES)
  const { entry, texts } = test.loader.scan(path('modules/m.ts'))
  const fewer = new Map([...texts].filter(([file]) => !file.endsWith('helper/index.ts')))
  const { error } = test.loader.scanTexts(entry, fewer)
  expect(error).toMatchObject({ code: 'import_missing', file: 'modules/m.ts', line: 4 })
})

it('the packages a graph imports are named with the versions that are installed', () => {
  test = createLoader({
    'modules/m.ts': `import { z } from 'zod'\nimport { own } from 'own'\nimport { deep } from '@a/b/deep.js'\nimport './h.ts'\nexport const all = [z, own, deep]\n`,
    'modules/h.ts': `import { sep } from 'node:path'\nimport 'unversioned'\nexport const x = sep\n`,
    'node_modules/own/package.json': '{"name": "own", "version": "1.2.3", "type": "module", "main": "index.js"}',
    'node_modules/own/index.js': 'export const own = 1',
    'node_modules/@a/b/package.json': '{"name": "@a/b", "version": "4.0.0-rc.1", "type": "module"}',
    'node_modules/@a/b/deep.js': 'export const deep = 1',
    'node_modules/unversioned/package.json': '{"main": "index.js"}',
    'node_modules/unversioned/index.js': '',
  })
  const scan = test.loader.scan(path('modules/m.ts'))
  expect(test.loader.packagesOf(scan)).toEqual({
    '@a/b': '4.0.0-rc.1',
    own: '1.2.3',
    zod: expect.stringMatching(/^4\./),
  })
})
