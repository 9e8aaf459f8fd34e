/** Tools and reloads over HTTP. */
import { afterEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

interface Answer {
  status: number
  body: Record<string, unknown> & { error?: { code: string; message: string; hint: string; doc: string } }
}

interface Served {
  system: TestSystem
  ask(method: string, path: string, body?: unknown, more?: Record<string, string>): Promise<Answer>
}

const SHOP = `
import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  getAspect(name: string) {
    if (name !== 'tool') return undefined
    return {
      price: tool({
        description: 'Price of an article.',
        params: z.object({ article: z.string(), amount: z.number().int().positive().default(1) }),
        run: ({ article, amount }) => ({ article, amount, price: amount * 2 }),
      }),
      fail: tool({
        description: 'Fails.',
        params: z.object({}),
        run: () => { throw Object.assign(new Error('sold out'), { code: 'SOLD_OUT' }) },
      }),
      stock: tool({ description: 'Stock.', params: z.object({}), run: () => ({ pieces: 7n }) }),
      nothing: tool({ description: 'Nothing.', params: z.object({}), run: () => undefined }),
      ring: tool({ description: 'A ring.', params: z.object({}), run: () => { const ring = {}; ring.self = ring; return ring } }),
      catalog: tool({ description: 'All.', params: z.object({}), run: () => ({ rows: Array.from({ length: 9000 }, (_, id) => ({ id, name: 'an article' })) }) }),
      order: tool({ description: 'Orders.', params: z.object({}), run: () => (this.orders = (this.orders ?? 0) + 1) }),
      machine: tool({ description: 'Functions.', params: z.object({}), run: () => ({ start() {} }) }),
    }
  }
}
`

const running: TestSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
})

async function serve(): Promise<Served> {
  const system = await startSystem({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/tools.yml': 'prog: services/tools\n',
    'configs/shop.yml': 'prog: shop\n',
    'modules/shop.ts': SHOP,
  })
  running.push(system)
  const { url } = JSON.parse(system.root.read('runtime/http.json')) as { url: string }
  const headers = {
    authorization: `Bearer ${system.root.read('runtime/token').trim()}`,
    'content-type': 'application/json',
  }
  const ask: Served['ask'] = async (method, path, body, more) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(url + path, { method, headers: { ...headers, ...more }, ...init })
    return { status: response.status, body: (await response.json()) as Answer['body'] }
  }
  return { system, ask }
}

const outcome = ({ status, body }: Answer): [number, string | undefined] => [status, body.error?.code]

it('the catalogue lists every tool with its JSON Schema, sorted by name', async () => {
  const { ask } = await serve()
  const { status, body } = await ask('GET', '/api/tools')
  expect(status).toBe(200)
  const tools = body['tools'] as { name: string; api: string; description: string; schema: object; signature: string }[]
  const names = tools.map((one) => one.name)
  expect(names).toEqual([...names].sort())
  expect(names).toEqual(expect.arrayContaining(['kernel_status', 'kernel_reload_service', 'shop_price', 'shop_fail']))
  expect(tools.find((one) => one.name === 'shop_price')).toMatchObject({
    api: 'shop',
    description: 'Price of an article.',
    schema: {
      type: 'object',
      required: ['article'],
      properties: { article: { type: 'string' }, amount: { type: 'integer', default: 1 } },
    },
  })
  expect(body['conflicts']).toEqual([])
})

it('a tool answers name, status, value and which version answered; defaults are filled in', async () => {
  const { ask, system } = await serve()
  const { generation, source_hash, config_hash } = await system.show('shop')
  const told = system.event('tool.called')
  const answer = await ask('POST', '/api/tools/shop_price', { article: 'tea' })
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      name: 'shop_price',
      status: 'success',
      value: { article: 'tea', amount: 1, price: 2 },
      answered_by: { generation, source_hash, config_hash },
    },
  ])
  expect((await told).data).toMatchObject({ tool: 'shop_price', generation, source_hash, config_hash })
  expect((await ask('POST', '/api/tools/shop_nothing')).body).toMatchObject({ status: 'success', value: null })
})

it('a wrong parameter is a 400 that names it and shows the signature', async () => {
  const { ask } = await serve()
  const wrong: [string, object][] = [
    ['article', {}],
    ['article', { article: true }],
    ['amount', { article: 'tea', amount: 'two' }],
    ['amount', { article: 'tea', amount: -1 }],
  ]
  for (const [param, body] of wrong) {
    const answer = await ask('POST', '/api/tools/shop_price', body)
    expect([body, ...outcome(answer)]).toEqual([body, 400, 'bad_params'])
    expect(answer.body.error?.message).toContain(`\`${param}\``)
    expect(answer.body.error?.hint).toContain('article: string')
  }
})

it('an unknown tool is a 404 that names near ones', async () => {
  const { ask } = await serve()
  const answer = await ask('POST', '/api/tools/shop_prise', { article: 'tea' })
  expect(outcome(answer)).toEqual([404, 'tool_not_found'])
  expect(answer.body.error?.message).toContain('shop_price')
})

it("a tool's own error is a 500 with its code", async () => {
  const { ask } = await serve()
  const answer = await ask('POST', '/api/tools/shop_fail')
  expect(outcome(answer)).toEqual([500, 'SOLD_OUT'])
  expect(answer.body.error).toMatchObject({ message: 'sold out', doc: 'ERRORS.md#SOLD_OUT' })
})

it("a tool's BigInt arrives as its digits, as a call's does", async () => {
  const { ask } = await serve()
  const answer = await ask('POST', '/api/tools/shop_stock')
  expect([answer.status, answer.body['value']]).toEqual([200, { pieces: '7' }])
})

it("a tool's value with a function or a ring is a coded error, as a call's is", async () => {
  const { ask } = await serve()
  for (const tool of ['shop_machine', 'shop_ring'])
    expect([tool, ...outcome(await ask('POST', `/api/tools/${tool}`))]).toEqual([tool, 500, 'result_not_cloneable'])
})

it('a reload answers ok, the new generation and what became of the state', async () => {
  const { ask } = await serve()
  const { status, body } = await ask('POST', '/api/services/shop/reload')
  expect(status).toBe(200)
  expect(body).toMatchObject({ ok: true, generation: 2, error: null, rolled_back: false, state: 'lost', from: 1 })
  expect(body['failed_calls']).toBe(0)
})

it('a reload that fails keeps the old version and names file and line', async () => {
  const { ask, system } = await serve()
  const refused = system.event('service.refused')
  system.root.write('modules/shop.ts', `${SHOP}\nexport const broken = ;\n`)
  const { body } = await ask('POST', '/api/services/shop/reload')
  const line = SHOP.split('\n').length + 1
  expect(body).toMatchObject({
    ok: false,
    generation: 1,
    error: { code: 'source_syntax', file: 'modules/shop.ts', line },
  })
  expect((await ask('POST', '/api/tools/shop_price', { article: 'tea' })).status).toBe(200)
  await refused
  const { body: detail } = await ask('GET', '/api/services/shop')
  expect(detail).toMatchObject({ state: 'live', generation: 1, stale: true, last_error: { code: 'source_syntax' } })
})

it('the service http can be asked to reload itself', async () => {
  const { ask } = await serve()
  expect((await ask('POST', '/api/services/http/reload')).body).toMatchObject({ ok: true, generation: 2, from: 1 })
  const { body } = await ask('GET', '/health')
  expect(body).toMatchObject({ services: { http: { state: 'live', generation: 2 } } })
})

it('one tool is shown with its schema, in either draft', async () => {
  const { ask } = await serve()
  const { body } = await ask('GET', '/api/tools/shop_price')
  expect(body).toMatchObject({ name: 'shop_price', schema: { required: ['article'] } })
  const newer = (await ask('GET', '/api/tools/shop_price?draft=2020-12')).body
  expect(newer['schema']).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' })
  expect(outcome(await ask('GET', '/api/tools/shop_price?draft=4'))).toEqual([400, 'bad_arguments'])
  expect(outcome(await ask('GET', '/api/tools/shop_prise'))).toEqual([404, 'tool_not_found'])
})

it('what was taken otherwise is told in the answer', async () => {
  const { ask } = await serve()
  const { body } = await ask('POST', '/api/tools/shop_price', { article: 'tea', amount: '2' })
  expect(body).toMatchObject({ value: { price: 4 }, warnings: ['`amount` came as "2" and was taken as 2'] })
})

it('a result that is too large comes in parts', async () => {
  const { ask } = await serve()
  const { body } = await ask('POST', '/api/tools/shop_catalog', {})
  let rows = (body['value'] as { rows: unknown[] }).rows
  const { token, offset } = body['more'] as { token: string; offset: number }
  for (let at: number | null = offset; at !== null; ) {
    const { value } = (await ask('POST', '/api/tools/tools_continue', { token, offset: at })).body as unknown as {
      value: { part: unknown[]; next_offset: number | null }
    }
    rows = [...rows, ...value.part]
    at = value.next_offset
  }
  expect(rows).toEqual(Array.from({ length: 9000 }, (_, id) => ({ id, name: 'an article' })))
})

it('a call with an idempotency key runs once', async () => {
  const { ask } = await serve()
  const key = { 'idempotency-key': 'order-1' }
  const first = await ask('POST', '/api/tools/shop_order', {}, key)
  expect((await ask('POST', '/api/tools/shop_order', {}, key)).body).toEqual(first.body)
  expect((await ask('POST', '/api/tools/shop_order', {})).body).toMatchObject({ value: 2 })
  expect(outcome(await ask('POST', '/api/tools/shop_price', { article: 'tea' }, key))).toEqual([409, 'retry_id_reused'])
})
