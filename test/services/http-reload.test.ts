/** A reload of the http service itself: connections, streams and open calls do not notice. */
import { Agent, get, request, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

interface Stream {
  readonly events: { id: number; type: string; data: Record<string, unknown> }[]
  /** Resolves when an event fits; those that have come count. */
  until(fits: (event: Stream['events'][number]) => boolean): Promise<void>
  readonly ended: () => boolean
}

interface Bell {
  ring(number: number): Promise<void>
  wait(): Promise<string>
  open(): Promise<void>
  version(): Promise<string>
}

const BELL = `
export class Module {
  constructor(kernel: { events: { emit(type: string, data: object): void } }) {
    this.kernel = kernel
    this.gate = new Promise((resolve) => { this.open = () => resolve('opened') })
  }
  ring(number: number) { this.kernel.events.emit('bell.rang', { number }) }
  wait() { return this.gate }
  version() { return 'one' }
}
`

const running: TestSystem[] = []
const requests: { destroy(): void }[] = []
afterEach(async () => {
  for (const one of requests.splice(0)) one.destroy()
  for (const system of running.splice(0)) await system.stop()
})

async function serve(): Promise<{ system: TestSystem; port: number; token: string; bell: Bell }> {
  const system = await startSystem({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/bell.yml': 'prog: bell\n',
    'modules/bell.ts': BELL,
  })
  running.push(system)
  const { url } = JSON.parse(system.root.read('runtime/http.json')) as { url: string }
  const bell = system.getApi('bell') as unknown as Bell
  return { system, port: Number(new URL(url).port), token: system.root.read('runtime/token').trim(), bell }
}

function openStream(port: number, token: string, query: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const events: Stream['events'] = []
    const waiting = new Set<() => void>()
    let ended = false
    let rest = ''
    const headers = { authorization: `Bearer ${token}` }
    const asked = get({ host: '127.0.0.1', port, path: `/api/events${query}`, headers, agent: false }, (response) => {
      response.on('data', (chunk: Buffer) => {
        const blocks = (rest + chunk.toString()).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1]
          if (data !== undefined) events.push(JSON.parse(data) as Stream['events'][number])
        }
        for (const check of waiting) check()
      })
      response.on('close', () => (ended = true))
      response.once('data', () => resolve({ events, until, ended: () => ended }))
    })
    requests.push(asked)
    asked.on('error', reject)
    const until: Stream['until'] = (fits) =>
      new Promise((done) => {
        const check = (): void => {
          if (!events.some(fits)) return
          waiting.delete(check)
          done()
        }
        waiting.add(check)
        check()
      })
  })
}

interface Reply {
  status: number
  text: string
  /** the client's end of the connection */
  socket: Socket
  localPort: number | undefined
}

function ask(agent: Agent, port: number, token: string, path: string, body?: object): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const method = body === undefined ? 'GET' : 'POST'
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent }, (response: IncomingMessage) => {
      const { socket } = response
      const { localPort } = socket
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, socket, localPort }))
    })
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  requests.push(agent)
  return agent
}

it('an open event stream survives reloads of http with nothing lost, doubled or out of order', async () => {
  const { system, port, token, bell } = await serve()
  const stream = await openStream(port, token, '?subscribe=bell.rang')
  let number = 0
  for (let round = 0; round < 5; round++) {
    const under = { way: true }
    const reload = system.reload('http').finally(() => {
      under.way = false
    })
    // At least one before, one after the switch, and as many as fit while it is under way.
    while (under.way) {
      await bell.ring(number++)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await reload).toMatchObject({ ok: true })
    await bell.ring(number++)
  }
  await stream.until((event) => event.data['number'] === number - 1)
  expect(stream.events.map((event) => event.data['number'])).toEqual(Array.from({ length: number }, (_, n) => n))
  const ids = stream.events.map((event) => event.id)
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
  expect(stream.ended()).toBe(false)
})

it('a keep-alive connection answers before and after a reload', async () => {
  const { system, port, token } = await serve()
  const agent = keepAlive()
  const generations: unknown[] = []
  const ports = new Set<number | undefined>()
  for (let round = 0; round < 4; round++) {
    const { text, localPort } = await ask(agent, port, token, '/api/services/http')
    generations.push((JSON.parse(text) as { generation: number }).generation)
    ports.add(localPort)
    expect(await system.reload('http')).toMatchObject({ ok: true, failed_calls: 0 })
  }
  expect(generations).toEqual([1, 2, 3, 4])
  expect(ports.size).toBe(1)
})

it('a request under way when http reloads is answered', async () => {
  const { system, port, token, bell } = await serve()
  const agent = keepAlive()
  const answer = ask(agent, port, token, '/api/services/bell/call', { method: 'wait' })
  await expect.poll(async () => (await system.show('bell')).in_flight).toBe(1)
  const drained = system.event('service.drained', (data) => data['api'] === 'http')
  expect(await system.reload('http')).toMatchObject({ ok: true })
  expect((await system.show('http')).draining).toEqual([{ generation: 1, in_flight: 1 }])
  await bell.open()
  const { status, text } = await answer
  expect([status, (JSON.parse(text) as { result: string }).result]).toEqual([200, 'opened'])
  expect((await drained).data['clean']).toBe(true)
  expect((await system.show('http')).in_flight).toBe(0)
})

it('requests that never pause lose nothing while http and the called service reload', async () => {
  const { system, port, token } = await serve()
  const work = { on: true }
  const statuses: number[] = []
  const workers = Array.from({ length: 4 }, async () => {
    const agent = keepAlive()
    while (work.on)
      statuses.push((await ask(agent, port, token, '/api/services/bell/call', { method: 'version' })).status)
  })
  for (let round = 0; round < 5; round++) {
    const before = statuses.length
    const results = await Promise.all([system.reload('http'), system.reload('bell')])
    expect(results.map((one) => one.ok)).toEqual([true, true])
    await expect.poll(() => statuses.length).toBeGreaterThan(before + 4)
  }
  work.on = false
  await Promise.all(workers)
  expect(statuses.filter((status) => status !== 200)).toEqual([])
})

it('a version of http that does not load leaves streams and connections alone', async () => {
  const { system, port, token, bell } = await serve()
  const stream = await openStream(port, token, '?subscribe=bell.rang')
  const refused = system.event('service.refused', (data) => data['api'] === 'http')
  system.root.write('configs/http.yml', 'prog: services/http\nport: 0\nbody_bytes_max: -1\n')
  await refused
  await bell.ring(1)
  await stream.until((event) => event.data['number'] === 1)
  expect(stream.ended()).toBe(false)
  expect((await ask(keepAlive(), port, token, '/api/services')).status).toBe(200)
})

it('a stream does not keep an old version of http from ending', async () => {
  const { system, port, token } = await serve()
  await openStream(port, token, '')
  const drained = system.event('service.drained', (data) => data['api'] === 'http')
  await system.reload('http')
  expect((await drained).data).toMatchObject({ generation: 1, clean: true })
})
