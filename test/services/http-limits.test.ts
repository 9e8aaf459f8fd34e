/** What the HTTP API refuses before it looks at the content: sizes, types, bytes that are no request, slow senders. */
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

interface Answer {
  status: number
  code: string | undefined
  text: string
}

interface Served {
  system: TestSystem
  port: number
  post(path: string, chunks: string[], headers?: Record<string, string>): Promise<Answer>
}

const running: TestSystem[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const system of running.splice(0)) await system.stop()
})

const ECHO = 'export class Module { echo(value: unknown) { return value } }\n'

async function serve(config = ''): Promise<Served> {
  const system = await startSystem({
    'configs/http.yml': `prog: services/http\nport: 0\n${config}`,
    'configs/echo.yml': 'prog: echo\n',
    'modules/echo.ts': ECHO,
  })
  running.push(system)
  const { url } = JSON.parse(system.root.read('runtime/http.json')) as { url: string }
  const port = Number(new URL(url).port)
  const authorization = `Bearer ${system.root.read('runtime/token').trim()}`
  const json = { authorization, 'content-type': 'application/json' }
  return { system, port, post: (path, chunks, headers) => post(port, path, chunks, { ...json, ...headers }) }
}

/** Several chunks go out as chunked transfer, one with its length. */
function post(port: number, path: string, chunks: string[], headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const [only = ''] = chunks
    const length = chunks.length > 1 ? {} : { 'content-length': String(Buffer.byteLength(only)) }
    const options = { host: '127.0.0.1', port, method: 'POST', path, headers: { ...headers, ...length }, agent: false }
    const asked = request(options, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, code: codeIn(text), text }))
    })
    asked.on('error', reject)
    for (const chunk of chunks) asked.write(chunk)
    asked.end()
  })
}

const codeIn = (text: string): string | undefined =>
  text.startsWith('{') ? (JSON.parse(text) as { error?: { code: string } }).error?.code : undefined

/** All bytes the server sends until it closes the connection. */
function talk(port: number, first: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(first))
    sockets.push(socket)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

const call = (bytes: number): string => {
  const empty = JSON.stringify({ method: 'echo', args: [''] })
  return JSON.stringify({ method: 'echo', args: ['x'.repeat(bytes - empty.length)] })
}
const CALL = '/api/services/echo/call'

it('a body of exactly the limit passes, one byte more is a 413', async () => {
  const { post: send } = await serve('body_bytes_max: 2000\n')
  expect((await send(CALL, [call(2_000)])).status).toBe(200)
  expect(await send(CALL, [call(2_001)])).toMatchObject({ status: 413, code: 'body_too_large' })
})

it('a body a few KB past the default limit is answered with 413, not with a reset', async () => {
  const { post: send } = await serve()
  for (let round = 0; round < 5; round++) {
    expect(await send(CALL, [call(1_048_576 + 4_096)])).toMatchObject({ status: 413, code: 'body_too_large' })
  }
  expect((await send(CALL, [call(100)])).status).toBe(200)
})

it('a chunked body past the limit is a 413 too', async () => {
  const { post: send } = await serve('body_bytes_max: 2000\n')
  const chunks = (text: string): string[] => text.match(/.{1,512}/gs) ?? []
  expect((await send(CALL, chunks(call(2_000)))).status).toBe(200)
  for (let round = 0; round < 5; round++) {
    expect(await send(CALL, chunks(call(6_000)))).toMatchObject({ status: 413, code: 'body_too_large' })
  }
})

it('the limit holds for tools and chat as for calls', async () => {
  const { post: send } = await serve('body_bytes_max: 2000\n')
  for (const path of ['/api/tools/kernel_status', '/api/chat', '/api/services/echo/reload']) {
    expect([path, (await send(path, [call(5_000)])).status]).toEqual([path, 413])
  }
})

it('a refused request with a body still gets its answer', async () => {
  const { post: send } = await serve()
  const answer = await send(CALL, [call(8_000)], { authorization: 'Bearer wrong' })
  expect(answer).toMatchObject({ status: 401, code: 'unauthorized' })
})

it('a body that is no JSON is a 400 that says so', async () => {
  const { post: send } = await serve()
  for (const body of ['{', '{"method": "echo",}', 'method=echo', '\u0000']) {
    const answer = await send(CALL, [body])
    expect([body, answer.status, answer.code]).toEqual([body, 400, 'bad_request'])
    expect(answer.text).toContain('not JSON')
  }
})

it('JSON that is no object is a 400', async () => {
  const { post: send } = await serve()
  for (const body of ['[]', '"echo"', '5', 'null', 'true']) {
    const answer = await send(CALL, [body])
    expect([body, answer.status, answer.code]).toEqual([body, 400, 'bad_request'])
    expect(answer.text).toContain('must be a JSON object')
  }
})

it('another content type is a 415, whatever the body says', async () => {
  const { post: send } = await serve()
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'multipart/form-data',
    '',
  ]) {
    const answer = await send(CALL, [call(100)], { 'content-type': type })
    expect([type, answer.status, answer.code]).toEqual([type, 415, 'unsupported_media'])
  }
})

it('JSON with a charset or a suffix is JSON', async () => {
  const { post: send } = await serve()
  for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.machine.v1+json']) {
    expect([type, (await send(CALL, [call(100)], { 'content-type': type })).status]).toEqual([type, 200])
  }
})

it('an empty body is an empty object: what is missing is named', async () => {
  const { post: send } = await serve()
  const answer = await send(CALL, [''], { 'content-type': 'text/plain' })
  expect(answer).toMatchObject({ status: 400, code: 'bad_request' })
  expect(answer.text).toContain('method')
})

it('headers past the limit are a 431 and the connection ends', async () => {
  const { port } = await serve('header_bytes_max: 4096\n')
  const head = `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Long: ${'x'.repeat(8_000)}\r\n\r\n`
  expect(await talk(port, head)).toMatch(/^HTTP\/1\.1 431 [\s\S]*connection: close/i)
})

it('a limit changed in the config holds for the next connection, on the same socket', async () => {
  const { port, system } = await serve()
  const head = `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\nX-Long: ${'x'.repeat(8_000)}\r\n\r\n`
  expect(await talk(port, head)).toMatch(/^HTTP\/1\.1 200 /)
  const live = system.event('service.live', (data) => data['api'] === 'http' && data['generation'] === 2)
  system.root.write('configs/http.yml', 'prog: services/http\nport: 0\nheader_bytes_max: 4096\nheaders_ms: 200\n')
  await live
  expect(JSON.parse(system.root.read('runtime/http.json'))).toMatchObject({ url: `http://127.0.0.1:${port}` })
  expect(await talk(port, head)).toMatch(/^HTTP\/1\.1 431 /)
  const slow = `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Slow: `
  expect(await talk(port, slow)).toMatch(/^(HTTP\/1\.1 408 |$)/)
})

it('bytes that are no HTTP are a 400 and the connection ends', async () => {
  const { port, system } = await serve()
  expect(await talk(port, 'hello machine\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  expect((await system.show('http')).errors).toBe(0)
})

it('a sender that never finishes its headers is closed', async () => {
  const { port } = await serve('headers_ms: 200\n')
  expect(await talk(port, `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Slow: `)).toMatch(
    /^(HTTP\/1\.1 408 |$)/,
  )
})

it('a sender that never finishes its body is closed', async () => {
  const { port, system } = await serve('headers_ms: 200\nrequest_ms: 400\n')
  const head = [
    `POST ${CALL} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${system.root.read('runtime/token').trim()}`,
    'Content-Type: application/json',
    'Content-Length: 500',
  ]
  await talk(port, `${head.join('\r\n')}\r\n\r\n{"method"`)
  expect((await system.show('echo')).calls).toBe(0)
})
