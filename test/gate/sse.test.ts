/**
 * Event streams at size: a hundred readers of a thousand events a second and one that does not read, and streams and
 * keep-alive connections over reloads of http and swaps of the kernel.
 */
import { Agent } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import type { NextKernel } from '../../modules/contracts/kernel-port.ts'
import { serveHttp, type HttpAnswer, type HttpSystem } from '../support/http.ts'
import { swapTo } from '../support/kernel-storm.ts'
import { underCalls } from '../support/load.ts'
import { CRIER, readEvents, type EventReader } from '../support/sse.ts'

const READERS = 100
const EVENTS = 5_000
const STEPS = 10

const running: HttpSystem[] = []
const readers: EventReader[] = []
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close()
  for (const { system } of running.splice(0)) await system.stop()
})

async function serve(): Promise<HttpSystem> {
  const served = await serveHttp(CRIER)
  running.push(served)
  return served
}

async function open(served: HttpSystem, query: string, paused = false): Promise<EventReader> {
  const reader = await readEvents({ port: served.port, token: served.token, query }, { paused })
  readers.push(reader)
  return reader
}

const numbersOf = (reader: EventReader): unknown[] =>
  reader.events.filter((one) => one.type === 'tick.told').map((one) => one.data['n'])

it(`${READERS} readers get every one of 1,000 events a second in order; one that does not read is cut off and told why`, async () => {
  const served = await serve()
  const stalled = await open(served, '', true)
  const watcher = await open(served, '?subscribe=http.*')
  const good = await Promise.all(Array.from({ length: READERS }, () => open(served, '?subscribe=tick.*')))
  const flood = served.call('crier', 'flood', [EVENTS])
  const cut = await watcher.until((event) => event.type === 'http.stream_cut')
  expect(cut.data).toMatchObject({ reason: 'it reads too slowly' })
  expect(cut.data['buffered_bytes']).toBeGreaterThan(1_048_576)
  stalled.response.resume()
  await Promise.all(good.map((reader) => reader.until((event) => event.data['n'] === EVENTS - 1)))
  expect((await flood).status).toBe(200)
  const all = Array.from({ length: EVENTS }, (_, n) => n)
  for (const reader of good) expect(numbersOf(reader)).toEqual(all)
  expect(good.filter((reader) => reader.ended())).toEqual([])
  await expect.poll(() => stalled.ended()).toBe(true)
  // It woke up in time to read why.
  expect(stalled.events.at(-1)).toMatchObject({ type: 'stream.cut', data: { reason: 'it reads too slowly' } })
  const lastId = Number(stalled.events.at(-1)?.data['last_id'])
  expect(stalled.events.filter((one) => one.id !== undefined).at(-1)?.id).toBe(lastId)
})

it('streams and keep-alive connections go through reloads of http and swaps of the kernel without a failed request', async () => {
  const served = await serve()
  const { system } = served
  const stream = await open(served, '?subscribe=step.*')
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const wrong: HttpAnswer[] = []
  const asked = async (): Promise<void> => {
    const answer = await served.ask('GET', '/api/services', { agent })
    if (answer.status !== 200) wrong.push(answer)
  }
  const cry = (n: number): Promise<HttpAnswer> => served.call('crier', 'cry', ['step.done', { n }], { agent })
  let next: NextKernel | undefined
  const counts = await underCalls(4, asked, async () => {
    for (let n = 1; n <= STEPS; n++) {
      await cry(2 * n)
      if (n % 2 === 0) next = await swapTo(system, n / 2, next)
      else expect(await system.reload('http')).toMatchObject({ ok: true })
      await cry(2 * n + 1)
    }
  })
  expect(counts.failed).toEqual([])
  expect(wrong).toEqual([])
  expect(counts.calls).toBeGreaterThan(30)
  await stream.until((event) => event.data['n'] === 2 * STEPS + 1)
  expect(stream.events.map((event) => event.data['n'])).toEqual(Array.from({ length: 2 * STEPS }, (_, at) => at + 2))
  expect(stream.ended()).toBe(false)
  expect(
    Object.values(agent.sockets).flat().length + Object.values(agent.freeSockets).flat().length,
  ).toBeLessThanOrEqual(4)
  agent.destroy()
  next?.release()
})
