import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => system?.stop())

it('a late throw in a timer is contained, counted and placed in the right service', async () => {
  const late = (name: string): string => `export class Module {
  go() {
    setTimeout(() => {
      throw new Error('late ${name}')
    }, 1)
  }
  hi() { return '${name}' }
}`
  system = await startSystem({
    'configs/a.yml': '',
    'configs/b.yml': '',
    'modules/a.ts': late('a'),
    'modules/b.ts': late('b'),
  })
  for (const api of ['a', 'b']) {
    const fault = system.event('service.fault')
    await (system.getApi(api)['go'] as () => Promise<void>)()
    expect((await fault).data).toMatchObject({
      api,
      generation: 1,
      error: { message: `late ${api}`, file: `modules/${api}.ts`, line: 4, column: 13 },
    })
    expect(await (system.getApi(api)['hi'] as () => Promise<string>)()).toBe(api)
  }
  expect(await system.show('a')).toMatchObject({ errors: 1, last_error: { message: 'late a' } })
})

it('a flood of errors is counted in full', async () => {
  system = await startSystem({
    'configs/a.yml': '',
    'modules/a.ts': 'export class Module { async no() { throw new Error("no") } }',
  })
  const a = system.getApi<{ no(): Promise<void> }>('a')
  const calls = Array.from({ length: 500 }, () => a.no().catch(() => undefined))
  await Promise.all(calls)
  expect(await system.show('a')).toMatchObject({
    errors: 500,
    last_error: { message: 'no', file: 'modules/a.ts', line: 1 },
  })
})

it('a subscriber that throws or is slow disturbs neither the emitter nor the others', async () => {
  system = await startSystem({
    'configs/a.yml': '',
    'modules/a.ts': `export class Module {
      seen: string[] = []
      constructor(private k: any) {
        k.events.on('*', () => { throw new Error('bad subscriber') })
        k.events.on('mine.*', async (event: any) => { this.seen.push(event.type); await new Promise(() => {}) })
        k.events.on('mine.one', (event: any) => { this.seen.push('exact ' + event.data.n) })
      }
      go() { this.k.events.emit('mine.one', { n: 1 }); this.k.events.emit('mine.two'); this.k.events.emit('minestrone') }
      read() { return this.seen }
    }`,
  })
  await system.live('a')
  await (system.getApi('a')['go'] as () => Promise<void>)()
  await expect.poll(() => (system as TestSystem).getApi('a')['read']?.()).toEqual(['mine.one', 'exact 1', 'mine.two'])
  expect((await system.show('a')).last_error).toMatchObject({ message: 'bad subscriber' })
})

it('a subscriber to all events that always fails, at once or later, hears nothing of itself', async () => {
  system = await startSystem({
    'configs/a.yml': '',
    'modules/a.ts': `export class Module {
      constructor(private k: any) {}
      listen() {
        this.k.events.on('*', () => { throw new Error('at once') })
        this.k.events.on('*', async () => { await null; throw new Error('later') })
        this.k.events.emit('mine')
      }
    }`,
  })
  const { kernel } = system
  const last = kernel.events.since(0).at(-1)?.id ?? 0
  await (system.getApi('a')['listen'] as () => Promise<void>)()
  await expect.poll(async () => (await (system as TestSystem).show('a')).errors).toBe(2)
  expect(kernel.events.since(last).map((event) => event.type)).toEqual(['mine'])
})

it('a flood of late errors is counted in full and told now and then', async () => {
  const running = await startSystem({
    'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {late_errors_max: 100000}\n',
    'configs/flood.yml': '',
    'modules/flood.js': `export class Module {
      flood(n) { for (let i = 0; i < n; i++) setTimeout(() => { throw new Error('again') }, 1) }
    }`,
  })
  system = running
  let left = 500
  const all = running.event('service.fault', () => --left === 0)
  await (running.getApi('flood')['flood'] as (n: number) => Promise<unknown>)(left)
  await all
  const told = running.log.filter((line) => line.message.includes('flood  late error'))
  expect((await running.show('flood')).errors).toBe(500)
  expect(told.length).toBeGreaterThan(0)
  expect(told.length).toBeLessThanOrEqual(100)
})

it('so is a flood of errors nobody can be named for', async () => {
  const running = await startSystem({})
  system = running
  const before = (await running.kernel.health()).unattributed_faults
  for (let made = 0; made < 500; made++) running.kernel.fault(new Error('nobody’s'), 'rejection')
  const told = running.log.filter((line) => line.message.includes('nobody’s'))
  expect((await running.kernel.health()).unattributed_faults - before).toBe(500)
  expect(told.length).toBeGreaterThan(0)
  expect(told.length).toBeLessThanOrEqual(100)
})
