import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => system?.stop())

const call = (api: string, name: string): Promise<unknown> =>
  ((system as TestSystem).getApi(api)[name] as () => Promise<unknown>)()

it('a service waits for what it needs, says so, and starts when it is there', async () => {
  system = await startSystem({
    'configs/shop.yml': 'needs: [store]',
    'modules/shop.ts': `export class Module { static needs = ['bank']; constructor(private k: any) {} async init() { this.n = await this.k.getApi('store').count() } n = 0; get() { return this.n } }`,
    'modules/store.ts': 'export class Module { count() { return 5 } }',
    'modules/bank.ts': 'export class Module {}',
  })
  expect(await system.show('shop')).toMatchObject({
    state: 'waiting',
    generation: null,
    waiting_for: ['store', 'bank'],
  })
  const queued = call('shop', 'get')
  system.root.write('configs/store.yml', '')
  await system.live('store')
  system.root.write('configs/bank.yml', '')
  await system.live('shop')
  expect(await queued).toBe(5)
  expect(await system.show('shop')).toMatchObject({ state: 'live', generation: 1, waiting_for: [] })
})

it('a reload of a provider does not restart its consumers', async () => {
  system = await startSystem({
    'configs/user.yml': 'needs: [tool]',
    'configs/tool.yml': '',
    'modules/user.ts': `export class Module { constructor(private k: any) {} ask() { return this.k.getApi('tool').name() } }`,
    'modules/tool.ts': `export class Module { name() { return 'one' } }`,
  })
  await system.live('user')
  expect(await call('user', 'ask')).toBe('one')
  system.root.write('modules/tool.ts', `export class Module { name() { return 'two' } }`)
  await system.live('tool', 2)
  expect(await call('user', 'ask')).toBe('two')
  expect((await system.show('user')).generation).toBe(1)
})

it('a call in init() to a name that is not there makes the service wait for it, with a new instance', async () => {
  system = await startSystem({
    'configs/eager.yml': '',
    'modules/eager.ts': `export class Module { constructor(private k: any) {} async init() { this.at = await this.k.getApi('late').time() } at = 0; get() { return this.at } }`,
    'modules/late.ts': 'export class Module { time() { return 12 } }',
  })
  expect(await system.show('eager')).toMatchObject({ state: 'waiting', waiting_for: ['late'] })
  system.root.write('configs/late.yml', '')
  await system.live('eager')
  expect(await call('eager', 'get')).toBe(12)
})

it('two inits that wait for each other are a ring with its names; others start', async () => {
  const asks = (other: string): string =>
    `export class Module { constructor(private k: any) {} async init() { await this.k.getApi('${other}').hi() } hi() { return 1 } }`
  system = await startSystem({
    'configs/a.yml': '',
    'configs/b.yml': '',
    'configs/c.yml': '',
    'modules/a.ts': asks('b'),
    'modules/b.ts': asks('a'),
    'modules/c.ts': 'export class Module { hi() { return 3 } }',
  })
  expect(await call('c', 'hi')).toBe(3)
  const states = [await system.show('a'), await system.show('b')]
  const ring = states.find((one) => one.state === 'failed')
  expect(ring?.last_error?.message).toMatch(/needs_ring.*(a → b → a|b → a → b)/)
})

it('a ring of needs is named, and broken by an edit', async () => {
  system = await startSystem({
    'configs/a.yml': 'needs: [b]',
    'configs/b.yml': 'needs: [a]',
    'modules/a.ts': 'export class Module {}',
    'modules/b.ts': 'export class Module {}',
  })
  expect(await system.show('a')).toMatchObject({
    state: 'waiting',
    waiting_for: ['b'],
    last_error: { code: 'needs_ring' },
  })
  expect((await system.show('b')).last_error?.message).toContain('a')
  system.root.write('configs/b.yml', '')
  await Promise.all([system.live('a'), system.live('b')])
})

it('one service that never starts keeps nobody else', async () => {
  system = await startSystem({
    'configs/hangs.yml': 'limits: {init_ms: 100}',
    'configs/good.yml': '',
    'modules/hangs.ts': 'export class Module { init() { return new Promise(() => {}) } hi() {} }',
    'modules/good.ts': 'export class Module { hi() { return 1 } }',
  })
  expect(await call('good', 'hi')).toBe(1)
  expect(await system.show('hangs')).toMatchObject({ state: 'failed', last_error: { code: 'init_timeout' } })
  await expect(call('hangs', 'hi')).rejects.toMatchObject({ code: 'service_failed' })
})
