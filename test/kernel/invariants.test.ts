/**
 * The invariants of a reload, each one an outage somebody had, by their numbers: I1–I6 here, I7–I11 in
 * `invariants-told.test.ts`.
 */
import { afterEach, expect, it } from 'vitest'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import { underCalls } from '../support/load.ts'
import { stateful, type Stateful } from '../support/stateful.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'
import { zoo, zooSource, type Animal } from '../support/zoo.ts'

let system: TestSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

const start = async (files: Record<string, string>): Promise<TestSystem> => (system = await startSystem(files))

const ZOO: Animal[] = ['counter', 'cron', 'echo', 'journal', 'queue', 'steps']

const BREAKS: [name: string, broken: (source: string) => string][] = [
  ['does not parse', (source) => source.slice(0, -3)],
  ['throws when it is read', (source) => `${source}\nthrow new Error('read')`],
  ['cannot be constructed', (source) => source.replace('this.#kernel = kernel', `throw new Error('constructed')`)],
  ['imports what is not there', (source) => `import './none.ts'\n${source}`],
  [
    'refuses its own test',
    (source) => source.replace('  version()', `  selfTest() { throw new Error('no') }\n  version()`),
  ],
]

it.each(BREAKS)('I1 a version that %s never removes the incumbent, whatever kind it is', async (_name, broken) => {
  const running = await start(zoo(...ZOO))
  const versions = (): Promise<number[]> =>
    Promise.all(ZOO.map((name) => running.getApi<{ version(): number }>(name).version()))
  const { failed } = await underCalls(4, versions, async () => {
    const refused = ZOO.map((name) => running.event('service.refused', ({ api }) => api === name))
    for (const name of ZOO) running.root.write(`modules/${name}.ts`, broken(zooSource(name, 2)))
    await Promise.all(refused)
  })
  expect(failed).toEqual([])
  expect(await versions()).toEqual([1, 1, 1, 1, 1, 1])
  for (const name of ZOO) expect(await running.show(name)).toMatchObject({ state: 'live', generation: 1, stale: true })
})

it('I2 a call admitted on a version finishes on it: its code, its helper, its config', async () => {
  const files = (version: number): Record<string, string> => ({
    'configs/m.yml': `size: ${version}`,
    'modules/helper.ts': `export const helper = () => 'helper ${version}'`,
    'modules/m.ts': `
import { helper } from './helper.ts'
export class Module {
  constructor(private k: any, private config: { size: number }) {}
  now() { return 'source ${version}, ' + helper() + ', size ' + this.config.size }
  async later(ms: number) { this.k.events.emit('call.began'); await this.k.sleep(ms); return this.now() }
  async *stream() { for (let i = 0; i < 30; i++) { yield this.now(); await this.k.sleep(10) } }
}`,
  })
  const said = (version: number): string => `source ${version}, helper ${version}, size ${version}`
  const running = await start(files(1))
  const m = running.getApi<{ now(): string; later(ms: number): Promise<string>; stream(): AsyncGenerator<string> }>('m')
  const open: Promise<string[]>[] = []
  const read = async (): Promise<string[]> => {
    const all = new Set<string>()
    for await (const item of m.stream()) all.add(item)
    return [...all]
  }
  for (let version = 1; version <= 5; version++) {
    const began = running.event('call.began')
    open.push(
      m.later(300).then((answer) => [answer]),
      read(),
    )
    await began
    const drained = version === 1 ? undefined : running.live('m', version)
    for (const [file, text] of Object.entries(files(version + 1))) running.root.writeByRename(file, text)
    await drained
    await expect.poll(() => m.now()).toBe(said(version + 1))
  }
  const answers = await Promise.all(open)
  expect(answers).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5].map((version) => [said(version)]))
})

it('I3 a call made during a switch is held or served: never refused, whatever the switch', async () => {
  const slowStart = (version: number, kind: string): string =>
    stateful('async init() { await this.k.sleep(20) } async shutdown() { await this.k.sleep(20) }', version).replace(
      'n = 0',
      `${kind}\n  n = 0`,
    )
  const KINDS: Record<string, string> = {
    overlap: `static reload = 'overlap'`,
    quiesce: `static reload = 'quiesce'`,
    exclusive: 'static exclusive = true',
  }
  const names = Object.keys(KINDS)
  const files = (version: number): Record<string, string> =>
    Object.fromEntries(names.map((name) => [`modules/${name}.ts`, slowStart(version, KINDS[name] ?? '')]))
  const running = await start({ ...files(1), ...Object.fromEntries(names.map((name) => [`configs/${name}.yml`, ''])) })
  const { failed, calls } = await underCalls(
    12,
    async (caller) => {
      const m = running.getApi<Stateful>(names[caller % 3] ?? '')
      await (caller % 2 === 0 ? m.get() : m.with({ deadlineMs: 10_000 }).add())
    },
    async () => {
      for (let version = 2; version <= 11; version++) {
        const live = names.map((name) => running.live(name, version))
        for (const [file, text] of Object.entries(files(version))) running.root.write(file, text)
        await Promise.all(live)
      }
    },
  )
  expect(failed).toEqual([])
  expect(calls).toBeGreaterThan(100)
  for (const name of names) expect(running.kernel.services.get(name)?.refusedCalls).toBe(0)
})

it('I4 a reload disturbs nobody but those who depend on the file, and the plan names them before', async () => {
  const helped = (name: string): string =>
    `import { helper } from './helper.ts'\nexport class Module { answer() { return '${name} ' + helper } }`
  const running = await start({
    ...zoo('steps', 'echo'),
    'configs/one.yml': '',
    'configs/two.yml': 'needs: [one]',
    'configs/three.yml': '',
    'modules/helper.ts': 'export const helper = 1',
    'modules/one.ts': helped('one'),
    'modules/two.ts': `export class Module { async init() {} async slow() { await new Promise((r) => setTimeout(r, 200)); return 'two' } }`,
    'modules/three.ts': helped('three'),
  })
  const kernel = running.getApi<KernelServiceApi>('kernel')
  const text = 'export const helper = 2'
  const planned = await kernel.plan([{ path: 'modules/helper.ts', text }])
  const touched = planned.filter(({ change }) => change !== 'none').map(({ api }) => api)
  expect(touched.toSorted()).toEqual(['one', 'three'])
  const disturbed: unknown[] = []
  running.kernel.events.on('service.*', ({ type, data }) => disturbed.push(`${type} ${String(data['api'])}`))
  const slow = running.getApi<{ slow(): Promise<string> }>('two').slow()
  const live = ['one', 'three'].map((api) => running.live(api, 2))
  running.root.write('modules/helper.ts', text)
  await Promise.all(live)
  expect(await slow).toBe('two')
  await running.kernel.settled()
  expect(disturbed.filter((told) => !/ (one|three)$/.test(String(told)))).toEqual([])
  for (const api of ['two', 'steps', 'echo', 'journal']) expect((await running.show(api)).generation).toBe(1)
})

it('I5 the whole import graph is reloaded: .js, .mjs, .json and a folder', async () => {
  const files: Record<string, (n: number) => string> = {
    'modules/a.js': (n) => `import { b } from './b.mjs'\nexport const a = () => 'a${n} ' + b()`,
    'modules/b.mjs': (n) =>
      `import c from './c.json' with { type: 'json' }\nimport { d } from './d/index.ts'\nexport const b = () => 'b${n} c' + c.n + ' ' + d`,
    'modules/c.json': (n) => `{"n": ${n}}`,
    'modules/d/index.ts': (n) => `export const d: string = 'd${n}'`,
  }
  const running = await start({
    'configs/m.yml': '',
    'modules/m.ts': `import { a } from './a.js'\nexport class Module { answer() { return a() } }`,
    ...Object.fromEntries(Object.entries(files).map(([file, text]) => [file, text(1)])),
  })
  const m = running.getApi<{ answer(): string }>('m')
  expect(await m.answer()).toBe('a1 b1 c1 d1')
  let expected = 'a1 b1 c1 d1'
  let generation = 1
  for (const [file, text] of Object.entries(files)) {
    const name = /(\w)(?:\/index)?\.\w+$/.exec(file)?.[1] ?? ''
    running.root.write(file, text(2))
    await running.live('m', ++generation)
    expected = expected.replace(`${name}1`, `${name}2`)
    expect(await m.answer()).toBe(expected)
  }
  expect(expected).toBe('a2 b2 c2 d2')
})

const NEVER = `async never() { this.k.events.emit('never.began'); await new Promise(() => {}) }`

it('I6 work that never drains cannot leave half of it replaced: overlapping, the new version serves', async () => {
  const source = (version: number): string =>
    stateful(NEVER, version).replace('n = 0', `static reload = 'overlap'\n  n = 0`)
  const running = await start({ 'configs/m.yml': 'limits: {drain_ms: 60}', 'modules/m.ts': source(1) })
  const m = running.getApi<Stateful & { never(): Promise<void> }>('m')
  const began = running.event('never.began')
  const never = rejection(m.with({ deadlineMs: 20_000 }).never())
  await began
  const drained = running.event('service.drained')
  running.root.write('modules/m.ts', source(2))
  await running.live('m', 2)
  expect(await m.version()).toBe(2)
  expect((await drained).data).toMatchObject({ generation: 1, clean: false })
  expect(await never).toMatchObject({ code: 'generation_retired' })
  expect(await running.show('m')).toMatchObject({ state: 'live', generation: 2, draining: [] })
})

it('I6 work that never drains, with state to hand over: all of a group stay, and go on with it', async () => {
  const source = (name: string): string =>
    `import { helper } from './helper.ts'\n${stateful(`${name === 'x' ? NEVER : ''} shared() { return helper }`)}`
  const running = await start({
    'configs/x.yml': 'limits: {quiesce_ms: 40}',
    'configs/y.yml': '',
    'modules/helper.ts': 'export const helper = 1',
    'modules/x.ts': source('x'),
    'modules/y.ts': source('y'),
  })
  type Shared = Stateful & { shared(): number; never(): Promise<void> }
  const [x, y] = [running.getApi<Shared>('x'), running.getApi<Shared>('y')]
  const began = running.event('never.began')
  void x.never()
  await began
  await Promise.all([x.add(), y.add(), y.add()])
  const { failed } = await underCalls(
    4,
    (caller) => (caller % 2 === 0 ? x.get() : y.get()),
    async () => {
      const put = ['x', 'y'].map((name) => running.event('service.deferred', ({ api }) => api === name))
      running.root.write('modules/helper.ts', 'export const helper = 2')
      await Promise.all(put)
    },
  )
  expect(failed).toEqual([])
  expect([await x.shared(), await y.shared(), await x.get(), await y.get()]).toEqual([1, 1, 1, 2])
})
