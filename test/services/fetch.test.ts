/** The fetch service over real HTTP on 127.0.0.1: what it answers, whom it refuses, and where its limits are. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { FetchAnswer, FetchApi } from '../../modules/contracts/services.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let server: Server
let system: TestSystem
let base: string
let port: number
const seen: IncomingMessage[] = []
/** Answers that nobody has ended. */
const held = new Set<ServerResponse>()

const ROUTES: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/hello': (_request, response) => response.setHeader('set-cookie', ['a=1', 'b=2']).end('hello ä'),
  '/json': (_request, response) => response.setHeader('content-type', 'application/json').end('{"a":[1]}'),
  '/latin': (_request, response) =>
    response.setHeader('content-type', 'text/plain; charset=iso-8859-1').end(Buffer.from([0xe4])),
  '/missing': (_request, response) => response.writeHead(404).end('no'),
  '/large': (_request, response) => response.end('x'.repeat(5_000)),
  '/endless': (_request, response) => {
    const more = (): void => {
      if (!response.destroyed) response.write('x'.repeat(500), more)
    }
    more()
  },
  '/slow': (_request, response) => void held.add(response),
  '/slow-body': (_request, response) => {
    held.add(response)
    response.write('first')
  },
  '/broken': (_request, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('part', () => response.destroy())
  },
  '/zipped': (_request, response) => response.setHeader('content-encoding', 'gzip').end('x'),
  '/again': (_request, response) => response.writeHead(302, { location: '/again' }).end(),
  '/moved': (_request, response) => response.writeHead(302, { location: '/hello' }).end(),
  '/see-other': (_request, response) => response.writeHead(303, { location: '/echo' }).end(),
  '/kept': (_request, response) => response.writeHead(307, { location: '/echo' }).end(),
  '/elsewhere': (_request, response) => response.writeHead(302, { location: `http://localhost:${port}/echo` }).end(),
  '/metadata': (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
  '/file': (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  '/echo': (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { method, headers } = request
      response.end(JSON.stringify({ method, headers, body: Buffer.concat(parts).toString() }))
    })
  },
}

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request)
    const route = ROUTES[request.url ?? '']
    if (route === undefined) response.writeHead(500).end()
    else route(request, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  port = (server.address() as AddressInfo).port
  base = `http://127.0.0.1:${port}`
  const limits = 'answer_bytes_max: 4000\nbody_bytes_max: 1000\nredirects_max: 3\nopen_max: 4\n'
  const allowed = `hosts: ["127.0.0.1:${port}", "localhost:${port}", "10.0.0.1:*", "169.254.169.254"]\nprivate: [127.0.0.1]\n`
  system = await startSystem({
    'configs/fetch.yml': `prog: services/fetch\n${limits}${allowed}`,
    'configs/listed.yml': `prog: services/fetch\nredirect_hosts: listed\ntool: true\n${limits}${allowed}`,
    'configs/closed.yml': 'prog: services/fetch\n',
    'configs/public.yml': 'prog: services/fetch\nhosts: ["*:*"]\n',
  })
})
afterAll(async () => {
  await system.stop()
  for (const response of held) response.destroy()
  await new Promise((done) => server.close(done))
})

const service = (name = 'fetch'): Handle<FetchApi> => system.getApi<FetchApi>(name)
const refusal = async (url: string, name = 'fetch'): Promise<string> => (await rejection(service(name).get(url))).code
const echo = async (
  answer: Promise<FetchAnswer>,
): Promise<{ method: string; headers: Record<string, string>; body: string }> => (await answer).body as never

describe('answers', () => {
  it('are plain data: status, headers, text', async () => {
    expect(await service().get(`${base}/hello`)).toMatchObject({
      url: `${base}/hello`,
      status: 200,
      ok: true,
      redirects: 0,
      bytes: 8,
      body: 'hello ä',
      headers: { 'set-cookie': 'a=1\nb=2' },
    })
    expect(structuredClone(await service().get(`${base}/missing`))).toMatchObject({
      status: 404,
      ok: false,
      body: 'no',
    })
  })

  it('are given as JSON, as bytes, and by their charset', async () => {
    expect((await service().get(`${base}/json`, { as: 'json' })).body).toEqual({ a: [1] })
    expect((await service().get(`${base}/hello`, { as: 'bytes' })).body).toEqual(new Uint8Array(Buffer.from('hello ä')))
    expect((await service().get(`${base}/latin`)).body).toBe('ä')
    expect((await rejection(service().get(`${base}/hello`, { as: 'json' }))).code).toBe('fetch_failed')
  })

  it('to requests with a method, headers and a body', async () => {
    const headers = { Authorization: 'Bearer x', 'content-type': 'text/plain' }
    const sent = await echo(service().request(`${base}/echo`, { method: 'put', headers, body: 'ä', as: 'json' }))
    expect(sent).toMatchObject({
      method: 'PUT',
      body: 'ä',
      headers: { authorization: 'Bearer x', host: `127.0.0.1:${port}` },
    })
  })

  it('come as a stream, which ends when nobody wants more', async () => {
    const parts: Uint8Array[] = []
    for await (const part of service().stream(`${base}/hello`)) parts.push(part)
    expect(Buffer.concat(parts).toString()).toBe('hello ä')
    for await (const part of service().stream(`${base}/slow-body`)) {
      expect(Buffer.from(part).toString()).toBe('first')
      break
    }
    const failed = (async () => {
      for await (const _part of service().stream(`${base}/missing`)) throw new Error('it gave a part')
    })()
    expect((await rejection(failed)).code).toBe('fetch_failed')
  })
})

describe('refused', () => {
  it('every host while none is listed', async () => {
    expect(await refusal('http://example.com/', 'closed')).toBe('fetch_refused')
    expect(await refusal(`${base}/hello`, 'closed')).toBe('fetch_refused')
  })

  it('a host or a port that is not listed, before anything is resolved', async () => {
    const asked = seen.length
    for (const url of ['http://example.com/', `http://127.0.0.1:${port + 1}/`, `https://user:pass@127.0.0.1:${port}/`])
      expect(await refusal(url)).toBe('fetch_refused')
    expect(seen).toHaveLength(asked)
  })

  it('what is no http', async () => {
    for (const url of ['file:///etc/passwd', 'ftp://127.0.0.1/', 'data:text/plain,x', 'blob:x'])
      expect(await refusal(url)).toBe('fetch_refused')
    for (const url of ['', 'hello', '/hello', 5, null, { href: base }])
      expect(await refusal(url as string)).toBe('bad_arguments')
  })

  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.1/',
    'http://localhost/',
    'http://0.0.0.0/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://100.64.0.1/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:a00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[fe80::1]/',
    'http://[fd00::1]/',
    'http://[ff02::1]/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
  ])('%s, with every host listed, since its address is private', async (url) => {
    const error = await rejection(service('public').get(url))
    expect(error).toMatchObject({ code: 'fetch_refused', message: expect.stringContaining('private') as string })
  })

  it('a listed host whose address is private and not listed', async () => {
    expect(await refusal('http://10.0.0.1:80/')).toBe('fetch_refused')
  })

  it("headers that are the connection's own, methods and bodies that make no sense", async () => {
    for (const headers of [
      { host: 'x' },
      { 'Transfer-Encoding': 'chunked' },
      { a: 'b\r\nc: d' },
      { 'a b': 'c' },
      { a: 5 },
    ])
      expect((await rejection(service().get(`${base}/echo`, { headers: headers as never }))).code).toBe('bad_arguments')
    for (const options of [
      { method: 'CONNECT' },
      { method: 'TRACE' },
      { method: 'GET', body: 'x' },
      { method: 'POST', body: {} as never },
    ])
      expect((await rejection(service().request(`${base}/echo`, options))).code).toBe('bad_arguments')
  })
})

describe('redirects', () => {
  it('on the same host are followed, up to a limit', async () => {
    expect(await service().get(`${base}/moved`)).toMatchObject({ url: `${base}/hello`, redirects: 1, body: 'hello ä' })
    const asked = seen.length
    expect(await refusal(`${base}/again`)).toBe('fetch_failed')
    expect(seen).toHaveLength(asked + 4)
  })

  it('to another host are the answer: whoever asked may have been granted only the first', async () => {
    const answer = await service().get(`${base}/elsewhere`)
    expect(answer).toMatchObject({ status: 302, headers: { location: `http://localhost:${port}/echo` } })
  })

  it('to another listed host are followed where the config says so, without what was meant for the first', async () => {
    const headers = { authorization: 'Bearer x', cookie: 'a=1', 'x-other': 'y' }
    const sent = await echo(service('listed').get(`${base}/elsewhere`, { headers, as: 'json' }))
    expect(sent.headers).toMatchObject({ 'x-other': 'y', host: `localhost:${port}` })
    expect(sent.headers).not.toHaveProperty('authorization')
    expect(sent.headers).not.toHaveProperty('cookie')
  })

  it('are checked like the first URL: host, protocol and address', async () => {
    expect(await refusal(`${base}/metadata`, 'listed')).toBe('fetch_refused')
    expect(await refusal(`${base}/file`, 'listed')).toBe('fetch_refused')
  })

  it('change the method as browsers do', async () => {
    const options = { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' }, as: 'json' as const }
    const other = await echo(service().request(`${base}/see-other`, options))
    expect(other).toMatchObject({ method: 'GET', body: '' })
    expect(other.headers).not.toHaveProperty('content-type')
    expect(await echo(service().request(`${base}/kept`, options))).toMatchObject({ method: 'POST', body: 'x' })
  })
})

describe('limits', () => {
  it('of size, told by the header or found while it comes', async () => {
    expect(await refusal(`${base}/large`)).toBe('fetch_too_large')
    expect(await refusal(`${base}/endless`)).toBe('fetch_too_large')
    const body = 'x'.repeat(1_001)
    expect((await rejection(service().request(`${base}/echo`, { method: 'POST', body }))).code).toBe('fetch_too_large')
  })

  it('of time, before the answer and in the middle of it', async () => {
    for (const path of ['/slow', '/slow-body'])
      expect((await rejection(service().get(`${base}${path}`, { timeout_ms: 50 }))).code).toBe('fetch_timeout')
  })

  it('of requests under way, which end with their callers', async () => {
    const giveUp = new AbortController()
    const open = [1, 2, 3, 4].map(() => rejection(service().get(`${base}/slow`, { signal: giveUp.signal })))
    await expect.poll(() => refusal(`${base}/hello`)).toBe('fetch_busy')
    giveUp.abort(Object.assign(new Error('enough'), { code: 'given_up' }))
    expect((await Promise.all(open)).map((error) => error.code)).toEqual([
      'given_up',
      'given_up',
      'given_up',
      'given_up',
    ])
    expect(await service().get(`${base}/hello`)).toMatchObject({ status: 200 })
  })

  it('broken and encoded answers, and hosts that are not there, fail with a reason', async () => {
    for (const path of ['/broken', '/zipped']) expect(await refusal(`${base}${path}`)).toBe('fetch_failed')
    expect(await refusal('http://name.invalid/', 'public')).toBe('fetch_failed')
  })
})

it('models get it only where the config says so', async () => {
  expect((await system.show('fetch')).tools).toEqual([])
  expect((await system.show('listed')).tools).toMatchObject([{ name: 'get' }])
})

it('a wrong range in the config is told with its key', async () => {
  system.root.write('configs/wrong.yml', 'prog: services/fetch\nprivate: [10.0.0.0/33]\n')
  const failed = await system.happened('service.refused', (data) => data['api'] === 'wrong')
  expect(JSON.stringify(failed.data)).toContain('private')
})
