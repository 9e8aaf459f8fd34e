/** The last thing saved is the thing that runs, however it was saved and whatever was going on. */
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { SAVES, type Save } from '../support/editors.ts'
import { underCalls } from '../support/load.ts'
import { createRoot } from '../support/root.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

interface Numbered {
  version(): number
  slow(ms: number): Promise<string>
}

/** What is cut off anywhere is no module: a half-saved file cannot be taken for a whole one. */
const source = (version: number, initMs = 0): string => `
export class Module {
  constructor(private readonly kernel: { sleep(ms: number): Promise<void> }) {}
  async init() { await this.kernel.sleep(${initMs}) }
  version() { return ${version} }
  async slow(ms: number) { await this.kernel.sleep(ms); return 'done' }
  // ${'.'.repeat(2_000)}
}
`

const start = async (): Promise<TestSystem> => {
  system = await startSystem({ 'configs/m.yml': '', 'modules/m.ts': source(0) })
  await system.live('m')
  return system
}

const calling = (running: TestSystem) => {
  const m = running.getApi<Numbered>('m')
  return async (caller: number, n: number): Promise<void> => {
    if (caller % 2 === 0) await m.version()
    else if ((await m.slow(n % 10)) !== 'done') throw new Error('a wrong answer')
  }
}

const SAVES_EACH = 10

it.each(Object.entries(SAVES))('saved %s: each save goes live whole, and no call fails', async (_name, save) => {
  const running = await start()
  const path = join(running.root.path, 'modules/m.ts')
  const answers: number[] = []
  const { failed } = await underCalls(4, calling(running), async () => {
    for (let version = 1; version <= SAVES_EACH; version++) {
      const live = running.live('m', version + 1)
      await save(path, source(version))
      await live
      answers.push(await running.getApi<Numbered>('m').version())
    }
  })
  expect(failed).toEqual([])
  expect(answers).toEqual(Array.from({ length: SAVES_EACH }, (_, index) => index + 1))
  expect(await running.show('m')).toMatchObject({ stale: false, last_error: null, generation: SAVES_EACH + 1 })
})

it.each(Object.entries(SAVES))('a config saved %s ends as it was saved last', async (_name, save) => {
  system = await startSystem({
    'configs/m.yml': 'size: 0',
    'modules/m.ts':
      'export class Module { constructor(_k: unknown, private config: { size: number }) {} size() { return this.config.size } }',
  })
  const running = system
  const m = running.getApi<{ size(): number }>('m')
  const { failed } = await underCalls(
    4,
    () => m.size(),
    async () => {
      for (let size = 1; size <= SAVES_EACH; size++) {
        await save(join(running.root.path, 'configs/m.yml'), `# ${'.'.repeat(500)}\nsize: ${size}\n# end\n`)
        await expect.poll(() => m.size(), { timeout: 5_000 }).toBe(size)
      }
    },
  )
  expect(failed).toEqual([])
})

it('100 edits, each saved before the one before is live, in every manner: the last one is live, no call fails', async () => {
  const running = await start()
  const path = join(running.root.path, 'modules/m.ts')
  const saves = Object.values(SAVES)
  const { failed, calls } = await underCalls(6, calling(running), async () => {
    for (let version = 1; version <= 100; version++) {
      await (saves[version % saves.length] as Save)(path, source(version))
    }
    await expect.poll(() => running.getApi<Numbered>('m').version(), { timeout: 5_000 }).toBe(100)
  })
  expect(failed).toEqual([])
  expect(calls).toBeGreaterThan(100)
  expect(await running.show('m')).toMatchObject({ stale: false, last_error: null })
})

it('100 edits as fast as they can be written: skipped versions never run, the last one does', async () => {
  const running = await start()
  const { failed } = await underCalls(6, calling(running), async () => {
    for (let version = 1; version <= 100; version++) {
      running.root[version % 2 === 0 ? 'write' : 'writeByRename']('modules/m.ts', source(version))
      if (version % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await expect.poll(() => running.getApi<Numbered>('m').version(), { timeout: 5_000 }).toBe(100)
  })
  expect(failed).toEqual([])
  await expect.poll(async () => (await running.show('m')).stale).toBe(false)
})

it('edits while a slow init is under way: the version that starts is given up for the newer one', async () => {
  const running = await start()
  const { failed } = await underCalls(4, calling(running), async () => {
    for (let version = 1; version <= 5; version++) {
      const starting = running.event('service.starting')
      running.root.writeByRename('modules/m.ts', source(version, 10_000))
      await starting
    }
    expect(await running.getApi<Numbered>('m').version()).toBe(0)
    running.root.writeByRename('modules/m.ts', source(6, 20))
    await running.live('m', 2)
  })
  expect(failed).toEqual([])
  expect(await running.getApi<Numbered>('m').version()).toBe(6)
  expect((await running.show('m')).generation).toBe(2)
})

it('an edit back to what runs, while the other version starts, leaves what runs', async () => {
  const running = await start()
  const { failed } = await underCalls(4, calling(running), async () => {
    const starting = running.event('service.starting')
    running.root.writeByRename('modules/m.ts', source(1, 10_000))
    await starting
    running.root.writeByRename('modules/m.ts', source(0))
    await running.kernel.settled()
    await expect.poll(async () => (await running.show('m')).stale).toBe(false)
  })
  expect(failed).toEqual([])
  expect(await running.show('m')).toMatchObject({ state: 'live', generation: 1, last_error: null })
})

it('an edit and a reload asked for during boot: calls wait, and what was saved last answers', async () => {
  const root = createRoot({ 'configs/m.yml': '', 'modules/m.ts': source(0, 150) })
  system = await startSystem(root, { settle: false })
  const running = system
  const early = running.getApi<Numbered>('m').version()
  root.write('modules/m.ts', source(1, 20))
  const result = await running.reload('m')
  expect(result.ok).toBe(true)
  expect(await early).toBe(1)
  await running.kernel.settled()
  expect(await running.getApi<Numbered>('m').version()).toBe(1)
  expect(await running.show('m')).toMatchObject({ state: 'live', stale: false, last_error: null })
})
