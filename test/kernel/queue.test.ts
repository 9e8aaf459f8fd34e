import { afterEach, expect, it } from 'vitest'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => system?.stop())

const call = (api: string, name: string, ...args: unknown[]): Promise<unknown> =>
  ((system as TestSystem).getApi(api)[name] as (...args: unknown[]) => Promise<unknown>)(...args)

const SLOW_START = `export class Module { constructor(private k: any) {} async init() { await this.k.sleep(this.k.paths.root ? 400 : 0) } hi(n: number) { return n } async *count() { yield 1; yield 2 } }`

it('calls to a service that starts wait in their order, bounded and with a deadline', async () => {
  system = await startSystem({ 'modules/slow.ts': SLOW_START, 'modules/never.ts': 'export class Module { hi() {} }' })
  const starting = system.event('service.starting')
  system.root.write('configs/slow.yml', 'limits: {queue_calls_max: 3}')
  await starting
  const order: unknown[] = []
  const waiting = [1, 2].map((n) => call('slow', 'hi', n).then((answer) => order.push(answer)))
  const streamed = (async () => {
    const all: number[] = []
    for await (const n of system.getApi<{ count(): AsyncGenerator<number> }>('slow').count()) all.push(n)
    return all
  })()
  expect(await rejection(call('slow', 'hi', 9))).toMatchObject({ code: 'queue_full' })
  await Promise.all(waiting)
  expect(order).toEqual([1, 2])
  expect(await streamed).toEqual([1, 2])
  system.root.write('configs/never.yml', 'needs: [nobody]\nlimits: {queue_ms: 40}')
  await system.event('service.waiting')
  expect(await rejection(call('never', 'hi'))).toMatchObject({ code: 'queue_timeout' })
})

it('a call to a service that is going away, and one while the system stops, say so', async () => {
  system = await startSystem({
    'configs/m.yml': '',
    'configs/other.yml': '',
    'modules/other.ts':
      'export class Module { hi() { return 1 } async shutdown() { await new Promise((resolve) => setTimeout(resolve, 200)) } }',
    'modules/m.ts': `export class Module { constructor(private k: any) {} hi() { return 1 } async slow() { await this.k.sleep(1_200) } }`,
  })
  await system.live('m')
  const slow = call('m', 'slow')
  system.root.remove('configs/m.yml')
  await expect.poll(() => (system as TestSystem).kernel.status().services['m']?.state).toBe('draining')
  expect(await rejection(call('m', 'hi'))).toMatchObject({ code: 'service_stopped' })
  await slow
  const stopping = system.kernel.stop('test', 2_000)
  await expect.poll(() => (system as TestSystem).kernel.status().services['other']?.state).toBe('draining')
  expect(await rejection(call('other', 'hi'))).toMatchObject({ code: 'kernel_stopping' })
  expect(await rejection(system.reload('other'))).toMatchObject({ code: 'kernel_stopping' })
  await stopping
})

it('two configs that claim one api: both are named and the incumbent stays', async () => {
  system = await startSystem({
    'configs/a.yml': 'api: x\nprog: m',
    'modules/m.ts': 'export class Module { hi() { return 1 } }',
  })
  await system.live('x')
  const error = system.event('config.error')
  system.root.write('configs/b.yml', 'api: x\nprog: m\nmore: 1')
  expect((await error).data['error']).toMatchObject({
    code: 'config_api_taken',
    message: expect.stringContaining('configs/a.yml, configs/b.yml') as string,
  })
  expect(await call('x', 'hi')).toBe(1)
  expect(await system.show('x')).toMatchObject({ generation: 1, last_error: { code: 'config_api_taken' } })
  system.root.remove('configs/b.yml')
  await expect.poll(async () => (await (system as TestSystem).show('x')).last_error).toBeNull()
})
