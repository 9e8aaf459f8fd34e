/** Services over HTTP: the lists, the details, and calls of methods, with every way a call can end. */
import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

interface ErrorBody {
  code: string
  message: string
  hint: string
  doc: string
}

interface Answer {
  status: number
  body: Record<string, unknown> & { error?: ErrorBody; result?: unknown; generation?: number; trace_id?: string }
}

interface Served {
  system: TestSystem
  ask(method: string, path: string, body?: unknown): Promise<Answer>
  /** POST …/call of the service `probe` */
  call(method: string, ...args: unknown[]): Promise<Answer>
}

const PROBE = `
export class Module {
  field = 5
  constructor(kernel: { sleep(ms: number): Promise<void> }) { this.kernel = kernel }
  add(a: number, b: number) { return a + b }
  async later(value: unknown) { await this.kernel.sleep(1); return value }
  nothing() {}
  echo(...args: unknown[]) { return args }
  big() { return { small: 1, big: 12345678901234567890n } }
  round() { const self: Record<string, unknown> = {}; self.self = self; return self }
  shadow() { return { name: 'x', run() {} } }
  mark() { return Symbol('mark') }
  wait() { return new Promise((resolve) => { this.open = resolve }) }
  release() { this.open() }
  async *ticks() { yield 1; yield 2 }
  caller() { return 'a method of that name' }
  coded() { throw Object.assign(new Error('no paper'), { code: 'PRINTER_EMPTY', hint: 'Fill it.' }) }
  plain() { throw new TypeError('a plain mistake') }
  text() { throw 'only text' }
  empty() { throw undefined }
  object() { throw { code: 'NOT_AN_ERROR', message: 'a bare object' } }
  inherited() { throw Object.assign(new Error('odd code'), { code: 'toString' }) }
  _secret() { return 'secret' }
  async init() {}
  async shutdown() {}
}
`

const running: TestSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
})

async function serve(files: Record<string, string> = {}): Promise<Served> {
  const system = await startSystem({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/probe.yml': 'prog: probe\n',
    'modules/probe.ts': PROBE,
    ...files,
  })
  running.push(system)
  const { url } = JSON.parse(system.root.read('runtime/http.json')) as { url: string }
  const headers = {
    authorization: `Bearer ${system.root.read('runtime/token').trim()}`,
    'content-type': 'application/json',
  }
  const ask = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : { text } }
  }
  const call = (method: string, ...args: unknown[]): Promise<Answer> =>
    ask('POST', '/api/services/probe/call', { method, args })
  return { system, ask, call }
}

const outcome = ({ status, body }: Answer): [number, string | undefined] => [status, body.error?.code]

const FIELDS = [
  'state',
  'generation',
  'source_hash',
  'config_hash',
  'disk_hash',
  'stale',
  'sandboxed',
  'calls',
  'errors',
  'in_flight',
  'tasks',
  'uptime_s',
  'last_error',
  'last_error_at',
  'waiting_for',
]

it('every service is listed with the documented fields, sorted by name', async () => {
  const { ask } = await serve()
  const { status, body } = await ask('GET', '/api/services')
  expect(status).toBe(200)
  const services = body['services'] as Record<string, unknown>[]
  expect(services.map((one) => one['api'])).toEqual(['http', 'kernel', 'probe'])
  for (const service of services) expect(Object.keys(service)).toEqual(expect.arrayContaining(FIELDS))
})

it('a service in detail has the same fields, and its methods', async () => {
  const { ask, call } = await serve()
  await call('add', 1, 2)
  await call('coded')
  const { status, body } = await ask('GET', '/api/services/probe')
  expect(status).toBe(200)
  expect(Object.keys(body)).toEqual(expect.arrayContaining([...FIELDS, 'methods', 'aspects', 'tools', 'draining']))
  expect(body).toMatchObject({ state: 'live', generation: 1, stale: false, sandboxed: false, calls: 2, errors: 1 })
  expect(body).toMatchObject({ in_flight: 0, tasks: 0, waiting_for: [], last_error: { code: 'PRINTER_EMPTY' } })
  expect(body['source_hash']).toBe(body['disk_hash'])
  expect(body['config_hash']).toMatch(/^[0-9a-f]+$/)
  expect(typeof body['last_error_at']).toBe('number')
  const methods = (body['methods'] as { name: string }[]).map((one) => one.name)
  expect(methods).toEqual(expect.arrayContaining(['add', 'later', 'ticks']))
  for (const hidden of ['_secret', 'init', 'shutdown', 'constructor', 'field']) expect(methods).not.toContain(hidden)
})

it('a service that waits says for what', async () => {
  const { ask } = await serve({ 'configs/probe.yml': 'prog: probe\nneeds: [printer]\n' })
  const { body } = await ask('GET', '/api/services/probe')
  expect(body).toMatchObject({ state: 'waiting', generation: null, waiting_for: ['printer'] })
})

it('an unknown service is a 404 that names near ones', async () => {
  const { ask } = await serve()
  for (const [method, path] of [
    ['GET', '/api/services/prob'],
    ['POST', '/api/services/prob/reload'],
  ] as const) {
    const answer = await ask(method, path)
    expect(outcome(answer)).toEqual([404, 'service_not_found'])
    expect(answer.body.error?.message).toContain('probe')
  }
  expect(outcome(await ask('POST', '/api/services/prob/call', { method: 'add' }))).toEqual([404, 'service_not_found'])
})

it('a name with a slash is one encoded part of the path', async () => {
  const { ask } = await serve({ 'configs/tasks/counter.yml': 'prog: probe\n' })
  const path = '/api/services/tasks%2Fcounter'
  expect((await ask('GET', path)).body).toMatchObject({ api: 'tasks/counter', state: 'live' })
  expect((await ask('POST', `${path}/call`, { method: 'add', args: [2, 3] })).body).toMatchObject({ result: 5 })
  expect((await ask('POST', `${path}/reload`)).body).toMatchObject({ ok: true, generation: 2 })
  expect(outcome(await ask('GET', '/api/services/tasks/counter'))).toEqual([404, 'not_found'])
})

it('a call answers result, generation, the hashes of what answered, and a trace id of its own', async () => {
  const { call, ask } = await serve()
  const first = await call('add', 20, 22)
  expect(first.status).toBe(200)
  expect(Object.keys(first.body).sort()).toEqual(['config_hash', 'generation', 'result', 'source_hash', 'trace_id'])
  const { source_hash, config_hash } = (await ask('GET', '/api/services/probe')).body
  expect(first.body).toMatchObject({ source_hash, config_hash })
  expect(first.body).toMatchObject({ result: 42, generation: 1 })
  await ask('POST', '/api/services/probe/reload')
  const second = await call('later', { deep: [1, null, 'x'] })
  expect(second.body).toMatchObject({ result: { deep: [1, null, 'x'] }, generation: 2 })
  expect(second.body.trace_id).not.toBe(first.body.trace_id)
  expect(first.body.trace_id).toMatch(/^\S{8,}$/)
})

it('arguments arrive as they were sent; none is none', async () => {
  const { call, ask } = await serve()
  expect((await call('echo', 1, 'two', null, { three: [3] })).body.result).toEqual([1, 'two', null, { three: [3] }])
  expect((await ask('POST', '/api/services/probe/call', { method: 'echo' })).body.result).toEqual([])
})

it('undefined becomes null, a BigInt its digits', async () => {
  const { call } = await serve()
  const nothing = await call('nothing')
  expect([nothing.status, nothing.body.result]).toEqual([200, null])
  expect((await call('big')).body.result).toEqual({ small: 1, big: '12345678901234567890' })
})

it('a result that JSON cannot hold is a coded error, not something else', async () => {
  const { call } = await serve()
  for (const method of ['shadow', 'mark', 'round']) {
    expect([method, ...outcome(await call(method))]).toEqual([method, 500, 'result_not_cloneable'])
  }
})

it('a stream is refused with a coded error, not answered with null', async () => {
  const { call } = await serve()
  expect(outcome(await call('ticks'))).toEqual([500, 'result_not_cloneable'])
})

it("the callee's own error is a 500 with its code, message and hint", async () => {
  const { call } = await serve()
  const coded = await call('coded')
  expect(outcome(coded)).toEqual([500, 'PRINTER_EMPTY'])
  expect(coded.body.error).toMatchObject({ message: 'no paper', hint: 'Fill it.', doc: 'ERRORS.md#PRINTER_EMPTY' })
  const plain = await call('plain')
  expect(outcome(plain)).toEqual([500, 'callee_error'])
  expect(plain.body.error?.message).toBe('a plain mistake')
  expect(JSON.stringify(plain.body)).not.toContain('    at ')
})

it('whatever is thrown, the answer is a 500 with an error body', async () => {
  const { call } = await serve()
  const expected: [string, string][] = [
    ['text', 'callee_error'],
    ['empty', 'callee_error'],
    ['object', 'NOT_AN_ERROR'],
  ]
  const got: unknown[] = []
  for (const [method] of expected) got.push([method, ...outcome(await call(method))])
  expect(got).toEqual(expected.map(([method, code]) => [method, 500, code]))
})

it("an error code that is a name of every object is a callee's error like any other", async () => {
  const { call } = await serve()
  expect(outcome(await call('inherited'))).toEqual([500, 'toString'])
})

it('an unknown method is a 404 that names near ones, a value is no method', async () => {
  const { call } = await serve()
  const unknown = await call('ad')
  expect(outcome(unknown)).toEqual([404, 'method_not_found'])
  expect(unknown.body.error?.message).toContain('add')
  expect(outcome(await call('field'))).toEqual([400, 'not_a_method'])
})

it('private and lifecycle names are a 403', async () => {
  const { call } = await serve()
  for (const method of ['_secret', '__proto__', '_serve'])
    expect([method, ...outcome(await call(method))]).toEqual([method, 403, 'private_member'])
  for (const method of ['init', 'shutdown', 'run', 'getAspect'])
    expect([method, ...outcome(await call(method))]).toEqual([method, 403, 'lifecycle_member'])
})

it('names that belong to every handle or object are refused with an error body', async () => {
  const { call } = await serve()
  for (const method of ['then', 'with', 'as', 'getStats', 'toString', 'valueOf', 'toJSON', 'constructor', 'catch'])
    expect([method, ...outcome(await call(method))]).toEqual([method, 404, 'method_not_found'])
  for (const method of ['_edge', '_route', '_used', '__defineGetter__', 'hasOwnProperty', 'isPrototypeOf']) {
    const [status, code] = outcome(await call(method))
    expect([method, [403, 404].includes(status), typeof code]).toEqual([method, true, 'string'])
  }
})

it('a method may have a name the handle uses for itself', async () => {
  const { call } = await serve()
  const answer = await call('caller')
  expect([answer.status, answer.body.result]).toEqual([200, 'a method of that name'])
})

it('a call that does not answer is a 504 at its deadline', async () => {
  const { ask, call } = await serve()
  const answer = await ask('POST', '/api/services/probe/call', { method: 'wait', deadline_ms: 30 })
  expect(outcome(answer)).toEqual([504, 'deadline_exceeded'])
  expect(answer.body.error?.message).toContain('30 ms')
  expect((await call('release')).status).toBe(200)
})

it('a wrong call is a 400 that names the part', async () => {
  const { ask } = await serve()
  const wrong: [string, object][] = [
    ['method', {}],
    ['method', { method: '' }],
    ['method', { method: 7 }],
    ['args', { method: 'add', args: { a: 1 } }],
    ['args', { method: 'add', args: null }],
    ['aspect', { method: 'add', aspect: 1 }],
    ['deadline_ms', { method: 'add', deadline_ms: 0 }],
    ['deadline_ms', { method: 'add', deadline_ms: '10' }],
  ]
  for (const [part, body] of wrong) {
    const answer = await ask('POST', '/api/services/probe/call', body)
    expect([body, ...outcome(answer)]).toEqual([body, 400, 'bad_request'])
    expect(answer.body.error?.message).toContain(`\`${part}\``)
  }
})

it('an aspect that is not there is a 404', async () => {
  const { ask } = await serve()
  const body = { method: 'add', args: [1, 2], aspect: 'moon' }
  expect(outcome(await ask('POST', '/api/services/probe/call', body))).toEqual([404, 'aspect_not_found'])
})
