/** How much is let in: requests a second, requests at once, open streams, and what a slow or long sender is told. */
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { emptyGate, enter, leave } from '../../modules/services/http/gate.ts'
import { outcome, secretOf, serveHttp, type HttpAnswer, type HttpSystem } from '../support/http.ts'

const HOLDER = {
  'configs/holder.yml': 'prog: holder\n',
  'modules/holder.ts':
    'export class Module { waiting = []; wait() { return new Promise((open) => this.waiting.push(open)) } open() { for (const one of this.waiting.splice(0)) one() } }\n',
}

const running: HttpSystem[] = []
afterEach(async () => {
  for (const { system } of running.splice(0)) await system.stop()
})

async function serve(config: string, secrets: string[] = []): Promise<HttpSystem> {
  const served = await serveHttp(HOLDER, { config, secrets })
  running.push(served)
  return served
}

const tooMany = async (asked: Promise<HttpAnswer>[]): Promise<HttpAnswer[]> =>
  (await Promise.all(asked)).filter(({ status }) => status !== 200)

it('a token that asks too often is told when to come again, and no other token is', async () => {
  const { ask } = await serve("tokens: {slow: {token: 'secret:slow', requests_per_s: 5}}\n", ['slow'])
  const slow = { token: secretOf('slow') }
  const refused = await tooMany(Array.from({ length: 40 }, () => ask('GET', '/api/services', slow)))
  expect(refused.length).toBeGreaterThan(20)
  for (const answer of refused) {
    expect(outcome(answer)).toEqual([429, 'rate_limited'])
    expect(answer.headers['retry-after']).toBe('1')
  }
  expect((await ask('GET', '/api/services')).status).toBe(200)
})

it('who has no token is held back by address, and does not slow down who has one', async () => {
  const { ask } = await serve('strangers_per_s: 5\n')
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask('GET', '/api/services', { token: null })))
  const codes = answers.map((answer) => outcome(answer)[1])
  expect(new Set(codes)).toEqual(new Set(['unauthorized', 'rate_limited']))
  expect((await ask('GET', '/api/services')).status).toBe(200)
})

it('no more requests at once than are allowed; those that wait get their answers', async () => {
  const { ask, call, system } = await serve('parallel_max: 3\n')
  const waiting = [1, 2, 3].map(() => call('holder', 'wait'))
  while ((await system.show('holder')).in_flight < 3) await new Promise((resolve) => setImmediate(resolve))
  const refused = await ask('GET', '/health')
  expect(outcome(refused)).toEqual([429, 'too_many_requests'])
  expect(refused.headers['retry-after']).toBe('1')
  await system.getApi('holder')['open']?.()
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200])
  expect((await ask('GET', '/health')).status).toBe(200)
})

it('a reload forgives nobody, and counts nothing twice', async () => {
  const { call, system, ask } = await serve('parallel_max: 3\n')
  const waiting = [1, 2, 3].map(() => call('holder', 'wait'))
  while ((await system.show('holder')).in_flight < 3) await new Promise((resolve) => setImmediate(resolve))
  const reloaded = system.reload('http')
  await system.live('http', 2)
  expect(outcome(await ask('GET', '/health'))).toEqual([429, 'too_many_requests'])
  await system.getApi('holder')['open']?.()
  await Promise.all([...waiting, reloaded])
  expect((await ask('GET', '/health')).status).toBe(200)
})

it('no more event streams than are allowed', async () => {
  const { ask, port, token } = await serve('streams_max: 1\n')
  const options = { port, path: '/api/events', headers: { authorization: `Bearer ${token}` }, agent: false }
  const open = await new Promise<IncomingMessage>((resolve) => get(options, resolve))
  expect(open.statusCode).toBe(200)
  expect(outcome(await ask('GET', '/api/events'))).toEqual([429, 'streams_full'])
  open.destroy()
})

it('what is refused before a route is looked for is told as JSON too', async () => {
  const { port } = await serve('header_bytes_max: 4096\nheaders_ms: 200\n')
  const talk = (first: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(first))
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.on('error', reject)
      socket.on('close', () => resolve(text))
    })
  const long = `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Long: ${'x'.repeat(8_000)}\r\n\r\n`
  expect(await talk(long)).toMatch(/^HTTP\/1\.1 431 [\s\S]*"code":"headers_too_large"/)
  expect(await talk('no http at all\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"bad_request"/)
  expect(await talk('GET /health HTTP/1.1\r\nX-Slow: ')).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"request_timeout"/)
})

it('a bucket fills as time goes by, and never more than a second of it', () => {
  const book = emptyGate()
  const ask = (now: number): boolean => enter(book, 'a', 2, 100, now) === undefined
  expect([ask(0), ask(0), ask(0), ask(400), ask(500), ask(500)]).toEqual([true, true, false, false, true, false])
  expect([ask(60_000), ask(60_000), ask(60_000)]).toEqual([true, true, false])
})

it('a flood of addresses shares one bucket once there are too many to remember', () => {
  const book = emptyGate()
  for (let one = 0; one < 5_000; one++) if (enter(book, `from ${one}`, 10, 10_000, 0) === undefined) leave(book)
  expect(book.buckets.size).toBeLessThanOrEqual(1_001)
  expect(enter(book, 'from another', 10, 10_000, 0)).toMatchObject({ code: 'rate_limited' })
  expect(enter(book, 'from another', 10, 10_000, 2_000)).toBeUndefined()
  expect(book.open).toBe(1)
})
