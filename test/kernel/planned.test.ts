/** What a change would touch is told before it happens, and telling touches nothing. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import type { Handle } from '../../modules/contracts/module.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const STATEFUL = `import { n } from './helper.js'
export class Module { n() { return n } handOver() { return 1 } takeOver() {} }`

let system: TestSystem
let kernel: Handle<KernelServiceApi>
beforeEach(async () => {
  system = await startSystem({
    'configs/a.yml': 'size: 1',
    'configs/b.yml': '',
    'configs/c.yml': 'needs: [a]\nlimit: ${PLANNED_TEST_NONE:-3}',
    'modules/helper.js': 'export const n = 1',
    'modules/a.js': STATEFUL,
    'modules/b.js': 'import { n } from "./helper.js"\nexport class Module { n() { return n } }',
    'modules/c.js': `import { z } from 'zod'
      export const configSchema = z.object({ limit: z.string(), more: z.number().default(5) })
      export class Module { constructor(kernel) { this.a = kernel.getApi('a') } ask() { return this.a.n() } }`,
  })
  kernel = system.getApi<KernelServiceApi>('kernel')
})
afterEach(() => system.stop())

it('without files, nothing is planned while what runs is what stands on disk', async () => {
  expect(await kernel.plan()).toEqual([])
})

it('a file shared by services names them all, how each is switched, and who calls it', async () => {
  await (system.getApi('c')['ask'] as () => Promise<unknown>)()
  const plan = await kernel.plan([{ path: 'modules/helper.js' }])
  expect(plan).toMatchObject([
    {
      api: 'a',
      change: 'reload',
      mode: 'quiesce',
      state: 'carried',
      together_with: ['b'],
      callers: ['c'],
      generation: 1,
    },
    { api: 'b', change: 'reload', mode: 'overlap', state: 'lost', together_with: ['a'], files: ['modules/helper.js'] },
  ])
})

it('a proposed config is checked as a saved one would be', async () => {
  expect(await kernel.plan([{ path: 'configs/a.yml', text: 'size: 2' }])).toMatchObject([
    { api: 'a', change: 'reload', keys: ['size'], error: null },
  ])
  expect(await kernel.plan([{ path: 'configs/a.yml', text: 'size: [' }])).toMatchObject([
    { api: 'a', error: { code: 'config_syntax', file: 'configs/a.yml', line: 1 } },
  ])
  expect(await kernel.plan([{ path: 'configs/c.yml', text: 'limit: 3' }])).toMatchObject([
    { api: 'c', error: { code: 'config_invalid', file: 'configs/c.yml' } },
  ])
  expect(await kernel.plan([{ path: 'configs/a.yml', text: null }])).toMatchObject([{ api: 'a', change: 'stop' }])
  expect(await kernel.plan([{ path: 'configs/d.yml', text: 'prog: a' }])).toMatchObject([{ api: 'd', change: 'start' }])
  expect((await rejection(kernel.plan([{ path: '../x' }]))).code).toBe('path_outside')
  expect((await rejection(kernel.plan([{}] as never))).code).toBe('bad_arguments')
  expect((await kernel.services()).filter((one) => one.stale || one.generation !== 1)).toEqual([])
})

it('a new config that cannot be used is planned with the reason, by the name it would have', async () => {
  expect(await kernel.plan([{ path: 'configs/shop/d-v2.yml', text: 'prog: a\nneeds: 7' }])).toMatchObject([
    { api: 'shop/d', change: 'none', error: { code: 'config_key', file: 'configs/shop/d-v2.yml', line: 2 } },
  ])
  expect(await kernel.plan([{ path: 'configs/e.yml', text: 'prog: [' }])).toMatchObject([
    { api: 'e', error: { code: 'config_syntax', file: 'configs/e.yml' } },
  ])
  expect(await kernel.plan([{ path: 'configs/e-v1.2.3.4.yml', text: 'prog: a' }])).toMatchObject([
    { error: { code: 'config_name' } },
  ])
  expect(
    await kernel.plan([
      { path: 'configs/a-v1.0.yml', text: '' },
      { path: 'configs/a-v1.yml', text: '' },
    ]),
  ).toMatchObject([{ api: 'a', error: { code: 'config_version_tie' } }])
})

it('the texts a service is made from: of the version that serves, and as they stand on disk', async () => {
  const refused = system.event('service.refused')
  system.root.write('modules/b.js', 'export class Module {')
  await refused
  const live = await kernel.source('b')
  expect(live).toMatchObject({ which: 'live', generation: 1, config_file: 'configs/b.yml' })
  expect(Object.keys(live.files).sort()).toEqual(['configs/b.yml', 'modules/b.js', 'modules/helper.js'])
  expect(live.files['modules/b.js']).toContain('n() { return n }')
  const disk = await kernel.source('b', 'disk')
  expect(disk.files['modules/b.js']).toBe('export class Module {')
  expect(disk.files['modules/helper.js']).toBe('export const n = 1')
  expect(disk).toMatchObject({ which: 'disk', generation: null, config_hash: live.config_hash })
  expect((await kernel.source('c')).files['configs/c.yml']).toContain('${PLANNED_TEST_NONE:-3}')
  expect((await rejection(kernel.source('nobody') as unknown as Promise<unknown>)).code).toBe('service_not_found')
})

it('what stands on disk and was refused, or is held back by a freeze, is planned', async () => {
  const refused = system.event('service.refused')
  system.root.write('modules/b.js', 'export class Module {')
  await refused
  expect(await kernel.plan()).toMatchObject([
    { api: 'b', change: 'reload', files: ['modules/b.js'], error: { code: 'source_syntax' } },
  ])
})

it('effective values name their origin, and nothing is filled in', async () => {
  const [c] = await kernel.configs('c')
  expect(c).toMatchObject({ api: 'c', file: 'configs/c.yml', prog: 'c', shadowed: [] })
  expect(c?.values).toEqual([
    { key: 'limit', value: '${PLANNED_TEST_NONE:-3}', origin: 'configs/c.yml:2' },
    { key: 'more', value: 5, origin: 'default of c' },
  ])
  system.root.write('configs/a-v2.yml', 'size: 3')
  await system.live('a', 2)
  expect(await kernel.configs('a')).toMatchObject([{ file: 'configs/a-v2.yml', shadowed: ['configs/a.yml'] }])
})
