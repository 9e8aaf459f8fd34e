/** Changing a config key by key: comments stay, what is wrong is not written, and what is refused is taken back. */
import { afterEach, describe, expect, it } from 'vitest'
import { errorOf, startTools, valueOf, type ToolSystem } from '../../support/tools.ts'

let system: ToolSystem
afterEach(() => system.stop())

const CONFIG = `# The greeter.
greeting: Hello   # what it says
count: 3

limits:
  drain_ms: 100 # short
params:
  name: Ada
`
const GREETER = `import { z } from 'zod'
export const configSchema = z.object({
  greeting: z.string().default('Hi'),
  count: z.int().positive().default(1),
  name: z.string().optional(),
  loud: z.boolean().default(false).meta({ volatile: true }),
})
export class Module {
  constructor(kernel, config) { this.config = config; if (config.greeting === 'Boom') throw new Error('no such greeting') }
  configure(next) { this.config = next }
  shown() { return this.config }
}
`
async function start(config = CONFIG): Promise<void> {
  system = await startTools('{}', '', {
    'configs/filesystem.yml': 'prog: services/filesystem\napi: filesystem\n',
    'configs/config.yml': 'prog: services/workshop/config\n',
    'configs/greeter.yml': config,
    'modules/greeter.ts': GREETER,
  })
}
const edit = (params: Record<string, unknown>): Promise<unknown> =>
  system.tools.invoke('config_edit', { service: 'greeter', ...params }).then(valueOf)
const refused = async (params: Record<string, unknown>): Promise<{ code: string; message: string }> =>
  errorOf(await system.tools.invoke('config_edit', { service: 'greeter', ...params }))
const shown = (): Promise<unknown> => system.getApi('greeter')['shown']?.() as Promise<unknown>
const text = (): string => system.root.read('configs/greeter.yml')

it('changes keys, keeps comments, and says what the reload came to', async () => {
  await start()
  const answer = await edit({
    set: { greeting: 'Good day', 'limits.drain_ms': 200, extra: [1, { a: true }] },
    remove: ['count'],
  })
  expect(answer).toMatchObject({
    file: 'configs/greeter.yml',
    changed: ['greeting', 'limits.drain_ms', 'extra', 'count'],
    landed: { service: 'greeter', state: 'live', generation: 2 },
    taken_back: false,
  })
  expect(text()).toBe(
    CONFIG.replace('Hello', 'Good day').replace('count: 3\n', '').replace('100', '200') +
      'extra:\n  - 1\n  - a: true\n',
  )
  expect(await shown()).toMatchObject({ greeting: 'Good day', count: 1, name: 'Ada' })
})

it('a key that stands under params is changed there, where it is in force', async () => {
  await start()
  await edit({ set: { name: 'Bob' } })
  expect(text()).toBe(CONFIG.replace('Ada', 'Bob'))
  expect(await shown()).toMatchObject({ name: 'Bob' })
})

it('a volatile key reaches the running version', async () => {
  await start()
  expect(await edit({ set: { loud: true } })).toMatchObject({ landed: { state: 'live', generation: 1 } })
  expect(await shown()).toMatchObject({ loud: true })
})

describe('nothing is written', () => {
  it.each([
    ['a value the schema refuses', { set: { count: -1 } }, 'config_invalid', 'count'],
    ['a key below a value', { set: { 'count.deep': 1 } }, 'config_edit_failed', 'count.deep'],
    ['a key that is not there', { remove: ['none'] }, 'config_edit_failed', 'none'],
    ['a broken path', { set: { 'a..b': 1 } }, 'config_edit_failed', 'a..b'],
    ['another name', { set: { api: 'other' } }, 'config_edit_failed', 'api'],
    ['a reserved key that is wrong', { set: { limits: 5 } }, 'config_key', 'limits'],
    ['a file that has changed', { set: { count: 2 }, base: '0000000000000000' }, 'file_changed', 'greeter.yml'],
    ['a service that is not there', { service: 'gretter', set: {} }, 'service_not_found', 'near: greeter'],
    ['the kernel itself', { service: 'kernel', set: { prog: 'x' } }, 'config_edit_failed', 'prog'],
    ['the kernel itself, another key', { service: 'kernel', set: { x: 1 } }, 'path_protected', 'meta'],
  ])('for %s', async (_name, params, code, named) => {
    await start()
    const error = await refused(params)
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(named)])
    expect(text()).toBe(CONFIG)
  })

  it('while the system is frozen', async () => {
    await start()
    system.switchboard.frozen = 'self'
    expect((await refused({ set: { count: 2 } })).code).toBe('frozen')
    expect(text()).toBe(CONFIG)
  })

  it('when nothing would differ', async () => {
    await start()
    expect(await edit({ set: { count: 3 } })).toMatchObject({ changed: [], landed: null })
  })
})

it('what the service itself refuses is taken back, with the reason', async () => {
  await start()
  const answer = await edit({ set: { greeting: 'Boom' } })
  expect(answer).toMatchObject({
    landed: {
      state: 'failed',
      error: { code: 'constructor_threw', message: expect.stringContaining('no such greeting') as string },
    },
    taken_back: true,
  })
  expect([text(), await shown()]).toMatchObject([CONFIG, { greeting: 'Hello' }])
})

it('a service can be switched off, and a broken config mended', async () => {
  await start('greeting: Hello\ncount: -1\n')
  expect(await system.show('greeter')).toMatchObject({ state: 'failed' })
  expect(await edit({ set: { count: 1 } })).toMatchObject({ landed: { state: 'live' } })
  const stopped = system.event('service.stopped', ({ api }) => api === 'greeter')
  expect(await edit({ set: { enabled: false } })).toMatchObject({ landed: { state: 'stopped' }, taken_back: false })
  await stopped
})

it('an empty file takes its first key', async () => {
  await start('')
  expect(await edit({ set: { greeting: 'First' } })).toMatchObject({ landed: { state: 'live' } })
  expect(text()).toBe('greeting: First\n')
})

it('a config is read with the hash an edit asks for', async () => {
  await start()
  const { hash, values, file } = valueOf(await system.tools.invoke('config_read', { service: 'greeter' })) as {
    hash: string
    file: string
    values: { key: string; origin: string }[]
  }
  expect(values.find(({ key }) => key === 'loud')?.origin).toBe('default of greeter')
  expect(file).toBe('configs/greeter.yml')
  expect(await edit({ set: { count: 2 }, base: hash })).toMatchObject({ landed: { state: 'live' } })
})
