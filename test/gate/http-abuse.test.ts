/**
 * R15: the API under abuse. Each misuse gets its exact status and nothing about the machine, no route fails, and who
 * behaves is served all the while. How long good requests take meanwhile is measured in bench/http.ts.
 */
import { afterEach, expect, it } from 'vitest'
import { ROUTES } from '../../modules/services/http/routes/index.ts'
import { fuzzed, slowSender, statusesIn, talk } from '../support/http-abuse.ts'
import { outcome, serveHttp, type HttpAnswer, type HttpSystem } from '../support/http.ts'
import { random, underCalls } from '../support/load.ts'

const SEED = 20_261_121
const FUZZED = 10_000
const BODY_BYTES = 1_073_741_824
const SLOW = 500
const PARALLEL = 1_000

const FILES = {
  'configs/tools.yml': 'prog: services/tools\n',
  'configs/echo.yml': 'prog: echo\n',
  'modules/echo.ts':
    'export class Module { waiting = []; echo(value) { return value } wait() { return new Promise((open) => this.waiting.push(open)) } open() { for (const one of this.waiting.splice(0)) one() } }\n',
}

const running: HttpSystem[] = []
afterEach(async () => {
  for (const { system } of running.splice(0)) await system.stop()
})

/** Strangers are let in as fast as they come, unless a test is about that. */
async function serve(config = 'strangers_per_s: 100000\n'): Promise<HttpSystem> {
  const served = await serveHttp(FILES, { config })
  running.push(served)
  return served
}

function expectNothingShown({ system, token }: HttpSystem, text: string): void {
  for (const hidden of [system.root.path, process.cwd(), 'node_modules', 'node:internal', '    at ', token])
    expect(text).not.toContain(hidden)
}

/** Somebody who behaves, for as long as `work` goes on: every answer has to be right. */
async function whileServing({ call }: HttpSystem, work: () => Promise<unknown>): Promise<void> {
  const one = async (_caller: number, n: number): Promise<void> => {
    const answer = await call('echo', 'echo', [n])
    if (answer.status !== 200 || answer.body['result'] !== n) throw new Error(`${answer.status} ${answer.text}`)
  }
  const counts = await underCalls(2, one, work)
  expect(counts.failed.slice(0, 3)).toEqual([])
  expect(counts.calls).toBeGreaterThan(2)
}

it('every route: no token and a forged one are 401, a wrong Host and Origin 403, a path out of it 404', async () => {
  const served = await serve()
  const { ask, token, port } = served
  const good = { host: `127.0.0.1:${port}` }
  for (const { method, path, scope, raw } of ROUTES) {
    const at = path.replaceAll(/\{\w+\}/g, 'echo')
    const answers = {
      none: await ask(method, at, { token: null }),
      forged: await ask(method, at, { token: `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}` }),
      host: await ask(method, at, { headers: { host: 'evil.example' } }),
      origin: await ask(method, at, { headers: { ...good, origin: 'https://evil.example' } }),
    }
    const unknown = scope === 'open' && raw !== true ? 200 : 401
    const statuses = Object.values(answers).map(({ status }) => status)
    expect([path, ...statuses]).toEqual([path, unknown, unknown, 403, 403])
    for (const { text } of Object.values(answers)) expectNothingShown(served, text)
  }
})

it('no path leads out of the API', async () => {
  const served = await serve()
  const paths = [
    '/../../etc/passwd',
    '/api/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/etc/passwd',
    '//etc/passwd',
    '/api/services/..%2f..%2fetc%2fpasswd',
    '/static/../../runtime/token',
    '/runtime/token',
    '/api/tools/..%5c..%5cruntime',
  ]
  for (const path of paths) {
    const answer = await served.ask('GET', path)
    expect([path, answer.status]).toEqual([path, 404])
    expectNothingShown(served, answer.text)
    expect(answer.text).not.toContain('root:')
  }
})

it(`${FUZZED} requests made up at random are refused or answered, never failed on`, async () => {
  const served = await serve()
  const { ask, token, system } = served
  const draw = random(SEED)
  const seen = new Map<number, number>()
  const failed: unknown[] = []
  const storm = async (): Promise<void> => {
    for (let left = FUZZED; left > 0; left -= 50) {
      const batch = Array.from({ length: Math.min(50, left) }, () => fuzzed(draw, token))
      const answers = await Promise.all(batch.map((one) => send(one)))
      answers.forEach((answer, at) => {
        seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
        if (answer.status >= 500) failed.push([batch[at], answer.text])
        // Who may read is told where the source of a service stands; a refusal tells nobody anything.
        if (answer.status >= 400) expectNothingShown(served, answer.text)
        expect(answer.text).not.toContain(token)
      })
    }
  }
  const send = ({ method, path, headers, body }: ReturnType<typeof fuzzed>): Promise<HttpAnswer> =>
    ask(method, path, { token: null, headers, ...(body === undefined ? {} : { body }) })
  await whileServing(served, storm)
  expect(failed.slice(0, 3)).toEqual([])
  const known = [200, 400, 401, 403, 404, 409, 413, 415, 422]
  expect([...seen.keys()].filter((status) => !known.includes(status))).toEqual([])
  for (const status of [200, 400, 401, 403, 404, 415])
    expect([status, (seen.get(status) ?? 0) > 10]).toEqual([status, true])
  expect((await system.show('http')).errors).toBe(0)
})

it('bytes that are no HTTP, and HTTP that could be read in two ways, are 400', async () => {
  const served = await serve()
  const host = `Host: 127.0.0.1:${served.port}\r\n`
  const bad = [
    '\u0000\u0001\u0002\r\n\r\n',
    'hello\r\n\r\n',
    `GET /health HTTP/9.9\r\n${host}\r\n`,
    `GET /health HTTP/1.1\r\n${host}Bad Header: x\r\n\r\n`,
    `POST /api/plan HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /api/plan HTTP/1.1\r\n${host}Content-Length: -5\r\n\r\n`,
    `POST /api/plan HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nnot a length\r\n`,
  ]
  for (const bytes of bad) {
    const said = await talk(served.port, [bytes])
    expect([bytes, statusesIn(said).at(-1)]).toEqual([
      bytes,
      bytes.includes('not a length') ? statusesIn(said).at(-1) : 400,
    ])
    expect(statusesIn(said).every((status) => status < 500)).toBe(true)
    expectNothingShown(served, said.text)
  }
})

it('pipelined requests are each answered, in order', async () => {
  const served = await serve()
  const one = (path: string, last: boolean): string =>
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\n${last ? 'Connection: close\r\n' : ''}\r\n`
  const paths = Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? '/health' : '/none'))
  const said = await talk(served.port, [paths.map((path, n) => one(path, n === 99)).join('')])
  expect(statusesIn(said)).toEqual(paths.map((path) => (path === '/health' ? 200 : 404)))
})

it('a body of 1 GB is refused at its first byte too many, also one that does not say how long it is', async () => {
  const served = await serve()
  const head = (length: string): string =>
    `POST /api/services/echo/call HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${served.token}\r\nContent-Type: application/json\r\n${length}\r\n\r\n`
  const piece = Buffer.alloc(65_536, 120)
  function* endless(length: string, wrap: (bytes: Buffer) => Buffer): Generator<string | Buffer> {
    yield head(length)
    for (let left = BODY_BYTES; left > 0; left -= piece.length) yield wrap(piece)
  }
  const chunk = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from('10000\r\n'), bytes, Buffer.from('\r\n')])
  await whileServing(served, async () => {
    for (const [length, wrap] of [
      [`Content-Length: ${BODY_BYTES}`, (bytes: Buffer) => bytes],
      ['Transfer-Encoding: chunked', chunk],
    ] as const) {
      const said = await talk(served.port, endless(length, wrap))
      expect([length, statusesIn(said)]).toEqual([length, [413]])
      expect(said.text).toContain('body_too_large')
      // What the two ends hold in their buffers is all that goes out beyond the limit.
      expect(said.sent).toBeLessThan(BODY_BYTES / 8)
    }
  })
})

it('headers of 64 KB are 431', async () => {
  const served = await serve()
  const head = `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nX-Long: ${'x'.repeat(65_536)}\r\n\r\n`
  const said = await talk(served.port, [head])
  expect([statusesIn(said), said.text.includes('headers_too_large')]).toEqual([[431], true])
})

it(`${SLOW} senders that stop in the midst are closed with 408 by the default limits, and who behaves is served`, async () => {
  const served = await serve()
  const host = `Host: 127.0.0.1:${served.port}\r\n`
  const starts = [
    '',
    'GET /hea',
    `GET /health HTTP/1.1\r\n${host}X-Slow: `,
    `POST /api/services/echo/call HTTP/1.1\r\n${host}Authorization: Bearer ${served.token}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"method"`,
  ]
  await whileServing(served, async () => {
    const senders = Array.from({ length: SLOW }, (_, n) => slowSender(served.port, starts[n % starts.length] ?? ''))
    const said = await Promise.all(senders.map((one) => one.closed))
    const statuses = new Set(said.map((text) => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1]))
    expect([...statuses]).toEqual(['408'])
    for (const text of said) expect(text).toContain('request_timeout')
  })
})

it(`${PARALLEL} requests at once: as many as are allowed go on, the others are told to come again`, async () => {
  const served = await serve('parallel_max: 600\n')
  const { call, system, ask } = served
  const asked = Array.from({ length: PARALLEL }, () => call('echo', 'wait'))
  const refused: HttpAnswer[] = []
  for (const one of asked) void one.then((answer) => answer.status === 429 && refused.push(answer))
  await expect.poll(() => refused.length, { timeout: 60_000 }).toBe(PARALLEL - 600)
  expect((await system.show('echo')).in_flight).toBe(600)
  await system.getApi('echo')['open']?.()
  const answers = await Promise.all(asked)
  expect(answers.filter(({ status }) => status === 200).length).toBe(600)
  for (const answer of refused)
    expect([...outcome(answer), answer.headers['retry-after']]).toEqual([429, 'too_many_requests', '1'])
  expect((await ask('GET', '/health')).status).toBe(200)
})

it('a flood of strangers is 429, and who has a token is served', async () => {
  const served = await serve('strangers_per_s: 50\n')
  await whileServing(served, async () => {
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, () => served.ask('GET', '/api/services', { token: null })),
    )
    const codes = new Set(answers.map((answer) => outcome(answer).join(' ')))
    expect([...codes].sort()).toEqual(['401 unauthorized', '429 rate_limited'])
    expect(
      answers.filter(({ status }) => status === 429).every(({ headers }) => Number(headers['retry-after']) >= 1),
    ).toBe(true)
  })
})
