/** Services made from source: they run, or nothing of them stays; source that runs is replaced only as it was read. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { errorOf, startTools, valueOf, withTools, type ToolSystem } from '../../support/tools.ts'

let system: ToolSystem
beforeEach(async () => {
  system = await startTools('{}', '', {
    'configs/filesystem.yml': 'prog: services/filesystem\napi: filesystem\n',
    'configs/module.yml': 'prog: services/workshop/module\n',
  })
})
afterEach(() => system.stop())

const says = (word: string): string =>
  withTools(`{ say: tool({ description: 'Says ${word}.', params: z.object({}), run: () => '${word}' }) }`)
const create = async (params: Record<string, unknown>): Promise<unknown> =>
  valueOf(await system.tools.invoke('module_create', { name: 'fresh', ...params }))
const say = async (): Promise<unknown> => valueOf(await system.tools.invoke('fresh_say', {}))
const there = (path: string): boolean => existsSync(join(system.root.path, path))

describe('a new module', () => {
  it('runs at once, with its config and its tools', async () => {
    const source = withTools(
      `{ say: tool({ description: 'x', params: z.object({}), run: () => this.config }) }`,
      '',
    ).replace('constructor(kernel) {', 'constructor(kernel, config) { this.config = config;')
    expect(
      await create({ name: 'reports/daily', api: 'fresh', source, config: { hour: 7 }, description: 'a report' }),
    ).toMatchObject({
      service: 'fresh',
      files: ['modules/reports/daily.ts', 'configs/reports/daily.yml'],
      landed: [{ service: 'fresh', state: 'live', generation: 1 }],
      taken_back: false,
    })
    expect(await say()).toEqual({ hour: 7 })
    expect(await system.show('fresh')).toMatchObject({ description: 'a report', prog: 'reports/daily' })
  })

  it.each([
    ['does not parse', 'export class Module {', 'source_syntax'],
    ['imports what is not there', "import { x } from './none.ts'\nexport class Module { y = x }", 'import_missing'],
    ['has no Module', 'export const x = 1', 'no_module_class'],
    ['throws in init', 'export class Module { init() { throw new Error("no luck") } }', 'init_threw'],
    [
      'has a tool without a description',
      withTools('{ bad: tool({ params: z.object({}), run: () => 1 }) }'),
      'aspect_invalid',
    ],
    [
      'refuses its config',
      "import { z } from 'zod'\nexport const configSchema = z.object({ hour: z.int() })\nexport class Module {}",
      'config_invalid',
    ],
  ])('that %s leaves nothing behind, and the error says why', async (_name, source, code) => {
    const answer = await create({ source, config: { hour: 'seven' } })
    expect(answer).toMatchObject({ files: [], taken_back: true, landed: [{ state: 'failed', error: { code } }] })
    expect([there('modules/fresh.ts'), there('configs/fresh.yml')]).toEqual([false, false])
    expect(await create({ source: says('better') })).toMatchObject({ landed: [{ state: 'live' }] })
    expect(await say()).toBe('better')
  })

  it('whose config is no config leaves nothing behind', async () => {
    const params = { name: 'fresh', source: says('x'), config: { limits: 5 } }
    expect(await system.tools.invoke('module_create', params)).toMatchObject({ error: { code: 'config_key' } })
    expect([there('modules/fresh.ts'), there('configs/fresh.yml')]).toEqual([false, false])
    expect(await create({ source: says('better') })).toMatchObject({ landed: [{ state: 'live' }] })
  })

  it('that waits for a service that is not there stays and says so', async () => {
    const source = `export class Module { static needs = ['absent'] }`
    expect(await create({ source })).toMatchObject({ landed: [{ state: 'waiting' }], taken_back: false })
    expect(there('modules/fresh.ts')).toBe(true)
  })

  it.each([
    ['the name of a module', { name: 'demo' }, 'file_exists'],
    ['the name of a service', { api: 'demo' }, 'file_exists'],
    ['the name of a module that comes with the product', { name: 'services/filesystem' }, 'file_exists'],
    ['a file that is there', { name: 'left' }, 'file_exists'],
    ['a place that is protected', { name: 'kernel/extra' }, 'path_protected'],
    ['no name', { name: '../x' }, 'bad_arguments'],
  ])('with %s is refused', async (_name, params, code) => {
    system.root.write('modules/left/index.ts', 'export class Module {}')
    const source = says('x')
    expect(errorOf(await system.tools.invoke('module_create', { name: 'fresh', source, ...params })).code).toBe(code)
    expect(there('modules/fresh.ts')).toBe(false)
  })

  it('while the system is frozen is refused', async () => {
    system.switchboard.frozen = 'self'
    expect(errorOf(await system.tools.invoke('module_create', { name: 'fresh', source: says('x') })).code).toBe(
      'frozen',
    )
  })
})

describe('an update', () => {
  const read = async (): Promise<{ file: string; source: string; hash: string }> =>
    valueOf(await system.tools.invoke('module_read', { service: 'fresh' })) as never
  const update = async (source: string, base: string): Promise<unknown> =>
    valueOf(await system.tools.invoke('module_update', { service: 'fresh', source, base }))

  it('replaces what was read, and answers with the new hash', async () => {
    await create({ source: says('one') })
    const { source, hash, file } = await read()
    expect([source, file]).toEqual([says('one'), 'modules/fresh.ts'])
    expect(await update(says('two'), hash)).toMatchObject({
      landed: [{ service: 'fresh', state: 'live', generation: 2 }],
      taken_back: false,
      hash: (await read()).hash,
    })
    expect(await say()).toBe('two')
  })

  it('of what was not read is refused', async () => {
    await create({ source: says('one') })
    const { hash } = await read()
    system.root.write('modules/fresh.ts', says('a person'))
    const result = await system.tools.invoke('module_update', { service: 'fresh', source: says('two'), base: hash })
    expect(errorOf(result).code).toBe('file_changed')
    expect(system.root.read('modules/fresh.ts')).toBe(says('a person'))
  })

  it('that does not load is taken back, and the version before serves on', async () => {
    await create({ source: says('one') })
    const { hash } = await read()
    expect(await update('export class Module {', hash)).toMatchObject({
      landed: [{ state: 'failed', error: { code: 'source_syntax' } }],
      taken_back: true,
      hash,
    })
    expect([await say(), system.root.read('modules/fresh.ts')]).toEqual(['one', says('one')])
  })

  it('reaches every service that runs the module', async () => {
    await create({ source: says('one') })
    system.root.write('configs/twin.yml', 'prog: fresh\n')
    await system.live('twin')
    await update(says('two'), (await read()).hash)
    expect([await say(), valueOf(await system.tools.invoke('twin_say', {}))]).toEqual(['two', 'two'])
  })
})
