/** What costs a process, and who is told what. Real processes; the gate has the attacks. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { typescriptArgs } from '../../support/process.ts'
import { packageRoot } from '../../support/root.ts'
import { rejection } from '../../support/system.ts'
import { endPlaces, openGuest, startPlace } from './engine-bench.ts'

afterEach(endPlaces)

/** Longer than an entry may compute, shorter than the engine lets one last. */
const STOPPED_MS = 1_500

const SOURCE = `export class Module {
  constructor(private readonly kernel: any) {}
  never() { return new Promise(() => {}) }
  one() { return 1 }
  native() { return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }
  async saysAndLoops() {
    console.log('begun')
    for (let turn = 0; turn < 5; turn++) await null
    this.native()
  }
  async saysAndWorks() {
    console.log('begun')
    for (let turn = 0; turn < 5; turn++) await null
    for (let turn = 0; turn < 10; turn++) for (const until = Date.now() + 50; Date.now() < until; );
    return 'done'
  }
  grow() { const all = new Set(); for (let one = 0; ; one++) all.add(one) }
  fill() { const all: unknown[] = []; for (let one = 0; ; one++) all.push(new Uint8Array(1_000_000).fill(1)) }
  async calls(count: number) {
    const open = Array.from({ length: count }, () => this.kernel.getApi('other').wait())
    await Promise.all(open)
  }
  async chain() { const again = (): unknown => Promise.resolve().then(again); await again() }
  async burn(ms: number) {
    for (let turn = 0; turn < 200; turn++) {
      for (const until = Date.now() + ms; Date.now() < until; );
      await this.kernel.sleep(0)
    }
  }
}`

it('a set that V8 itself gives up on costs the process, and names whose it was', async () => {
  const place = await startPlace('process')
  const bad = await openGuest(place, SOURCE, { limits: { memory_mb: 32, cpu_ms: 30_000 } })
  const good = await openGuest(place, SOURCE)
  const open = rejection(good.call('never'))
  expect((await rejection(bad.call('grow'))).code).toBe('sandbox_memory')
  expect(bad.closed.map(({ code }) => code)).toEqual(['sandbox_memory'])
  // V8 may also have ended it alone: then the other goes on.
  if (good.closed.length === 0) {
    expect(await good.call('one')).toBe(1)
    place.kill({ code: 'sandbox_host_died', message: 'over', hint: '' })
  }
  expect((await open).code).toBe('sandbox_host_died')
})

it('buffers count like any other memory', async () => {
  const { call, closed } = await openGuest(await startPlace('process'), SOURCE, { limits: { memory_mb: 32 } })
  const { code, message } = await rejection(call('fill'))
  // Either the allocation fails in there, or the isolate is ended.
  if (code === undefined) expect(message).toMatch(/allocation failed/i)
  else expect(code).toBe('sandbox_memory')
  expect(closed.length).toBe(code === undefined ? 0 : 1)
})

it('a process over its memory is ended, and the one that computed is named', async () => {
  const place = await startPlace('process', 60)
  const bad = await openGuest(place, SOURCE, { limits: { memory_mb: 512, cpu_ms: 30_000 } })
  const good = await openGuest(place, SOURCE)
  const open = rejection(good.call('never'))
  expect((await rejection(bad.call('grow'))).code).toBe('sandbox_memory')
  expect((await open).code).toBe('sandbox_host_died')
  expect((await place.ended).message).toContain('60 MB')
})

it('open questions have a number, microtasks no end: both are ended', async () => {
  const place = await startPlace('process')
  const wait = (): Promise<never> => new Promise(() => {})
  const asker = await openGuest(place, SOURCE, { limits: { messages_max: 100 }, answers: { call: wait } })
  expect((await rejection(asker.call('calls', 101))).code).toBe('sandbox_flood')
  const chain = await openGuest(place, SOURCE, { limits: { cpu_ms: 100 } })
  expect((await rejection(chain.call('chain'))).code).toBe('sandbox_cpu')
})

it('a share of a core is a limit over time', async () => {
  const { call } = await openGuest(await startPlace('process'), SOURCE, { limits: { cpu_share: 0.05 } })
  const { code, message } = await rejection(call('burn', 30))
  expect({ code, message }).toMatchObject({ code: 'sandbox_cpu', message: expect.stringContaining('5 % of a core') })
})

it('a native loop is ended with its guest, also when the guest is closed', async () => {
  const place = await startPlace('process')
  let begun = (): void => {}
  const hasBegun = new Promise<void>((resolve) => (begun = resolve))
  const { guest, call } = await openGuest(place, SOURCE, { limits: { cpu_ms: 30_000 }, onTold: () => begun() })
  const looping = rejection(call('saysAndLoops'))
  await hasBegun
  await guest.close()
  expect((await looping).code).toBe('stopped')
  expect((await place.ended).code).toBe('sandbox_host_died')
})

it('a guest whose process had to wait for the processor has not computed meanwhile', async () => {
  const place = await startPlace('process')
  let begun = (): void => {}
  const hasBegun = new Promise<void>((resolve) => (begun = resolve))
  const { call, closed } = await openGuest(place, SOURCE, { limits: { cpu_ms: 1_000 }, onTold: () => begun() })
  const working = call('saysAndWorks')
  await hasBegun
  const pid = place.pid as number
  process.kill(pid, 'SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, STOPPED_MS))
  process.kill(pid, 'SIGCONT')
  expect(await working).toBe('done')
  expect(closed).toEqual([])
})

it('a place that was ended is no place any more', async () => {
  const place = await startPlace('process')
  const { call, closed } = await openGuest(place, SOURCE)
  const open = rejection(call('never'))
  const error = { code: 'sandbox_host_died', message: 'killed', hint: '' }
  place.kill(error)
  place.kill(error)
  expect((await open).code).toBe('sandbox_host_died')
  expect(closed).toEqual([error])
  expect(await place.ended).toEqual(error)
  expect((await rejection(openGuest(place, SOURCE))).code).toBe('sandbox_host_died')
})

it.runIf(process.platform === 'linux')('a process of guests has no environment, and ends with its parent', async () => {
  const module = (file: string): string => JSON.stringify(join(packageRoot, 'modules', file))
  const code = `import { createEngine } from ${module('sandbox/engine/index.ts')}
    import { realClock } from ${module('lib/clock.ts')}
    const place = await createEngine({ clock: realClock }).startProcess({ rss_mb_max: 512 })
    process.stdout.write(String(place.pid) + '\\n')
    setInterval(() => {}, 1_000)`
  const args = [...typescriptArgs(), '--input-type=module', '-e', code]
  const parent = spawn(process.execPath, args, { cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(
    await new Promise<string>((resolve) => parent.stdout.once('data', (text) => resolve(String(text)))),
  )
  expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toBe('')
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toMatch(/--(experimental-)?permission\0/)
  parent.kill('SIGKILL')
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
})

it.runIf(process.platform === 'linux')(
  'a place that gives way does so with every thread, those of its guests too',
  async () => {
    const place = await startPlace('process')
    const { pid } = place
    place.giveWay()
    const { call } = await openGuest(place, SOURCE)
    expect(await call('one')).toBe(1)
    const threads = readdirSync(`/proc/${pid}/task`).map(Number)
    expect(threads.length).toBeGreaterThan(1)
    expect(new Set(threads.map((thread) => getPriority(thread)))).toEqual(new Set([Math.max(5, getPriority())]))
  },
)

it('a guest that is closed as soon as it has answered costs nobody anything', async () => {
  const place = await startPlace('process')
  const stays = await openGuest(place, SOURCE)
  const short = async (): Promise<void> => {
    const { guest, call } = await openGuest(place, SOURCE)
    const answer = call('one')
    await answer
    await guest.close()
  }
  await Promise.all(Array.from({ length: 40 }, short))
  expect(await stays.call('one')).toBe(1)
  expect(place.guests).toBe(1)
})
