import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => system?.stop())

const call = (api: string, name: string, ...args: unknown[]): Promise<unknown> =>
  ((system as TestSystem).getApi(api)[name] as (...args: unknown[]) => Promise<unknown>)(...args)

const JOURNAL = `export class Module { lines: string[] = []; add(line: string) { this.lines.push(line) } read() { return this.lines } }`

it('what is owned is released in reverse order, each on its own, after the last call', async () => {
  system = await startSystem({
    'configs/journal.yml': '',
    'modules/journal.ts': JOURNAL,
    'configs/m.yml': '',
    'modules/m.ts': `export class Module {
      constructor(private k: any) {}
      async init() {
        const say = (line: string) => this.k.getApi('journal').add(line)
        this.k.own(() => say('first'), 'first')
        this.k.own({ [Symbol.dispose]: () => say('second') }, 'second')
        this.k.own(() => { throw new Error('third') }, 'third')
        this.k.own({ [Symbol.asyncDispose]: async () => say('fourth') }, 'fourth')
        const gone = this.k.own(() => say('early'), 'early')
        await gone(); await gone()
      }
      async slow() { await this.k.sleep(80); await this.k.getApi('journal').add('call'); return 1 }
      async shutdown() { await this.k.getApi('journal').add('shutdown') }
    }`,
  })
  await system.live('m')
  expect((await system.show('m')).owned.map((one) => one.label)).toEqual(['first', 'second', 'third', 'fourth'])
  const slow = call('m', 'slow')
  const drained = system.event('service.drained', (data) => data['api'] === 'm')
  await system.reload('m')
  await slow
  await drained
  expect(await call('journal', 'read')).toEqual(['early', 'early', 'call', 'shutdown', 'fourth', 'second', 'first'])
})

it('tasks of the old version end before those of the new one begin', async () => {
  system = await startSystem({
    'configs/journal.yml': '',
    'modules/journal.ts': JOURNAL,
    'configs/m.yml': '',
    'modules/m.ts': `export class Module {
      constructor(private k: any) {
        k.spawn('spawned', async (signal: AbortSignal) => { await this.say('spawned'); await new Promise((r) => signal.addEventListener('abort', r)) })
        k.every(5, () => this.ticks++, 'ticker')
        k.cron('* * * * * *', () => {}, 'second')
      }
      ticks = 0
      say(line: string) { return this.k.getApi('journal').add(line + this.k.generation) }
      async run(signal: AbortSignal) {
        await this.say('begin')
        while (!signal.aborted) await this.k.sleep(1_000, signal).catch(() => {})
        await new Promise((resolve) => setTimeout(resolve, 30))
        await this.say('end')
      }
      count() { return this.ticks }
    }`,
  })
  await system.live('m')
  await expect.poll(() => call('m', 'count')).toBeGreaterThan(2)
  expect(
    (await system.show('m')).owned
      .filter((one) => one.kind === 'task')
      .map((one) => one.label)
      .sort(),
  ).toEqual(['run()', 'second', 'spawned', 'ticker'])
  await system.reload('m')
  await expect.poll(async () => ((await call('journal', 'read')) as string[]).includes('begin2')).toBe(true)
  const lines = (await call('journal', 'read')) as string[]
  expect(lines.indexOf('end1')).toBeGreaterThan(0)
  expect(lines.indexOf('end1')).toBeLessThan(lines.indexOf('begin2'))
  expect(lines.indexOf('end1')).toBeLessThan(lines.indexOf('spawned2'))
})

it('a task that ignores its signal does not hold up the switch, and is told', async () => {
  system = await startSystem({
    'configs/m.yml': 'limits: {task_stop_ms: 50}',
    'modules/m.ts': `export class Module { async run() { await new Promise(() => {}) } hi() { return 1 } }`,
  })
  await system.live('m')
  const overrun = system.event('service.task_overrun')
  expect(await system.reload('m')).toMatchObject({ ok: true, generation: 2 })
  expect((await overrun).data).toMatchObject({ api: 'm', generation: 1, tasks: ['run()'] })
})

it('a failing task is a fault of its service with a place, and an aborted one is not', async () => {
  system = await startSystem({
    'configs/m.yml': '',
    'modules/m.ts': `export class Module {
  constructor(private k: any) {}
  async run(signal: AbortSignal) { await this.k.sleep(60_000, signal) }
  fail() { this.k.spawn('doomed', async () => { throw new Error('task no') }) }
}`,
  })
  await system.live('m')
  await system.reload('m')
  expect((await system.show('m')).last_error).toBeNull()
  const fault = system.event('service.fault')
  await call('m', 'fail')
  expect((await fault).data).toMatchObject({
    api: 'm',
    where: 'task doomed',
    error: { message: 'task no', file: 'modules/m.ts', line: 4 },
  })
})

it('sleep ends with its signal or its version; kernel calls of a version that ended are refused', async () => {
  system = await startSystem({
    'configs/m.yml': 'limits: {drain_ms: 30}',
    'modules/m.ts': `export class Module {
      constructor(private k: any) {}
      async slept() { try { await this.k.sleep(60_000) } catch (e) { return e.code } }
      async signalled() { const c = new AbortController(); setTimeout(() => c.abort(), 5); try { await this.k.sleep(60_000, c.signal) } catch (e) { return e.code } }
      keep() { return { ask: () => this.k.getApi('m').slept() } }
    }`,
  })
  await system.live('m')
  expect(await call('m', 'signalled')).toBe('stopped')
  const { ask } = (await call('m', 'keep')) as { ask(): Promise<unknown> }
  const slept = call('m', 'slept')
  const drained = system.event('service.drained')
  await system.reload('m')
  expect((await drained).data['clean']).toBe(false)
  expect(await slept).toBe('stopped')
  await expect(ask()).rejects.toMatchObject({ code: 'caller_stopped' })
})

it('the tree of everything owned can be printed', async () => {
  system = await startSystem({
    'configs/m.yml': '',
    'modules/m.ts': `export class Module { constructor(k: any) { k.own(() => {}, 'a thing'); k.events.on('x.*', () => {}) } async run(s: AbortSignal) { await new Promise((r) => s.addEventListener('abort', r)) } }`,
  })
  await system.live('m')
  const tree = await (system.getApi('kernel')['tree'] as (api: string) => Promise<string>)('m')
  expect(tree.split('\n')).toEqual(['m  live  g1', '  task   run()', '  owned  a thing', '  owned  on x.*'])
})
