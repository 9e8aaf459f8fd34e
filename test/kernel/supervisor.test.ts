/** What follows a failure of a service's own work: a restart, a way back, a trip; and what it means for the others. */
import { afterEach, expect, it } from 'vitest'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import { decide, ruleOf } from '../../modules/kernel/supervisor.ts'
import { LIMITS } from '../../modules/kernel/limits.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
afterEach(() => system?.stop())

const FAST = 'restart: {pause_ms: 5, pause_ms_max: 10, window_ms: 10000}\n'
const fails = (when: string, name = 'runs'): string => `
export class Module {
  #n = 0
  async run(signal) {
    globalThis.${name} = (globalThis.${name} ?? 0) + 1
    ${when}
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  }
  count() { return ++this.#n }
  handOver() { return this.#n }
  takeOver(n) { this.#n = n }
}`

const call = (api: string, name: string): Promise<unknown> => (system.getApi(api)[name] as () => Promise<unknown>)()

it('decides from counts alone', () => {
  const rule = ruleOf({ restart: undefined }, LIMITS)
  expect(rule).toEqual({ max: 5, window_ms: 10_000, pause_ms: 100, pause_ms_max: 30_000 })
  const at = (restarts: number, ageMs: number, wayBack: boolean) =>
    decide({ restarts, ageMs, wayBack, freshMs: LIMITS.fresh_ms, rule })
  expect([0, 1, 2, 4].map((n) => at(n, 0, false))).toEqual(
    [100, 200, 400, 1_600].map((ms) => ({ kind: 'restart', ms })),
  )
  expect(at(5, 0, false)).toEqual({ kind: 'trip' })
  expect(at(0, 60_000, true)).toEqual({ kind: 'back' })
  expect(at(0, 60_001, true)).toEqual({ kind: 'restart', ms: 100 })
  expect(decide({ restarts: 40, ageMs: 0, wayBack: false, freshMs: 0, rule: { ...rule, max: 99 } })).toEqual({
    kind: 'restart',
    ms: 30_000,
  })
  expect(ruleOf({ restart: false }, LIMITS).max).toBe(0)
  expect(ruleOf({ restart: { max: 2 } }, LIMITS)).toEqual({ ...rule, max: 2 })
})

it('a run() that fails is started anew, with the state of the service, and says so', async () => {
  system = await startSystem({
    'configs/m.yml': FAST,
    'modules/m.js': fails(
      'if (globalThis.runs === 1) { await new Promise((r) => setTimeout(r, 50)); throw new Error("once") }',
    ),
  })
  await call('m', 'count')
  const restarting = await system.happened('service.restarting')
  expect(restarting.data).toMatchObject({ api: 'm', generation: 1 })
  await system.live('m', 2)
  expect(await call('m', 'count')).toBe(2)
  expect((await system.show('m')).state).toBe('live')
})

it('a service that always fails is restarted five times and then switched off, and the others do not notice', async () => {
  system = await startSystem({
    'configs/m.yml': FAST,
    'modules/m.js': fails('throw new Error("always")'),
    'configs/good.yml': '',
    'modules/good.js': 'export class Module { ok() { return true } }',
  })
  const tripped = await system.happened('service.tripped')
  expect(tripped.data['error']).toMatchObject({ code: 'service_tripped' })
  const started = system.kernel.events.since(0).filter((event) => event.type === 'service.restarting')
  expect(started).toHaveLength(5)
  expect(await system.show('m')).toMatchObject({ state: 'tripped', last_error: { code: 'service_tripped' } })
  expect((await rejection(call('m', 'count'))).code).toBe('service_tripped')
  expect(await call('good', 'ok')).toBe(true)

  const fixed = system.event(
    'service.live',
    (data) => data['api'] === 'm' && data['from'] === null && data['generation'] !== 1,
  )
  system.root.write('modules/m.js', fails(''))
  await fixed
  expect(await call('m', 'count')).toBe(1)
})

it('while everything is frozen, what is started anew is what served; what was saved meanwhile comes when it thaws', async () => {
  const version = (name: string): string => `export class Module {
    run() { return new Promise((_resolve, reject) => { this.end = reject }) }
    crash() { this.end(new Error('asked to')) }
    name() { return '${name}' }
  }`
  system = await startSystem({ 'configs/m.yml': FAST, 'modules/m.js': version('first') })
  system.switchboard.frozen = 'all'
  system.root.write('modules/m.js', version('second'))
  await call('m', 'crash')
  await system.live('m', 2)
  expect(await call('m', 'name')).toBe('first')
  system.switchboard.frozen = 'none'
  await system.live('m', 3)
  expect(await call('m', 'name')).toBe('second')
})

it('`restart: false` switches a service off at its first failure, and an operator can reload it', async () => {
  system = await startSystem({
    'configs/m.yml': 'restart: false',
    'modules/m.js': fails('if (globalThis.firstOnly === 1) throw new Error("once")', 'firstOnly'),
  })
  await system.happened('service.tripped')
  const kernel = system.getApi<KernelServiceApi>('kernel')
  expect(await kernel.reload('m')).toMatchObject({ ok: true })
  expect(await call('m', 'count')).toBe(1)
})

it('a version that fails soon after it replaced another is taken back by itself', async () => {
  system = await startSystem({ 'configs/m.yml': FAST, 'modules/m.js': fails('') })
  await call('m', 'count')
  const back = system.event('service.rolled_back')
  system.root.write('modules/m.js', fails('throw new Error("bad idea")'))
  expect((await back).data).toMatchObject({ api: 'm', generation: 3 })
  expect(await call('m', 'count')).toBe(2)
  const shown = await system.show('m')
  expect(shown).toMatchObject({ state: 'live', stale: true, last_error: { code: 'version_refused' } })
  expect(shown.last_error?.message).toContain('bad idea')
})

it('where the version before does not start any more, the one that failed is restarted, and switched off like any other', async () => {
  const onlyOnce = 'constructor() { if (globalThis.process.env.MM_TEST_WORSE) throw new Error("not again") } count() {}'
  system = await startSystem({ 'configs/m.yml': FAST, 'modules/m.js': `export class Module { ${onlyOnce} }` })
  process.env['MM_TEST_WORSE'] = '1'
  try {
    const tripped = system.event('service.tripped')
    system.root.write('modules/m.js', fails('throw new Error("bad idea")'))
    await tripped
  } finally {
    delete process.env['MM_TEST_WORSE']
  }
  const restarts = system.kernel.events.since(0).filter((event) => event.type === 'service.restarting')
  expect(restarts).toHaveLength(5)
  expect(await system.show('m')).toMatchObject({ state: 'tripped', last_error: { code: 'service_tripped' } })
})

it('one late error is counted, three are a failure', async () => {
  system = await startSystem({
    'configs/m.yml': FAST,
    'modules/m.js': `export class Module {
      constructor(kernel) { this.g = kernel.generation }
      late() { setTimeout(() => { throw new Error('late') }, 1) }
      generation() { return this.g }
    }`,
  })
  const faults = (count: number) => {
    let left = count
    return system.event('service.fault', () => --left === 0)
  }
  const two = faults(2)
  await call('m', 'late')
  await call('m', 'late')
  await two
  expect(await call('m', 'generation')).toBe(1)
  await call('m', 'late')
  await system.live('m', 2)
  expect(await call('m', 'generation')).toBe(2)
})

it('late errors that come while a start anew is owed do not count against the version that is started', async () => {
  system = await startSystem({
    'configs/m.yml': FAST,
    'modules/m.js': `export class Module {
      late(count) { for (let made = 0; made < count; made++) setTimeout(() => { throw new Error('late') }, 1) }
    }`,
  })
  const late = (count: number) => {
    let left = count
    const all = system.event('service.fault', () => --left === 0)
    return (system.getApi('m')['late'] as (count: number) => Promise<unknown>)(count).then(() => all)
  }
  const restarts = () => system.kernel.events.since(0).filter((event) => event.type === 'service.restarting').length
  await late(10)
  await system.live('m', 2)
  await late(2)
  expect(restarts()).toBe(1)
  await late(1)
  expect(restarts()).toBe(2)
  expect((await system.show('m')).errors).toBe(13)
})

it('one turn of timed work that fails is a late error: the next turn comes at its time', async () => {
  system = await startSystem({
    'configs/m.yml': FAST,
    'modules/m.js': `export class Module {
      #turns = 0
      constructor(kernel) {
        kernel.every(5, () => { if (++this.#turns === 1) throw new Error('one turn'); kernel.events.emit('turn.done', { n: this.#turns }) })
      }
    }`,
  })
  const done = await system.event('turn.done', (data) => Number(data['n']) >= 3)
  expect(done.data['n']).toBe(3)
  expect((await system.show('m')).generation).toBe(1)
})
