/** Lists in pages, and requests that are told which field is wrong. */
import { afterEach, expect, it } from 'vitest'
import { outcome, serveHttp, type HttpSystem } from '../support/http.ts'

const running: HttpSystem[] = []
afterEach(async () => {
  for (const { system } of running.splice(0)) await system.stop()
})

async function serve(files: Record<string, string> = {}): Promise<HttpSystem> {
  const served = await serveHttp({ 'configs/tools.yml': 'prog: services/tools\n', ...files })
  running.push(served)
  return served
}

async function pages({ ask }: HttpSystem, path: string, list: string, limit: number): Promise<string[][]> {
  const found: string[][] = []
  for (let cursor = ''; ; ) {
    const { body } = await ask('GET', `${path}?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`)
    const items = body[list] as Record<string, string>[]
    found.push(items.map((one) => one['name'] ?? one['api'] ?? ''))
    if (body['next_cursor'] === undefined) return found
    cursor = body['next_cursor'] as string
  }
}

const NINE = Object.fromEntries(
  Array.from({ length: 9 }, (_, n) => [`configs/s${n}.yml`, 'prog: empty\n']).concat([
    ['modules/empty.ts', 'export class Module {}\n'],
  ]),
) as Record<string, string>

it('every list comes in pages whose entries are those of the whole, each once', async () => {
  const served = await serve(NINE)
  for (const [path, list] of [
    ['/api/services', 'services'],
    ['/api/configs', 'configs'],
    ['/api/tools', 'tools'],
  ] as const) {
    const whole = (await served.ask('GET', path)).body
    expect([path, whole['next_cursor']]).toEqual([path, undefined])
    const names = (whole[list] as Record<string, string>[]).map((one) => one['name'] ?? one['api'])
    const parts = await pages(served, path, list, 4)
    expect([path, parts.flat()]).toEqual([path, names])
    expect(parts.length).toBe(Math.ceil(names.length / 4))
  }
})

it('entries that come and go between two pages neither double nor hide others', async () => {
  const served = await serve(NINE)
  const { ask, system } = served
  const first = (await ask('GET', '/api/services?limit=5')).body
  const seen = (first['services'] as { api: string }[]).map((one) => one.api)
  expect(seen).toEqual(['http', 'kernel', 's0', 's1', 's2'])
  const gone = system.event('service.stopped', (data) => data['api'] === 's2')
  system.root.remove('configs/s2.yml')
  await gone
  system.root.write('configs/a.yml', 'prog: empty\n')
  await system.live('a')
  const rest = (await ask('GET', `/api/services?limit=50&cursor=${first['next_cursor'] as string}`)).body
  expect((rest['services'] as { api: string }[]).map((one) => one.api)).toEqual([
    's3',
    's4',
    's5',
    's6',
    's7',
    's8',
    'tools',
  ])
})

it('a request that does not fit is told the field and what should stand there', async () => {
  const { ask } = await serve()
  const call = '/api/services/tools/call'
  const wrong: [string, string, unknown, string, RegExp][] = [
    ['GET', '/api/services?limit=many', undefined, 'query.limit', /number/],
    ['GET', '/api/services?limit=0', undefined, 'query.limit', /at least 1/],
    ['GET', '/api/services?limit=2000', undefined, 'query.limit', /at most 1000/],
    ['GET', '/api/services?cursor=%20x', undefined, 'query.cursor', /cursor/],
    ['POST', call, {}, 'body.method', /text/],
    ['POST', call, { method: '' }, 'body.method', /not empty/],
    ['POST', call, { method: 'list', args: {} }, 'body.args', /a list/],
    ['POST', call, { method: 'list', deadline_ms: 'soon' }, 'body.deadline_ms', /a number/],
    ['POST', call, { method: 'list', deadline_ms: -1 }, 'body.deadline_ms', /more than 0/],
    ['POST', '/api/plan', { files: [{ path: 'a' }, { text: 'b' }] }, 'body.files[1].path', /text/],
    ['POST', '/api/chat', { message: 1 }, 'body.message', /text/],
    ['POST', '/api/chat', { message: 'x', stream: 'yes' }, 'body.stream', /true or false/],
    ['POST', '/api/approvals/x', { approved: 'yes', by: 'me' }, 'body.approved', /true or false/],
  ]
  for (const [method, path, body, field, expected] of wrong) {
    const answer = await ask(method, path, { body })
    expect([path, body, ...outcome(answer)]).toEqual([path, body, 400, 'bad_request'])
    expect(answer.body.error).toMatchObject({ field, expected: expect.stringMatching(expected) as unknown })
    expect(answer.body.error?.message).toContain(field.split('.').slice(1).join('.'))
  }
})
