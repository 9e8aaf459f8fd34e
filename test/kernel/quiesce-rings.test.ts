/** Calls and reloads that depend on each other while a service becomes quiet: nobody waits for who waits for it. */
import { afterEach, expect, it } from 'vitest'
import type { ReloadResult } from '../../modules/contracts/kernel.ts'
import { underCalls } from '../support/load.ts'
import { stateful, type Stateful } from '../support/stateful.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

const start = async (files: Record<string, string>): Promise<TestSystem> => (system = await startSystem(files))

it('A → B → A while A becomes quiet: the call passes, new ones wait, and the state goes over', async () => {
  const a = (version: number): string =>
    stateful(
      `async outer() {
        this.k.events.emit('outer.began')
        await new Promise((resolve) => this.k.events.on('outer.goes.on', resolve))
        return this.k.getApi('b').back()
      }
      inner() { return 'inner of ${version}, n ' + this.n }`,
      version,
    )
  const running = await start({
    'configs/a.yml': '',
    'configs/b.yml': '',
    'modules/a.ts': a(1),
    'modules/b.ts': `export class Module {
      constructor(private k: any) {}
      back() { return this.k.getApi('a').inner() }
      goOn() { this.k.events.emit('outer.goes.on') }
    }`,
  })
  const handle = running.getApi<Stateful & { outer(): Promise<string> }>('a')
  await handle.add()
  const began = running.event('outer.began')
  const outer = handle.outer()
  await began
  running.root.write('modules/a.ts', a(2))
  await expect.poll(() => running.kernel.status().services['a']?.state).toBe('switching')
  const waited = handle.version()
  await running.getApi<{ goOn(): Promise<void> }>('b').goOn()
  expect(await outer).toBe('inner of 1, n 1')
  expect(await waited).toBe(2)
  expect(await handle.get()).toBe(1)
})

it('calls that wait go on in their order with the new version; they are bounded, and have their deadlines', async () => {
  const source = (version: number): string =>
    stateful(`async slow() { this.k.events.emit('slow.began'); await this.k.sleep(150) }`, version)
  const running = await start({
    'configs/m.yml': 'limits: {queue_calls_max: 4}',
    'modules/m.ts': source(1),
  })
  const m = running.getApi<Stateful & { slow(): Promise<void> }>('m')
  const began = running.event('slow.began')
  const slow = m.slow()
  await began
  running.root.write('modules/m.ts', source(2))
  await expect.poll(() => running.kernel.status().services['m']?.state).toBe('switching')
  const late = rejection(m.with({ deadlineMs: 10 }).add())
  const added = [m.add(), m.add(), m.add()]
  expect(await rejection(m.add())).toMatchObject({ code: 'queue_full' })
  // Whoever has given up waits no longer, and what it asked for is not done after all.
  expect(await late).toMatchObject({ code: 'deadline_exceeded' })
  expect(await m.version()).toBe(2)
  expect(await Promise.all(added)).toEqual([1, 2, 3])
  expect(await m.get()).toBe(3)
  await slow
})

it.each(['itself', 'itself through another'])(
  'a module that reloads %s is told at once, and it follows',
  async (way) => {
    const target = way === 'itself' ? `this.k.getApi('kernel').reload('a')` : `this.k.getApi('b').reload('a')`
    const running = await start({
      'configs/a.yml': '',
      'configs/b.yml': '',
      'modules/a.ts': stateful(`async renew() { const result = await ${target}; this.n++; return result }`),
      'modules/b.ts': `export class Module { constructor(private k: any) {} reload(api: string) { return this.k.getApi('kernel').reload(api) } }`,
    })
    const a = running.getApi<Stateful & { renew(): Promise<ReloadResult> }>('a')
    const { failed } = await underCalls(
      4,
      () => a.get(),
      async () => {
        for (let round = 1; round <= 5; round++) {
          const live = running.event('service.live', (data) => data['api'] === 'a')
          expect(await a.renew()).toMatchObject({ ok: true, deferred: true, generation: round, error: null })
          expect((await live).data).toMatchObject({ generation: round + 1, state: 'carried' })
        }
      },
    )
    expect(failed).toEqual([])
    expect(await a.get()).toBe(5)
  },
)

it('two modules that reload each other: both come to their end, and no call is lost', async () => {
  const each = (other: string): string =>
    stateful(`async renew() { this.n++; return this.k.getApi('kernel').reload('${other}') }`)
  const running = await start({
    'configs/a.yml': '',
    'configs/b.yml': '',
    'modules/a.ts': each('b'),
    'modules/b.ts': each('a'),
  })
  type Each = Stateful & { renew(): Promise<ReloadResult> }
  const [a, b] = [running.getApi<Each>('a'), running.getApi<Each>('b')]
  const deferred: unknown[] = []
  running.kernel.events.on('service.deferred', (event) => deferred.push(event.data))
  const { failed } = await underCalls(
    8,
    (caller) => (caller % 2 === 0 ? a.get() : b.get()),
    async () => {
      for (let round = 1; round <= 3; round++) {
        const [before, after] = [running.kernel.status().services, round * 2]
        const live = ['a', 'b'].map((api) => running.live(api, (before[api]?.generation ?? 0) + 1))
        const results = await Promise.all([a.renew(), b.renew()])
        for (const result of results) expect(result).toMatchObject({ ok: true, error: null })
        await Promise.all(live)
        expect((await a.get()) + (await b.get())).toBe(after)
      }
    },
  )
  expect(failed).toEqual([])
  expect(deferred).toEqual([])
})

it('services that share a helper, and call each other all the time, become quiet together', async () => {
  const helper = (version: number): string => `export const helper = ${version}`
  const withHelper = (more: string): string =>
    `import { helper } from './helper.ts'\n${stateful(`shared() { return helper }\n${more}`)}`
  const running = await start({
    'configs/a.yml': '',
    'configs/b.yml': '',
    'modules/helper.ts': helper(1),
    'modules/a.ts': withHelper(`async both() { await this.k.sleep(2); return this.k.getApi('b').add() }`),
    'modules/b.ts': withHelper(''),
  })
  interface Shared {
    shared(): number
    both(): Promise<number>
    get(): number
  }
  const [a, b] = [running.getApi<Shared>('a'), running.getApi<Shared>('b')]
  let added = 0
  const deferred: unknown[] = []
  running.kernel.events.on('service.deferred', (event) => deferred.push(event.data))
  const { failed } = await underCalls(
    8,
    async () => {
      await a.both()
      added++
    },
    async () => {
      for (let version = 2; version <= 6; version++) {
        const live = ['a', 'b'].map((api) => running.live(api, version))
        running.root.writeByRename('modules/helper.ts', helper(version))
        await Promise.all(live)
        expect([await a.shared(), await b.shared()]).toEqual([version, version])
      }
    },
  )
  expect(failed).toEqual([])
  expect(await b.get()).toBe(added)
  expect(deferred).toEqual([])
})
