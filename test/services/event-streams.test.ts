/** Server-sent events: what a reader gets, in which form, and what it missed. */
import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { EventStreams } from '../../modules/services/http/event-streams.ts'
import { openStream, type Stream, type Told } from '../support/event-stream.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

interface Crier {
  cry(type: string, data?: Record<string, unknown>): Promise<void>
  cryBig(type: string): Promise<void>
  cryRing(type: string): Promise<void>
}

const CRIER = `
export class Module {
  constructor(kernel: { events: { emit(type: string, data?: object): void } }) { this.kernel = kernel }
  cry(type: string, data?: object) { this.kernel.events.emit(type, data) }
  cryBig(type: string) { this.kernel.events.emit(type, { big: 1n }) }
  cryRing(type: string) { const ring: Record<string, unknown> = {}; ring.self = ring; this.kernel.events.emit(type, ring) }
}
`

const running: TestSystem[] = []
const servers: Server[] = []
const requests: { destroy(): void }[] = []
afterEach(async () => {
  for (const one of requests.splice(0)) one.destroy()
  for (const system of running.splice(0)) await system.stop()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

interface Served {
  system: TestSystem
  crier: Crier
  open(query?: string, headers?: Record<string, string>): Promise<Stream>
}

async function serve(): Promise<Served> {
  const system = await startSystem({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/crier.yml': 'prog: crier\n',
    'modules/crier.ts': CRIER,
  })
  running.push(system)
  const { url } = JSON.parse(system.root.read('runtime/http.json')) as { url: string }
  const authorization = `Bearer ${system.root.read('runtime/token').trim()}`
  return {
    system,
    crier: system.getApi('crier') as unknown as Crier,
    open: async (query = '', headers = {}) => {
      const stream = await openStream(`${url}/api/events${query}`, { authorization, ...headers })
      requests.push(stream)
      return stream
    },
  }
}

const typesOf = (stream: Stream): string[] => stream.events.map((event) => event.type)

it('an event arrives as id, event and data, and the stream says what it is', async () => {
  const { crier, open } = await serve()
  const stream = await open('?subscribe=news.*')
  expect(stream.response.statusCode).toBe(200)
  expect(stream.response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  })
  await crier.cry('news.first', { text: 'two\nlines' })
  await stream.until('news.first')
  const [event] = stream.events
  expect(event).toMatchObject({ type: 'news.first', data: { text: 'two\nlines' } })
  expect(stream.text()).toContain(`id: ${event?.id}\nevent: news.first\ndata: {`)
})

it('a stream subscribes to exact names, prefixes, or everything', async () => {
  const { crier, open } = await serve()
  const exact = await open('?subscribe=news.first')
  const prefix = await open('?subscribe=news.*')
  const several = await open('?subscribe=news.first,old.*&subscribe=end')
  const all = await open()
  for (const type of ['news.first', 'news.second', 'old.one', 'newspaper', 'news', 'end']) await crier.cry(type)
  await crier.cry('news.first', { last: true })
  for (const stream of [exact, prefix, several]) await stream.until('news.first')
  await expect.poll(() => all.events.at(-1)?.data['last']).toBe(true)
  await expect.poll(() => typesOf(exact)).toEqual(['news.first', 'news.first'])
  await expect.poll(() => typesOf(prefix)).toEqual(['news.first', 'news.second', 'news.first'])
  await expect.poll(() => typesOf(several)).toEqual(['news.first', 'old.one', 'end', 'news.first'])
  expect(typesOf(all)).toEqual(expect.arrayContaining(['news.second', 'newspaper', 'news']))
})

it('a new stream begins with what comes, not with what was', async () => {
  const { crier, open } = await serve()
  await crier.cry('news.before')
  const stream = await open('?subscribe=news.*')
  await crier.cry('news.after')
  await stream.until('news.after')
  expect(typesOf(stream)).toEqual(['news.after'])
})

it('a reader that comes back with Last-Event-ID gets what it missed, once and in order', async () => {
  const { crier, open } = await serve()
  const first = await open('?subscribe=news.*')
  await crier.cry('news.1')
  await first.until('news.1')
  const seen = first.events[0]?.id ?? 0
  first.response.destroy()
  await crier.cry('news.2')
  await crier.cry('other')
  await crier.cry('news.3')
  for (const again of [
    await open('?subscribe=news.*', { 'last-event-id': String(seen) }),
    await open(`?subscribe=news.*&last_event_id=${seen}`),
  ]) {
    await crier.cry('news.4')
    await again.until('news.4')
    expect(typesOf(again).slice(0, 3)).toEqual(['news.2', 'news.3', 'news.4'])
    const ids = again.events.map((event) => event.id)
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
    again.response.destroy()
  }
})

it('a reader that comes back too late is told which events are not kept any more', async () => {
  const { crier, open, system } = await serve()
  for (let n = 0; n < 1_200; n++) await crier.cry(`news.${n}`)
  const newest = system.kernel.events.since(0).at(-1)?.id ?? 0
  const late = await open('?subscribe=news.*', { 'last-event-id': '5' })
  await late.until('news.1199')
  const [first, second] = late.events
  expect(first).toMatchObject({ type: 'stream.missed', data: { from: 6, restarted: false } })
  expect(second?.id).toBe(Number(first?.data['to']) + 1)
  expect(late.events.at(-1)?.id).toBe(newest)
  // What is said about the stream has no id: a reader comes back with that of an event.
  expect(late.text()).toMatch(/: open\n\nevent: stream\.missed\ndata: /)
})

it('a reader of a process that has ended is told so, and gets what this one keeps', async () => {
  const { crier, open } = await serve()
  await crier.cry('news.here')
  const stream = await open('?subscribe=news.*', { 'last-event-id': '900000' })
  await stream.until('news.here')
  expect(stream.events[0]).toMatchObject({ type: 'stream.missed', data: { restarted: true } })
  await crier.cry('news.next')
  await stream.until('news.next')
})

it('a Last-Event-ID that is no number counts as none', async () => {
  const { crier, open } = await serve()
  await crier.cry('news.before')
  for (const id of ['abc', '1.5', '']) {
    const stream = await open('?subscribe=news.*', { 'last-event-id': id })
    await crier.cry('news.after')
    await stream.until('news.after')
    expect([id, typesOf(stream)]).toEqual([id, ['news.after']])
    stream.response.destroy()
  }
})

it('an event that JSON cannot hold does not keep the others from any reader', async () => {
  const { crier, open } = await serve()
  const one = await open('?subscribe=news.*')
  const two = await open('?subscribe=news.*')
  await crier.cryBig('news.big')
  await crier.cryRing('news.ring')
  await crier.cry('news.after')
  await one.until('news.after')
  await two.until('news.after')
  expect(typesOf(one)).toEqual(['news.big', 'news.ring', 'news.after'])
  expect(one.events[0]?.data).toMatchObject({ big: '1' })
  expect(one.events[1]?.data).toMatchObject({ error: { code: 'result_not_cloneable' } })
  const late = await open('?subscribe=news.*', { 'last-event-id': '0' })
  await crier.cry('news.last')
  await late.until('news.last')
  expect(typesOf(late)).toEqual(expect.arrayContaining(['news.after', 'news.last']))
})

it('a type with line breaks cannot write fields of its own into the stream', async () => {
  const { crier, open } = await serve()
  const stream = await open()
  await crier.cry('news.bad\ndata: {"forged":true}\n\nevent: forged')
  await crier.cry('news.bad\revent: forged')
  await crier.cry('news.after')
  await stream.until('news.after')
  expect(stream.text().split(/\r\n|\r|\n/)).not.toContain('event: forged')
  expect(stream.text()).not.toMatch(/^event: forged/m)
})

it('the heartbeat of the streams is one task, also after a reload', async () => {
  const { system } = await serve()
  const beats = async (): Promise<number> =>
    (await system.show('http')).owned.filter((one) => one.kind === 'task' && one.label.includes('heartbeat')).length
  expect(await beats()).toBe(1)
  await system.reload('http')
  expect(await beats()).toBe(1)
})

it('a reader that leaves is forgotten', async () => {
  const { streams, port } = await plainServer()
  const stream = await openStream(`http://127.0.0.1:${port}/`, {})
  expect(streams.size).toBe(1)
  stream.response.destroy()
  await expect.poll(() => streams.size).toBe(0)
})

it('a reader that does not read is cut off instead of filling the memory; the others go on', async () => {
  const { streams, port } = await plainServer()
  const good = await openStream(`http://127.0.0.1:${port}/`, {})
  const slow = await silentReader(port)
  await expect.poll(() => streams.size).toBe(2)
  const text = 'x'.repeat(65_536)
  let id = 0
  // The good reader has read each event before the next one is told, so only the silent one falls behind.
  while (streams.size === 2 && id < 2_000) {
    streams.broadcast({ id: ++id, type: `news ${id}`, time: 0, data: { text } })
    await good.until(`news ${id}`)
  }
  expect(streams.size).toBe(1)
  streams.broadcast({ id: ++id, type: 'last', time: 0, data: {} })
  await good.until('last')
  expect(good.events.map((event) => event.id)).toEqual(Array.from({ length: id }, (_, at) => at + 1))
  slow.destroy()
})

it('events told while a reader catches up come behind those it missed', async () => {
  const { streams, port, catchUps } = await plainServer({ hold: true })
  const stream = await openStream(`http://127.0.0.1:${port}/`, {})
  streams.broadcast({ id: 3, type: 'three', time: 0, data: {} })
  streams.broadcast({ id: 4, type: 'four', time: 0, data: {} })
  catchUps[0]?.([1, 2, 3].map((id) => ({ id, type: `missed ${id}`, time: 0, data: {} })))
  streams.broadcast({ id: 4, type: 'four', time: 0, data: {} })
  streams.broadcast({ id: 5, type: 'five', time: 0, data: {} })
  await stream.until('five')
  expect(typesOf(stream)).toEqual(['missed 1', 'missed 2', 'missed 3', 'four', 'five'])
})

/** The streams on a server of their own, without a system around them. */
async function plainServer(options: { hold?: boolean } = {}): Promise<{
  streams: EventStreams
  port: number
  catchUps: ((missed: Told[]) => void)[]
}> {
  const streams = new EventStreams()
  const catchUps: ((missed: Told[]) => void)[] = []
  const server = createServer((_request, response) => {
    const catchUp = streams.add(response, ['*'])
    if (options.hold === true) catchUps.push(catchUp)
    else catchUp([])
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { streams, port: typeof address === 'object' ? (address?.port ?? 0) : 0, catchUps }
}

/** Asks for the stream and never reads a byte. */
async function silentReader(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.pause()
  requests.push(socket)
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  return socket
}
