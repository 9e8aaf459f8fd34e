/** Volatile keys reach the version that serves; everything else is a new version. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import { volatileKeys } from '../../modules/kernel/configure.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const SOURCE = `
import { z } from 'zod'
export const configSchema = z.object({
  level: z.number().max(9).meta({ volatile: true }).default(1),
  size: z.number().default(1),
})
export class Module {
  constructor(_kernel, config) { this.config = config }
  configure(next) { if (next.level === 7) throw new Error('not seven'); this.config = next }
  read() { return [this.config.level, this.config.size] }
}`

let system: TestSystem
beforeEach(async () => {
  system = await startSystem({ 'configs/m.yml': 'level: 2', 'modules/m.js': SOURCE })
})
afterEach(() => system.stop())

const read = (): Promise<unknown> => (system.getApi('m')['read'] as () => Promise<unknown>)()

it('knows which keys of a schema are volatile', () => {
  const mark = { volatile: true }
  const schema = z.object({
    a: z.number().meta(mark),
    b: z.string().meta(mark).optional().default('x'),
    c: z.boolean(),
    d: z.number().meta({ title: 'd' }),
  })
  expect([...volatileKeys(schema)]).toEqual(['a', 'b'])
  expect([...volatileKeys(undefined)]).toEqual([])
})

it('a volatile key is delivered without a new version, and the disk is not stale', async () => {
  const configured = system.event('service.configured')
  system.root.write('configs/m.yml', 'level: 3')
  expect((await configured).data).toMatchObject({ api: 'm', generation: 1, keys: ['level'] })
  expect(await read()).toEqual([3, 1])
  expect(await system.show('m')).toMatchObject({ generation: 1, stale: false, last_error: null })
})

it('a key that is not volatile, beside one that is, is a new version', async () => {
  system.root.write('configs/m.yml', 'level: 3\nsize: 4')
  await system.live('m', 2)
  expect(await read()).toEqual([3, 4])
})

it.each([
  ['level: 12', 'config_invalid'],
  ['level: 7', 'configure_threw'],
])('%s is refused with %s and the earlier values stay in force', async (text, code) => {
  const refused = system.event('service.refused')
  system.root.write('configs/m.yml', text)
  expect((await refused).data['error']).toMatchObject({ code })
  expect(await read()).toEqual([2, 1])
  expect(await system.show('m')).toMatchObject({ state: 'live', generation: 1, stale: true, last_error: { code } })
})

it('what was configured can be undone', async () => {
  const configured = system.event('service.configured')
  system.root.write('configs/m.yml', 'level: 3')
  await configured
  const kernel = system.getApi<KernelServiceApi>('kernel')
  expect(await kernel.undo('m')).toMatchObject({ ok: true, generation: 1 })
  expect(system.root.read('configs/m.yml')).toBe('level: 2')
  expect(await read()).toEqual([2, 1])
})
