/** Effective configs: what was worked out is kept, never for longer than it holds, and a thousand are read in turns. */
import { afterEach, expect, it } from 'vitest'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import type { Handle } from '../../modules/contracts/module.ts'
import { EffectiveConfigs } from '../../modules/kernel/effective.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(() => system?.stop())

const source = (size: number): string => `import { z } from 'zod'
export const configSchema = z.object({ name: z.string(), size: z.number().default(${size}) })
export class Module {}
`

it('a value that changed, a line that moved and a default of another version are told anew', async () => {
  system = await startSystem({
    'configs/m.yml': 'name: a\n',
    'modules/m.ts': source(1),
    'configs/n.yml': 'prog: m\nname: n\n',
  })
  const kernel = system.getApi('kernel') as unknown as Handle<KernelServiceApi>
  const told = async (): Promise<string[]> =>
    (await kernel.configs()).map(({ api, values }) =>
      [api, ...values.map(({ key, value, origin }) => `${key} ${String(value)} ${origin}`)].join(', '),
    )
  const n = 'n, name n configs/n.yml:2, size 1 default of m'
  const before = ['m, name a configs/m.yml:1, size 1 default of m', n]
  expect(await told()).toEqual(before)
  expect(await told()).toEqual(before)
  system.root.write('configs/m.yml', '# a line\nname: b\n')
  await system.live('m', 2)
  expect(await told()).toEqual(['m, name b configs/m.yml:2, size 1 default of m', n])
  system.root.write('modules/m.ts', source(2))
  await Promise.all([system.live('m', 3), system.live('n', 2)])
  expect(await told()).toEqual([
    'm, name b configs/m.yml:2, size 2 default of m',
    'n, name n configs/n.yml:2, size 2 default of m',
  ])
  system.root.write('configs/m-v2.yml', 'name: c\n')
  await system.live('m', 4)
  expect((await kernel.configs())[0]).toMatchObject({ file: 'configs/m-v2.yml', shadowed: ['configs/m.yml'] })
})

it('many are read in turns, each as it is at its own, and one that went meanwhile is left out', async () => {
  let now = 0
  let turns = 0
  const services = new Map<string, { api: string; desired: object }>()
  for (let at = 0; at < 20; at++) {
    const api = `s${String(at).padStart(2, '0')}`
    services.set(api, { api, desired: { api, base: api, file: `configs/${api}.yml`, prog: 'm', params: {} } })
  }
  const clock = {
    monotonic: () => (now += 3),
    soon(callback: () => void) {
      turns++
      services.delete('s19')
      callback()
    },
  }
  const machine = { services, options: { clock } } as unknown as ConstructorParameters<typeof EffectiveConfigs>[0]
  const wanted = { desired: { services: new Map() }, tree: { all: () => [] } }
  const configs = new EffectiveConfigs(machine, wanted as unknown as ConstructorParameters<typeof EffectiveConfigs>[1])
  const found = await configs.all()
  expect(found.map(({ api }) => api)).toEqual([...services.keys()])
  expect(found).toHaveLength(19)
  // More than 4 ms are gone after each second of them.
  expect(turns).toBeGreaterThan(5)
})
