import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => system?.stop())

const source = (name: string): string => `export class Module { name() { return '${name}' } }`
const name = (api: string): Promise<unknown> => (system as TestSystem).getApi(api)['name']?.() as Promise<unknown>

it('finds a prog by its path, as a folder, and by a last segment only one module has', async () => {
  system = await startSystem({
    'modules/deep/inner/one.ts': source('one'),
    'modules/two/index.ts': source('two'),
    'modules/three.mjs': source('three'),
    'configs/a.yml': 'prog: deep/inner/one',
    'configs/b.yml': 'prog: one',
    'configs/c.yml': 'prog: two',
    'configs/d.yml': 'prog: three',
    'configs/e.yml': 'prog: rl_trainer\nneeds: [nothing]',
  })
  expect(await Promise.all(['a', 'b', 'c', 'd'].map(name))).toEqual(['one', 'one', 'two', 'three'])
  expect((await system.show('e')).source_file).toMatch(/modules\/tasks\/rl_trainer\.ts$/)
})

it('two matches and none are errors that name the files or what is near; the file that appears is found', async () => {
  system = await startSystem({
    'modules/x.ts': source('x'),
    'modules/x.mjs': source('x'),
    'modules/p/same.ts': source('p'),
    'modules/q/same.ts': source('q'),
    'configs/a.yml': 'prog: x',
    'configs/b.yml': 'prog: same',
    'configs/c.yml': 'prog: smae',
    'configs/d.yml': 'prog: born/later',
    'configs/e.yml': 'prog: ../../etc/passwd',
  })
  expect((await system.show('a')).last_error).toMatchObject({
    code: 'prog_ambiguous',
    message: expect.stringContaining('modules/x.ts, modules/x.mjs') as string,
    file: 'configs/a.yml',
  })
  expect((await system.show('b')).last_error).toMatchObject({ code: 'prog_ambiguous' })
  expect((await system.show('c')).last_error).toMatchObject({
    code: 'prog_not_found',
    hint: expect.stringContaining('same') as string,
  })
  expect(system.kernel.status().config_errors).toMatchObject([{ code: 'config_key', file: 'configs/e.yml', line: 1 }])
  system.root.write('modules/born/later.ts', source('later'))
  await system.live('d')
  expect(await name('d')).toBe('later')
})

it('a root’s module comes before the package’s of the same name, except where the package is protected', async () => {
  system = await startSystem({
    'modules/services/tools/index.ts': source('mine'),
    'configs/tools.yml': 'prog: services/tools',
  })
  expect(await name('tools')).toBe('mine')
})
