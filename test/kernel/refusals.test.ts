/** Why what stands on disk does not run is always told of the file that stands there now, and of no other. */
import { afterEach, expect, it } from 'vitest'
import type { ErrorData } from '../../modules/contracts/errors.ts'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
afterEach(() => system.stop())

const SCHEMA = `import { z } from 'zod'
export const configSchema = z.object({ value: z.number() })
export class Module {}`

const refusal = async (api: string): Promise<[string | undefined, string | undefined]> => {
  const { last_error: error } = await system.show(api)
  return [error?.code, error?.file]
}

it('a version that is refused again, with a broken file in between, is told with its own reason', async () => {
  system = await startSystem({
    'configs/m.yml': 'value: 1',
    'configs/n.yml': 'prog: m\nvalue: 1',
    'modules/m.ts': SCHEMA,
  })
  const refused = (code: string) => (data: Record<string, unknown>) => (data['error'] as { code: string }).code === code
  for (const [text, event, code] of [
    ['value: text', 'service.refused', 'config_invalid'],
    ['value: [', 'config.error', 'config_syntax'],
  ] as const) {
    const told = system.event(event, refused(code))
    system.root.writeByRename('configs/m.yml', text)
    await told
    expect(await refusal('m')).toEqual([code, 'configs/m.yml'])
  }
  // Nothing tells that what is known was seen again: another service's save, behind it, does.
  system.root.writeByRename('configs/m.yml', 'value: text')
  system.root.write('configs/n.yml', 'prog: m\nvalue: 2')
  await system.live('n', 2)
  expect(await refusal('m')).toEqual(['config_invalid', 'configs/m.yml'])
})

it('services that leave one module for others that are not there are each told of their own file', async () => {
  system = await startSystem({
    'configs/a.yml': 'prog: shared',
    'configs/b.yml': 'prog: shared',
    'modules/shared.ts': 'export class Module {}',
  })
  const told = ['a', 'b'].map((name) => system.event('service.refused', ({ api }) => api === name))
  for (const name of ['a', 'b']) system.root.writeByRename(`configs/${name}.yml`, `x: 1\nprog: nowhere_${name}`)
  for (const [index, name] of ['a', 'b'].entries()) {
    const error = (await told[index])?.data['error'] as ErrorData
    expect(error).toMatchObject({ code: 'prog_not_found', file: `configs/${name}.yml`, line: 2, column: 1 })
    expect(error.message).toContain(`nowhere_${name}`)
  }
})

it('what is remembered of versions that were taken back has a limit, and the oldest goes first', async () => {
  const names = ['a', 'b', 'c']
  system = await startSystem({
    'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {refused_kept: 2}\n',
    ...Object.fromEntries(names.map((name) => [`configs/${name}.yml`, 'prog: m\nx: 1'])),
    'modules/m.ts': 'export class Module {}',
  })
  for (const name of names) {
    system.root.write(`configs/${name}.yml`, 'prog: m\nx: 2')
    await system.live(name, 2)
    await system.getApi<KernelServiceApi>('kernel').rollback(name)
  }
  expect(Object.keys(JSON.parse(system.root.read('runtime/refused.json')) as object)).toEqual(['b', 'c'])
})
