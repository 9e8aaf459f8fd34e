/**
 * The zoo under reloads and load: what was acknowledged is there at the end, exactly once. The modules and the journal
 * they write to are reloaded in turn, by source and by config.
 */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { MachineEvent } from '../../modules/contracts/module.ts'
import { random, underCalls, type Random } from '../support/load.ts'
import { startSystem, type TestSystem } from '../support/system.ts'
import { zoo, zooSource, type Animal, type Counter, type Echo } from '../support/zoo.ts'
import type { Journal, Queue, Steps } from '../support/zoo.ts'

let system: TestSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

interface Reloading {
  running: TestSystem
  dice: Random
  /** every `service.live` since the start */
  lives: MachineEvent[]
}

async function start(files: Record<string, string>): Promise<Reloading> {
  system = await startSystem(files)
  const lives: MachineEvent[] = []
  system.kernel.events.on('service.live', (event) => lives.push(event))
  return { running: system, dice: random(7), lives }
}

/** An edit of the source or of the config; resolves when it is live. */
async function reload({ running, dice }: Reloading, name: Animal, config = ''): Promise<void> {
  const next = (running.kernel.status().services[name]?.generation ?? 0) + 1
  const live = running.live(name, next)
  const save = dice.next() < 0.5 ? 'write' : 'writeByRename'
  if (dice.next() < 0.5) running.root[save](`modules/${name}.ts`, zooSource(name, next))
  else running.root[save](`configs/${name}.yml`, `${config}\nstamp: ${next}\n`)
  await live
}

/** Every reload handed its state over, and none refused a call. */
function allCarried(lives: readonly MachineEvent[], count: number): void {
  expect(lives.length).toBe(count)
  expect(lives.filter(({ data }) => data['state'] !== 'carried' || data['failed_calls'] !== 0)).toEqual([])
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n)

it('a counter over 1,000 reloads: the sum of what was acknowledged, exactly', async () => {
  const all = await start(zoo('counter'))
  const counter = all.running.getApi<Counter>('counter')
  let acknowledged = 0
  const { failed, calls } = await underCalls(
    32,
    async (caller) => {
      const n = (caller % 7) + 1
      await counter.add(n)
      acknowledged += n
    },
    async () => {
      for (let n = 0; n < 1_000; n++) await reload(all, 'counter')
    },
  )
  expect(failed.slice(0, 5)).toEqual([])
  expect(await counter.get()).toBe(acknowledged)
  expect(calls).toBeGreaterThan(10_000)
  allCarried(all.lives, 1_000)
})

it('steps over 100 reloads of the loop and 50 of its journal: no gap, no duplicate', async () => {
  const all = await start(zoo('steps'))
  const { running, lives } = all
  for (let n = 0; n < 150; n++) await reload(all, n % 3 === 2 ? 'journal' : 'steps', n % 3 === 2 ? '' : 'pause_ms: 2')
  const seen = await running.getApi<Journal>('journal').list('step ')
  expect(seen).toEqual(numbers(1, seen.length).map((n) => `step ${n}`))
  expect(await running.getApi<Steps>('steps').next()).toBeGreaterThanOrEqual(seen.length)
  expect(seen.length).toBeGreaterThan(150)
  allCarried(lives, 150)
})

it('a queue over 100 reloads: each job that was taken in is done once', async () => {
  const all = await start(zoo('queue'))
  const { running, lives } = all
  const queue = running.getApi<Queue>('queue')
  const journal = running.getApi<Journal>('journal')
  const accepted: number[] = []
  const { failed } = await underCalls(
    8,
    async (caller, n) => {
      accepted.push(await queue.push(`${caller}.${n}`))
      await new Promise((resolve) => setTimeout(resolve, 10))
    },
    async () => {
      for (let n = 0; n < 130; n++)
        await reload(all, n % 4 === 3 ? 'journal' : 'queue', n % 4 === 3 ? '' : 'work_ms: 0')
    },
  )
  expect(failed.slice(0, 5)).toEqual([])
  expect(accepted.toSorted((a, b) => a - b)).toEqual(numbers(1, accepted.length))
  await expect.poll(async () => (await queue.done()).length, { timeout: 60_000 }).toBe(accepted.length)
  expect(await queue.done()).toEqual(numbers(1, accepted.length))
  const did = (await journal.list('job ')).map((entry) => Number(entry.split(' ')[1]))
  expect(did).toEqual(numbers(1, accepted.length))
  expect(accepted.length).toBeGreaterThan(200)
  allCarried(lives, 130)
})

it.each([
  ['every 3 ms', 'every_ms: 3', 100, true],
  ['at each second of the clock', 'pattern: "* * * * * *"', 20, false],
])('a job %s: one at a time, none left out, none twice', async (_name, config, reloads, often) => {
  const all = await start({ ...zoo('cron'), 'configs/cron.yml': config })
  const journal = all.running.getApi<Journal>('journal')
  for (let n = 0, ticks = 0; n < reloads || ticks < 3; n++) {
    const ticked = all.running.event('journal.appended')
    ticked.catch(() => undefined)
    await reload(all, 'cron', config)
    if (often) await ticked
    ticks = (await journal.list('tick ')).length / 2
  }
  const entries = await journal.list('tick ')
  const expected = numbers(1, Math.ceil(entries.length / 2)).flatMap((n) => [`tick ${n} begins`, `tick ${n} ends`])
  expect(entries).toEqual(expected.slice(0, entries.length))
  if (often) expect(entries.length).toBeGreaterThan(reloads)
})

const CONNECTIONS = 16

/** Sends pieces of odd sizes until told to stop; resolves with what was sent and what came back. */
async function talk(port: number, dice: Random, stop: AbortSignal): Promise<{ sent: Buffer; back: Buffer }> {
  const socket: Socket = createConnection(port, '127.0.0.1')
  await once(socket, 'connect')
  const sent: Buffer[] = []
  const back: Buffer[] = []
  const missing = { bytes: 0, arrived: (): void => {} }
  socket.on('data', (data) => {
    back.push(data)
    missing.bytes -= data.length
    if (missing.bytes === 0) missing.arrived()
  })
  socket.on('error', () => socket.destroy())
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  while (!stop.aborted && !socket.destroyed) {
    for (let n = dice.between(1, 3); n > 0; n--) {
      const piece = Buffer.from(Array.from({ length: dice.between(1, 300) }, () => dice.between(0, 255)))
      sent.push(piece)
      missing.bytes += piece.length
      socket.write(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const all = new Promise<void>((resolve) => (missing.arrived = resolve))
    if (missing.bytes > 0) await Promise.race([all, closed])
  }
  socket.destroy()
  return { sent: Buffer.concat(sent), back: Buffer.concat(back) }
}

it('connections of a TCP server over 50 reloads: every byte comes back, in order, on the same connection', async () => {
  const all = await start(zoo('echo'))
  const echo = all.running.getApi<Echo>('echo')
  const port = await echo.port()
  const stop = new AbortController()
  const talks = numbers(1, CONNECTIONS).map((n) => talk(port, random(n), stop.signal))
  await expect.poll(() => echo.connections()).toBe(CONNECTIONS)
  for (let n = 0; n < 50; n++) {
    await reload(all, 'echo')
    expect([await echo.port(), await echo.connections()]).toEqual([port, CONNECTIONS])
  }
  stop.abort()
  for (const { sent, back } of await Promise.all(talks)) {
    expect(back.equals(sent)).toBe(true)
    expect(sent.length).toBeGreaterThan(10_000)
  }
})
