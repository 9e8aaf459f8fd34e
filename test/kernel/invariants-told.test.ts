/** The invariants of a reload by their numbers, I7–I11: what is told of it, and what a start makes of the same files. */
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { KernelServiceApi, KernelStatus, ServiceDetail } from '../../modules/contracts/kernel.ts'
import { random, underCalls, type Random } from '../support/load.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { stateful, type Stateful } from '../support/stateful.ts'
import { startSystem, type TestSystem } from '../support/system.ts'
import { zoo, zooSource, type Counter } from '../support/zoo.ts'

const systems: TestSystem[] = []
afterEach(async () => {
  for (const one of systems.splice(0)) await one.stop()
})

async function start(files: Record<string, string> | TestRoot): Promise<TestSystem> {
  const system = await startSystem(files)
  systems.push(system)
  return system
}

/** Another system on the same files, as a restart would find them. */
async function restarted(running: TestSystem): Promise<TestSystem> {
  const root = createRoot()
  for (const folder of ['configs', 'modules', 'runtime'])
    cpSync(join(running.root.path, folder), join(root.path, folder), { recursive: true })
  return start(root)
}

it('I7 /health tells the generation of each service, and that what is on disk does not run; ok means serving', async () => {
  const running = await start({
    ...zoo('counter'),
    'configs/http.yml': 'prog: services/http\nport: 0',
    'configs/tools.yml': 'prog: services/tools',
  })
  const { url } = JSON.parse(running.root.read('runtime/http.json')) as { url: string }
  const authorization = `Bearer ${running.root.read('runtime/token').trim()}`
  const get = async <T>(path: string): Promise<T> =>
    (await (await fetch(url + path, { headers: { authorization } })).json()) as T
  const health = (): Promise<Pick<KernelStatus, 'status' | 'services'>> => get('/health')
  const counter = (): Promise<ServiceDetail> => get('/api/services/counter')
  expect(await health()).toMatchObject({ status: 'ok', services: { counter: { state: 'live', generation: 1 } } })
  running.root.write('modules/counter.ts', zooSource('counter', 2))
  await running.live('counter', 2)
  expect(await health()).toMatchObject({ status: 'ok', services: { counter: { state: 'live', generation: 2 } } })
  expect(await counter()).toMatchObject({ stale: false })
  const refused = running.event('service.refused')
  running.root.write('modules/counter.ts', 'export class Module {')
  await refused
  expect(await health()).toMatchObject({ status: 'degraded', services: { counter: { state: 'live', generation: 2 } } })
  expect(await counter()).toMatchObject({ stale: true, last_error: { code: 'source_syntax' } })
  expect(await running.getApi<Counter>('counter').version()).toBe(2)
  running.root.write('modules/counter.ts', zooSource('counter', 3))
  await running.live('counter', 3)
  expect(await health()).toMatchObject({ status: 'ok' })
})

it('I8 what is on disk, what is live and what ran are told apart', async () => {
  const source = (version: number): string =>
    stateful(
      `async slow() { this.k.events.emit('slow.began'); await this.k.sleep(150); return ${version} }`,
      version,
    ).replace('n = 0', `static reload = 'overlap'\n  n = 0`)
  const running = await start({ 'configs/m.yml': '', 'modules/m.ts': source(1) })
  const m = running.getApi<Stateful & { slow(): Promise<number> }>('m')
  const first = await running.show('m')
  expect(first.disk_hash).toBe(first.source_hash)
  const began = running.event('slow.began')
  const ran = m.with({ detail: true })['slow']?.()
  await began
  running.root.write('modules/m.ts', source(2))
  await running.live('m', 2)
  const second = await running.show('m')
  expect(second.source_hash).not.toBe(first.source_hash)
  expect(second).toMatchObject({
    generation: 2,
    draining: [{ generation: 1, in_flight: 1 }],
    disk_hash: second.source_hash,
  })
  expect(await ran).toMatchObject({ result: 1, generation: 1 })
  const refused = running.event('service.refused')
  running.root.write('modules/m.ts', source(3).slice(0, -2))
  await refused
  const third = await running.show('m')
  expect(third).toMatchObject({ generation: 2, source_hash: second.source_hash, stale: true })
  expect(third.disk_hash).not.toBe(third.source_hash)
  running.root.write('configs/m.yml', 'more: 1')
  running.root.write('modules/m.ts', source(2))
  await running.live('m', 3)
  const fourth = await running.show('m')
  expect([fourth.source_hash, fourth.disk_hash]).toEqual([second.source_hash, second.source_hash])
  expect(fourth.config_hash).not.toBe(second.config_hash)
})

const NAMES = ['a', 'b', 'c', 'd']

/** Each has a helper of its own: services that share one wait for each other, which a start does not. */
const sourceOf = (name: string, n: number): string =>
  `import { helper } from './${name}/helper.ts'\nexport class Module { answer() { return ${n} + helper } }`

/** One thing a person may do to the files. Half of the broken ones are mended by a later edit. */
function change(root: TestRoot, dice: Random, n: number): void {
  const name = NAMES[dice.between(0, NAMES.length - 1)] ?? ''
  const save = dice.next() < 0.5 ? 'write' : 'writeByRename'
  const changes: (() => void)[] = [
    () => root[save](`modules/${name}.ts`, sourceOf(name, n)),
    () => root[save](`modules/${name}.ts`, 'export class Module {'),
    () => root[save](`modules/${name}/helper.ts`, `export const helper = ${n}`),
    () => root[save](`configs/${name}.yml`, `size: ${n}`),
    () => root[save](`configs/${name}.yml`, `size: [${n}`),
    () => root[save](`configs/${name}-v${n}.yml`, `size: ${n}`),
    () => root[save](`configs/${name}.yml`, `api: ${name}${n % 2}\nprog: ${name}`),
    () => root.remove(`configs/${name}.yml`),
    () => root.remove(`modules/${name}.ts`),
  ]
  changes[dice.between(0, changes.length - 1)]?.()
}

/**
 * What a person sees: each service as it is configured and what is wrong with it. A config that cannot be used is an
 * error of its file; that an incumbent serves on behind it is what a start cannot know.
 */
async function seen(running: TestSystem): Promise<unknown> {
  const kernel = running.getApi<KernelServiceApi>('kernel')
  const { config_errors } = await kernel.status()
  const services: Record<string, unknown> = {}
  for (const one of await kernel.services()) {
    const { api, prog, config_file, disk_hash, config_hash, last_error, state, stale, waiting_for } = one
    if (api === 'kernel' || last_error?.code.startsWith('config_') === true) continue
    const well = state === 'live' && !stale && last_error === null
    services[api] = well
      ? { prog, config_file, disk_hash, config_hash }
      : { prog, state: last_error === null ? state : undefined, wrong: last_error?.code ?? waiting_for }
  }
  return { services, errors: config_errors.map(({ code, file }) => `${file} ${code}`).toSorted() }
}

it.each([1, 2, 3, 4, 5, 6])(
  'I9 after any changes (seed %i), a running system is what a start on the same files is',
  async (seed) => {
    const dice = random(seed)
    const files: Record<string, string> = {}
    for (const name of NAMES) {
      files[`configs/${name}.yml`] = ''
      files[`modules/${name}.ts`] = sourceOf(name, 0)
      files[`modules/${name}/helper.ts`] = 'export const helper = 0'
    }
    const running = await start(files)
    for (let n = 1; n <= 15; n++) {
      change(running.root, dice, n)
      if (dice.next() < 0.5) await running.kernel.settled()
    }
    const cold = await seen(await restarted(running))
    await expect.poll(() => seen(running), { timeout: 10_000 }).toEqual(cold)
  },
)

it('I10 a version that fails when it is live: the last good one serves, says so, and the file stays', async () => {
  const failing = stateful(`async run() { await this.k.sleep(20); throw new Error('late') }`, 2)
  const running = await start({ 'configs/m.yml': '', 'modules/m.ts': stateful() })
  const m = running.getApi<Stateful>('m')
  const { failed } = await underCalls(
    4,
    () => m.get(),
    async () => {
      await m.add()
      const back = running.event('service.rolled_back')
      running.root.write('modules/m.ts', failing)
      expect((await back).data).toMatchObject({ api: 'm', reason: expect.stringContaining('late') as string })
      await expect.poll(() => m.version()).toBe(1)
    },
  )
  expect(failed).toEqual([])
  expect(await m.get()).toBe(1)
  expect(running.root.read('modules/m.ts')).toBe(failing)
  expect(await running.show('m')).toMatchObject({ state: 'live', stale: true, last_error: { code: 'version_refused' } })
  // What serves is kept first, then what does not.
  await expect.poll(() => existsSync(join(running.root.path, 'runtime/refused.json'))).toBe(true)
  const next = await restarted(running)
  expect(next.root.read('modules/m.ts')).toBe(failing)
  expect(await next.show('m')).toMatchObject({ state: 'live', stale: true, last_error: { code: 'version_refused' } })
  expect(await next.getApi<Stateful>('m').version()).toBe(1)
  next.root.write('modules/m.ts', stateful('', 3))
  await next.live('m', 2)
  expect(await next.getApi<Stateful>('m').version()).toBe(3)
})

it('I11 a rollback to a version older than the config and the state: it gets its own config, and the state it knows', async () => {
  const source = (version: number, shape: string): string => `
import { z } from 'zod'
export const configSchema = z.strictObject({ ${version === 1 ? 'size' : 'width'}: z.number() })
export class Module {
  static version = '${shape}'
  n = 0
  constructor(private k: unknown, private config: Record<string, number>) {}
  version() { return ${version} }
  config_() { return this.config }
  add() { return ++this.n }
  get() { return this.n }
  handOver() { return ${shape === '1' ? 'this.n' : '{ count: this.n }'} }
  takeOver(state: any, from: string) {
    if (from !== '1' && from !== '${shape}') throw new Error('a shape I do not know: ' + from)
    this.n = from === '1' ? state : state.count
  }
}`
  const running = await start({ 'configs/m.yml': 'size: 4', 'modules/m.ts': source(1, '1') })
  const kernel = running.getApi<KernelServiceApi>('kernel')
  const m = running.getApi<Stateful & { config_(): Record<string, number> }>('m')
  await Promise.all([m.add(), m.add()])
  running.root.writeByRename('configs/m.yml', 'width: 9')
  running.root.writeByRename('modules/m.ts', source(2, '2'))
  await running.live('m', 2)
  expect([await m.version(), await m.get(), await m.config_()]).toEqual([2, 2, { width: 9 }])
  await m.add()
  expect(await kernel.rollback('m')).toMatchObject({ ok: true, rolled_back: true, state: 'restored', generation: 3 })
  expect([await m.version(), await m.get(), await m.config_()]).toEqual([1, 2, { size: 4 }])
  expect(running.root.read('configs/m.yml')).toBe('width: 9')
  running.root.writeByRename('modules/m.ts', source(3, '2'))
  await running.live('m', 4)
  expect([await m.version(), await m.get(), await m.config_()]).toEqual([3, 2, { width: 9 }])
})
