/** Who may ask, where, and how a refusal looks: the door of the HTTP API. */
import { request, type IncomingHttpHeaders } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

interface Served {
  system: TestSystem
  port: number
  token: string
  /** One request, exactly as written: no path is tidied up, no header added but Host. */
  send(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Answer>
}

const running: TestSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
})

async function serve(config = '', files: Record<string, string> = {}): Promise<Served> {
  const system = await startSystem({ 'configs/http.yml': `prog: services/http\nport: 0\n${config}`, ...files })
  running.push(system)
  const { url } = JSON.parse(system.root.read('runtime/http.json')) as { url: string }
  const port = Number(new URL(url).port)
  const token = system.root.read('runtime/token').trim()
  return { system, port, token, send: (method, path, headers, body) => send(port, method, path, headers, body) }
}

function send(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers, agent: false }
    const asked = request(options, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

const errorOf = ({ text }: Answer): { code: string; message: string; hint: string; doc: string } =>
  (JSON.parse(text) as { error: { code: string; message: string; hint: string; doc: string } }).error

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

const ROUTES: [string, string][] = [
  ['GET', '/api'],
  ['GET', '/api/kernel'],
  ['GET', '/api/services'],
  ['GET', '/api/services/http'],
  ['POST', '/api/services/http/call'],
  ['POST', '/api/services/http/reload'],
  ['GET', '/api/events'],
  ['GET', '/api/tree'],
  ['GET', '/api/tools'],
  ['POST', '/api/tools/kernel_status'],
  ['POST', '/api/chat'],
  ['GET', '/api/nothing-here'],
  ['GET', '/mcp'],
]

it('health is open and tells the status, the kernel and every service', async () => {
  const { send: ask } = await serve()
  const answer = await ask('GET', '/health')
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.text)).toEqual({
    status: 'ok',
    kernel: { version: '1.0.0', prog: 'kernel' },
    services: { http: { state: 'live', generation: 1 }, kernel: { state: 'live', generation: 1 } },
  })
})

it('every route under /api and /mcp wants the token', async () => {
  const { send: ask } = await serve()
  for (const [method, path] of ROUTES) {
    const answer = await ask(method, path)
    expect([path, answer.status, errorOf(answer).code]).toEqual([path, 401, 'unauthorized'])
    expect(answer.headers['www-authenticate']).toBe('Bearer')
  }
})

it('a wrong token is refused like none', async () => {
  const { send: ask, token } = await serve()
  const wrong = [
    'Bearer ',
    `Bearer ${token.slice(0, -1)}`,
    `Bearer ${token}0`,
    `Basic ${token}`,
    token,
    `Bearer ${token} x`,
  ]
  for (const authorization of wrong) {
    const answer = await ask('GET', '/api/services', { authorization })
    expect([authorization, answer.status]).toEqual([authorization, 401])
  }
  expect((await ask('GET', '/api/services', bearer(token))).status).toBe(200)
})

it('a token in the query or in a cookie does not count', async () => {
  const { send: ask, token } = await serve()
  expect((await ask('GET', `/api/services?token=${token}`)).status).toBe(401)
  expect((await ask('GET', '/api/services', { cookie: `token=${token}` })).status).toBe(401)
})

it('no spelling of the path gets around the token', async () => {
  const { send: ask, system } = await serve()
  const spellings = [
    '/%61pi/services',
    '/ap%69/kernel',
    '/%61%70%69/tree',
    '//api/services',
    '/./api/services',
    '/health/../api/services',
    '/health/%2e%2e/api/services',
    '/API/services',
    '/api%2Fservices',
    '/\\api/services',
  ]
  const through: string[] = []
  for (const path of spellings) if ((await ask('GET', path)).status < 400) through.push(path)
  expect(through).toEqual([])
  await ask('POST', '/%61pi/services/http/reload')
  expect((await system.show('http')).generation).toBe(1)
})

it('a Host that is not this server is refused on open routes too', async () => {
  const { send: ask, port, token } = await serve()
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`, 'localhost']) {
    for (const path of ['/health', '/api/services']) {
      const answer = await ask('GET', path, { ...bearer(token), host })
      expect([host, path, answer.status, errorOf(answer).code]).toEqual([host, path, 403, 'host_refused'])
    }
  }
})

it('every loopback name of this server is accepted, and those of the config', async () => {
  const { send: ask, port } = await serve("hosts: ['machine.test:80']\n")
  for (const host of [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    `LOCALHOST:${port}`,
    `[::1]:${port}`,
    'machine.test:80',
  ])
    expect([host, (await ask('GET', '/health', { host })).status]).toEqual([host, 200])
})

it('a page of another origin is refused, with the right token too', async () => {
  const { send: ask, port, token } = await serve("origins: ['https://friend.example']\n")
  for (const origin of [
    'https://evil.example',
    'null',
    `http://127.0.0.1:${port + 1}`,
    'http://localhost',
    'file://',
  ]) {
    const answer = await ask('GET', '/api/services', { ...bearer(token), origin })
    expect([origin, answer.status, errorOf(answer).code]).toEqual([origin, 403, 'origin_refused'])
  }
  for (const origin of [`http://127.0.0.1:${port}`, `http://localhost:${port}`, 'https://friend.example'])
    expect([origin, (await ask('GET', '/api/services', { ...bearer(token), origin })).status]).toEqual([origin, 200])
})

it('an unknown path is a 404 of the documented shape', async () => {
  const { send: ask, token } = await serve()
  for (const path of ['/nothing-here', '/api/nothing-here', '/api/services/http/nothing']) {
    const answer = await ask('GET', path, bearer(token))
    expect(answer.status).toBe(404)
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    const body = JSON.parse(answer.text) as { error: object }
    expect(Object.keys(body)).toEqual(['error'])
    expect(Object.keys(body.error).sort()).toEqual(['code', 'doc', 'hint', 'message'])
    expect(errorOf(answer)).toMatchObject({ code: 'not_found', doc: 'ERRORS.md#not_found' })
    expect(errorOf(answer).message).toContain(path)
  }
})

it("a path that cannot be read is the asker's mistake, not a failure of the service", async () => {
  const { send: ask, system } = await serve()
  for (const path of ['//', '///', '/%', '/%E0%A4%A', '/api/services/%E0%A4%A']) {
    const answer = await ask('GET', path)
    expect([path, answer.status >= 400 && answer.status < 500]).toEqual([path, true])
    expect([path, typeof errorOf(answer).code]).toEqual([path, 'string'])
  }
  expect((await system.show('http')).errors).toBe(0)
})

it('no answer may be kept or sniffed', async () => {
  const { send: ask, token } = await serve()
  for (const path of ['/health', '/api/services', '/nothing-here']) {
    const { headers } = await ask('GET', path, bearer(token))
    expect([path, headers['cache-control'], headers['x-content-type-options']]).toEqual([path, 'no-store', 'nosniff'])
  }
  expect((await ask('GET', '/api/services')).headers['cache-control']).toBe('no-store')
})
