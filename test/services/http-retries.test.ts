/** Requests that come again with their Idempotency-Key: what they ask for happens once. */
import { request } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { outcome, secretOf, serveHttp, type HttpRequest, type HttpSystem } from '../support/http.ts'

const COUNTER = {
  'configs/counter.yml': 'prog: counter\n',
  'modules/counter.ts': `export class Module {
  n = 0
  waiting = []
  next() { return ++this.n }
  fail() { this.n++; throw Object.assign(new Error('no paper'), { code: 'PRINTER_EMPTY' }) }
  slow() { this.n++; return new Promise((done) => this.waiting.push(() => done(this.n))) }
  open() { for (const one of this.waiting.splice(0)) one() }
}
`,
}

const running: HttpSystem[] = []
afterEach(async () => {
  for (const { system } of running.splice(0)) await system.stop()
})

async function serve(config = ''): Promise<HttpSystem> {
  const served = await serveHttp(COUNTER, { config, secrets: ['other'] })
  running.push(served)
  return served
}

const key = (name: string): HttpRequest => ({ headers: { 'idempotency-key': name } })

it('the same request gets the same answer and is done once', async () => {
  const { call } = await serve()
  const first = await call('counter', 'next', [], key('a'))
  const again = await call('counter', 'next', [], key('a'))
  expect(first.body['result']).toBe(1)
  expect(again.text).toBe(first.text)
  expect((await call('counter', 'next', [], key('b'))).body['result']).toBe(2)
  expect((await call('counter', 'next')).body['result']).toBe(3)
})

it('another request under the same key is refused', async () => {
  const { call, ask } = await serve()
  await call('counter', 'next', [], key('a'))
  expect(outcome(await call('counter', 'next', [1], key('a')))).toEqual([409, 'retry_id_reused'])
  // The key belongs to the path: a reload under it is another request.
  expect((await ask('POST', '/api/services/counter/reload', key('a'))).status).toBe(200)
})

it('an error of the service is kept, a refusal is not', async () => {
  const { call } = await serve()
  const failed = await call('counter', 'fail', [], key('a'))
  expect(outcome(failed)).toEqual([500, 'PRINTER_EMPTY'])
  expect((await call('counter', 'fail', [], key('a'))).text).toBe(failed.text)
  expect((await call('counter', 'next')).body['result']).toBe(2)
  expect(outcome(await call('nobody', 'next', [], key('b')))).toEqual([404, 'service_not_found'])
  expect(outcome(await call('nobody', 'next', [1], key('b')))).toEqual([404, 'service_not_found'])
})

it('one that comes again while the first is under way waits for it, over a reload of http', async () => {
  const { call, system } = await serve()
  const first = call('counter', 'slow', [], key('a'))
  while ((await system.show('counter')).in_flight === 0) await new Promise((resolve) => setImmediate(resolve))
  const reloaded = system.reload('http')
  await system.live('http', 2)
  const second = call('counter', 'slow', [], key('a'))
  // It has arrived once http works on two.
  while ((await system.show('http')).in_flight < 2) await new Promise((resolve) => setImmediate(resolve))
  await system.getApi('counter')['open']?.()
  expect((await first).body['result']).toBe(1)
  expect((await second).text).toBe((await first).text)
  await reloaded
})

it('with a key the work goes on when the asker hangs up, and the answer is there for the next', async () => {
  const { call, system, port, token } = await serve()
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'a' }
  const options = { port, method: 'POST', path: '/api/services/counter/call', headers, agent: false }
  const lost = request(options)
  lost.on('error', () => undefined)
  lost.end(JSON.stringify({ method: 'slow', args: [] }))
  while ((await system.show('counter')).in_flight === 0) await new Promise((resolve) => setImmediate(resolve))
  lost.destroy()
  const again = call('counter', 'slow', [], key('a'))
  while ((await system.show('http')).in_flight === 0) await new Promise((resolve) => setImmediate(resolve))
  await system.getApi('counter')['open']?.()
  expect((await again).body['result']).toBe(1)
})

it('one token does not see the answers of another', async () => {
  const { call } = await serve("tokens: {other: {token: 'secret:other', scope: operate}}\n")
  expect((await call('counter', 'next', [], key('a'))).body['result']).toBe(1)
  expect((await call('counter', 'next', [], { ...key('a'), token: secretOf('other') })).body['result']).toBe(2)
})

it('what is kept is bounded in number', async () => {
  const { call } = await serve('retries_max: 2\n')
  for (const name of ['a', 'b', 'c', 'd']) await call('counter', 'next', [], key(name))
  expect((await call('counter', 'next', [], key('d'))).body['result']).toBe(4)
  expect((await call('counter', 'next', [], key('a'))).body['result']).toBe(5)
})

it('a key that is none is refused', async () => {
  const { call } = await serve()
  for (const name of ['', 'two words', 'x'.repeat(201)])
    expect([name, ...outcome(await call('counter', 'next', [], key(name)))]).toEqual([name, 400, 'bad_request'])
})
