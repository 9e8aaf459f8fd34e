/** Making a service quiet for its new version: what passes, what waits, what puts the reload off. */
import { afterEach, expect, it } from 'vitest'
import { underCalls } from '../support/load.ts'
import { stateful, type Stateful } from '../support/stateful.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

const start = async (files: Record<string, string>): Promise<TestSystem> => (system = await startSystem(files))

it("a task's own calls to its service pass until it has ended", async () => {
  const source = (version: number): string =>
    stateful(
      `async run(signal: AbortSignal) {
        const self = this.k.getApi('m')
        while (!signal.aborted) {
          await self.add()
          await this.k.sleep(2)
          this.k.events.emit('round.done', { n: await self.get() })
        }
      }`,
      version,
    )
  const running = await start({ 'configs/m.yml': '', 'modules/m.ts': source(1) })
  const rounds: number[] = []
  running.kernel.events.on('round.done', (event) => rounds.push(Number(event.data['n'])))
  for (let version = 2; version <= 20; version++) {
    const round = running.event('round.done')
    running.root.writeByRename('modules/m.ts', source(version))
    await running.live('m', version)
    await round
  }
  expect(rounds).toEqual(Array.from({ length: rounds.length }, (_, n) => n + 1))
})

const STUBBORN = (version: number): string =>
  stateful(
    `free = false
    async run() {
      this.k.events.emit('run.began', { version: ${version} })
      while (!this.free) await new Promise<void>((resolve) => this.k.events.on('let.go', () => resolve()))
    }
    letGo() { this.free = true; this.k.events.emit('let.go') }`,
    version,
  )

it('a task that does not end in time puts the reload off: the incumbent serves on, and it is tried again', async () => {
  const running = await start({ 'configs/m.yml': 'limits: {quiesce_ms: 40}', 'modules/m.ts': STUBBORN(1) })
  const m = running.getApi<Stateful & { letGo(): void }>('m')
  const { failed } = await underCalls(
    4,
    () => m.get(),
    async () => {
      await m.add()
      running.root.write('modules/m.ts', STUBBORN(2))
      const result = await running.reload('m')
      expect(result).toMatchObject({ ok: false, deferred: true, generation: 1, error: { code: 'reload_deferred' } })
      expect(result.error?.message).toContain('run()')
      expect(await m.version()).toBe(1)
      expect(await m.add()).toBe(2)
      const began = running.event('run.began', (data) => data['version'] === 2)
      const live = running.live('m', 2)
      await m.letGo()
      await Promise.all([live, began])
    },
  )
  expect(failed).toEqual([])
  expect(await m.version()).toBe(2)
  expect(await m.get()).toBe(2)
})

it('what was aborted for a reload that was put off is started again, with a new signal', async () => {
  const source = (version: number): string =>
    stateful(
      `async run(signal: AbortSignal) {
        this.k.events.emit('run.began', { aborted: signal.aborted })
        for (;;) { await this.k.sleep(5, signal); this.n++ }
      }
      async slow() { this.k.events.emit('slow.began'); await this.k.sleep(120) }`,
      version,
    )
  const running = await start({ 'configs/m.yml': 'limits: {quiesce_ms: 30}', 'modules/m.ts': source(1) })
  const m = running.getApi<Stateful & { slow(): Promise<void> }>('m')
  const slowBegan = running.event('slow.began')
  const slow = m.slow()
  await slowBegan
  const again = running.event('run.began')
  running.root.write('modules/m.ts', source(2))
  expect(await running.reload('m')).toMatchObject({ ok: false, deferred: true, error: { code: 'reload_deferred' } })
  expect((await again).data).toMatchObject({ aborted: false })
  const before = await m.get()
  await expect.poll(() => m.get()).toBeGreaterThan(before)
  await slow
  await running.live('m', 2)
  expect(await m.get()).toBeGreaterThan(before)
})

it('a stream that is being read is read to its end before the state goes over', async () => {
  const source = (version: number): string =>
    stateful(
      `async *count() { for (let i = 0; i < 10; i++) { this.n++; yield ${version}; await this.k.sleep(10) } }`,
      version,
    )
  const running = await start({ 'configs/m.yml': '', 'modules/m.ts': source(1) })
  const m = running.getApi<Stateful & { count(): AsyncGenerator<number> }>('m')
  const read = async (): Promise<number[]> => {
    const all: number[] = []
    for await (const item of m.count()) all.push(item)
    return all
  }
  const early = read()
  await expect.poll(() => m.get()).toBeGreaterThan(0)
  running.root.write('modules/m.ts', source(2))
  await expect.poll(() => running.kernel.status().services['m']?.state).toBe('switching')
  const late = read()
  expect(await early).toEqual(Array.from({ length: 10 }, () => 1))
  expect(await late).toEqual(Array.from({ length: 10 }, () => 2))
  expect(await m.get()).toBe(20)
})

it('a stream that outlasts the limit puts the reload off; its end lets it through', async () => {
  const source = (version: number): string =>
    stateful(`async *count() { for (;;) { yield ++this.n; await this.k.sleep(5) } }`, version)
  const running = await start({ 'configs/m.yml': 'limits: {quiesce_ms: 50}', 'modules/m.ts': source(1) })
  const m = running.getApi<Stateful & { count(): AsyncGenerator<number> }>('m')
  const stream = m.count()
  await stream.next()
  running.root.write('modules/m.ts', source(2))
  expect(await running.reload('m')).toMatchObject({ ok: false, deferred: true, generation: 1 })
  const { value: last = 0 } = (await stream.next()) as { value?: number }
  await stream.return(undefined)
  await running.live('m', 2)
  expect(await m.version()).toBe(2)
  expect(await m.get()).toBeGreaterThanOrEqual(last)
})

it('the first handle anybody takes, while its service is being made quiet, waits for the new version', async () => {
  const source = (version: number): string =>
    stateful(
      `async run(signal: AbortSignal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        this.k.events.emit('run.ends')
        await new Promise<void>((resolve) => this.k.events.on('let.go', () => resolve()))
      }`,
      version,
    )
  const running = await start({
    'configs/m.yml': '',
    'modules/m.ts': source(1),
    'configs/door.yml': '',
    'modules/door.ts': stateful(`open() { this.k.events.emit('let.go') }`),
  })
  const ends = running.event('run.ends')
  running.root.writeByRename('modules/m.ts', source(2))
  await ends
  const m = running.getApi<Stateful>('m')
  expect(Object.getPrototypeOf(m)).toHaveProperty('version')
  const version = m.version()
  await running.getApi<{ open(): void }>('door').open()
  expect(await version).toBe(2)
})
