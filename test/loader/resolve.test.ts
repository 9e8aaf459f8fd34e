/** Where a package is looked for, and in which order: those installed while the system ran come last. */
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { realFileSystem } from '../../modules/lib/file-system.ts'
import { Resolver } from '../../modules/loader/resolve.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

let root: TestRoot
let resolver: Resolver

const install = (folder: string, name: string): void => {
  root.write(
    `${folder}/node_modules/${name}/package.json`,
    JSON.stringify({ name, version: '1.0.0', main: 'index.js' }),
  )
  root.write(`${folder}/node_modules/${name}/index.js`, '')
}
const found = (name: string): unknown => resolver.resolve(name, join(root.path, 'modules', 'a.js'))
const native = (file: string): object => ({ kind: 'native', url: pathToFileURL(join(root.path, file)).href })

beforeEach(() => {
  root = createRoot({ 'modules/a.js': '' })
  resolver = new Resolver({ fs: realFileSystem, root: root.path, packageRoot, libEntry: '' })
})
afterEach(() => root.dispose())

it('a package installed while the system runs is found, also under a scope', () => {
  for (const name of ['mm-test-late', '@mm-test/late']) {
    expect(found(name)).toMatchObject({
      kind: 'missing',
      tried: expect.arrayContaining([join(root.path, 'runtime/packages/node_modules', name)]) as string[],
    })
    install('runtime/packages', name)
    expect(found(name)).toEqual(native(`runtime/packages/node_modules/${name}/index.js`))
  }
})

it('it replaces neither a package of the root nor one of the product', () => {
  install('runtime/packages', 'mm-test-both')
  install('.', 'mm-test-both')
  expect(found('mm-test-both')).toEqual(native('node_modules/mm-test-both/index.js'))
  install('runtime/packages', 'zod')
  expect(found('zod')).toMatchObject({ url: expect.stringContaining(`${packageRoot}/node_modules/zod/`) as string })
})
