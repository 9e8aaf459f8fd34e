/** The tools as an MCP client gets them: the SDK's own client against /mcp over real HTTP. */
import { afterEach, expect, it } from 'vitest'
import { addressOf, connectHttp, MCP_FILES, textOf, type McpClient } from '../support/mcp.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const SHOP = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  ended = []
  endings() { return this.ended }
  getAspect(name) {
    if (name !== 'tool') return undefined
    return {
      price: tool({
        description: 'Price of an article.',
        params: z.object({ article: z.string(), amount: z.number().int().positive().default(1) }),
        run: ({ article, amount }) => ({ article, price: 2 * amount }),
      }),
      greet: tool({ description: 'Greets.', params: z.object({}), run: () => 'hello' }),
      list: tool({ description: 'A list.', params: z.object({}), run: () => [1, 2n] }),
      picture: tool({
        description: 'A picture.',
        params: z.object({}),
        run: () => ({ content: [{ type: 'image', data: 'aGk=', mimeType: 'image/png' }] }),
      }),
      fail: tool({
        description: 'Fails.',
        params: z.object({}),
        run: () => { throw Object.assign(new Error('sold out'), { code: 'SOLD_OUT', hint: 'Come back tomorrow.' }) },
      }),
      wait: tool({
        description: 'Waits until it is told to stop.',
        params: z.object({}),
        run: (_params, { signal }) => new Promise((resolve) => {
          this.ended.push('begun')
          signal.addEventListener('abort', () => { this.ended.push('stopped'); resolve('stopped') }, { once: true })
        }),
      }),
    }
  }
}
`

const running: TestSystem[] = []
const clients: McpClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  for (const system of running.splice(0)) await system.stop()
})

async function serve(files: Record<string, string> = {}): Promise<{ system: TestSystem; client: McpClient }> {
  const system = await startSystem({
    ...MCP_FILES,
    'configs/shop.yml': 'prog: shop\n',
    'modules/shop.ts': SHOP,
    ...files,
  })
  running.push(system)
  const { url, token } = addressOf(system)
  const client = await connectHttp(url, token)
  clients.push(client)
  return { system, client }
}

it('a client sees every tool with its schema', async () => {
  const { client } = await serve()
  const { tools } = await client.client.listTools()
  const names = tools.map((tool) => tool.name)
  expect(names).toEqual([...names].sort())
  expect(names).toEqual(expect.arrayContaining(['kernel_status', 'shop_greet', 'shop_price']))
  expect(tools.find((tool) => tool.name === 'shop_price')).toMatchObject({
    description: 'Price of an article.',
    inputSchema: {
      type: 'object',
      required: ['article'],
      properties: { article: { type: 'string' }, amount: { type: 'integer', default: 1 } },
    },
  })
})

it('a result is text, and structured content where it is an object', async () => {
  const { client } = await serve()
  expect(await client.call('shop_price', { article: 'tea', amount: 3 })).toEqual({
    content: [{ type: 'text', text: '{"article":"tea","price":6}' }],
    structuredContent: { article: 'tea', price: 6 },
  })
  expect(await client.call('shop_greet')).toEqual({ content: [{ type: 'text', text: 'hello' }] })
  expect(await client.call('shop_list')).toEqual({ content: [{ type: 'text', text: '[1,"2"]' }] })
  const picture = { content: [{ type: 'image', data: 'aGk=', mimeType: 'image/png' }] }
  expect(await client.call('shop_picture')).toEqual(picture)
})

it("a tool's error and a wrong parameter are results that say code, message and hint", async () => {
  const { client } = await serve()
  expect(await client.call('shop_fail')).toEqual({
    isError: true,
    content: [{ type: 'text', text: 'SOLD_OUT: sold out\nCome back tomorrow.' }],
    structuredContent: { error: { code: 'SOLD_OUT', message: 'sold out', hint: 'Come back tomorrow.' } },
  })
  const wrong = await client.call('shop_price', { article: true })
  expect(wrong.isError).toBe(true)
  expect(textOf(wrong)).toMatch(/^bad_params: .*`article`/)
})

it('what was taken otherwise than it came stands beside the result', async () => {
  const { client } = await serve()
  const { content } = await client.call('shop_price', { article: 5 })
  expect(content.slice(1)).toEqual([{ type: 'text', text: '`article` came as 5 and was taken as "5"' }])
})

it('a tool that is not there is an error of the protocol, with near names', async () => {
  const { client } = await serve()
  await expect(client.call('shop_prise')).rejects.toMatchObject({
    code: -32_602,
    message: expect.stringContaining('Unknown tool: shop_prise; near: shop_price') as string,
    data: { code: 'tool_not_found' },
  })
})

const BELL = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  getAspect(name) {
    return name === 'tool' ? { ring: tool({ description: 'Rings.', params: z.object({}), run: () => 'ding' }) } : undefined
  }
}
`

it('a client hears of a module that is dropped in, and of one that is taken out', async () => {
  const { system, client } = await serve()
  expect(await client.names()).not.toContain('bell_ring')
  system.root.write('modules/bell.ts', BELL)
  system.root.write('configs/bell.yml', 'prog: bell\n')
  await client.listChanged()
  expect(await client.names()).toContain('bell_ring')
  expect(textOf(await client.call('bell_ring'))).toBe('ding')
  system.root.remove('configs/bell.yml')
  await client.listChanged()
  expect(await client.names()).not.toContain('bell_ring')
})

it('a reload that changes no tool is no news', async () => {
  const { system, client } = await serve()
  for (const api of ['shop', 'tools', 'mcp', 'http']) await system.reload(api)
  system.root.write('modules/bell.ts', BELL)
  system.root.write('configs/bell.yml', 'prog: bell\n')
  await client.listChanged()
  expect(client.changes()).toBe(1)
})

it('a request that its client cancels stops the tool', async () => {
  const { system, client } = await serve()
  const stop = new AbortController()
  const shop = system.getApi<{ endings(): string[] }>('shop')
  const asked = client.client.callTool({ name: 'shop_wait', arguments: {} }, undefined, { signal: stop.signal })
  asked.catch(() => undefined)
  await expect.poll(() => shop.endings()).toEqual(['begun'])
  stop.abort('enough')
  await expect(asked).rejects.toThrow()
  await expect.poll(() => shop.endings()).toEqual(['begun', 'stopped'])
  await expect.poll(async () => (await system.show('http')).in_flight).toBe(0)
})

it('the end of a session stops its calls', async () => {
  const { system, client } = await serve()
  const shop = system.getApi<{ endings(): string[] }>('shop')
  client.call('shop_wait').catch(() => undefined)
  await expect.poll(() => shop.endings()).toEqual(['begun'])
  await client.close()
  await expect.poll(() => shop.endings()).toEqual(['begun', 'stopped'])
})

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'by hand', version: '1' } },
}

async function post(
  system: TestSystem,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const { url, token } = addressOf(system)
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(body),
  })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

it('the door is that of the HTTP API: token, Host, Origin and size', async () => {
  const { system } = await serve({ 'configs/http.yml': 'prog: services/http\nport: 0\nbody_bytes_max: 2000\n' })
  expect((await post(system, INITIALIZE)).status).toBe(200)
  const wrong = await post(system, INITIALIZE, { authorization: 'Bearer wrong' })
  expect([wrong.status, wrong.headers.get('www-authenticate'), wrong.text]).toEqual([
    401,
    'Bearer',
    expect.stringContaining('"unauthorized"'),
  ])
  expect((await post(system, INITIALIZE, { origin: 'http://evil.example' })).status).toBe(403)
  const big = await post(system, { ...INITIALIZE, more: 'x'.repeat(3_000) })
  expect([big.status, big.text]).toEqual([413, expect.stringContaining('"body_too_large"')])
})

it('a session that is not there, or not named, is refused as the protocol says', async () => {
  const { system } = await serve()
  const unknown = await post(system, { jsonrpc: '2.0', id: 2, method: 'tools/list' }, { 'mcp-session-id': 'nobody' })
  expect([unknown.status, JSON.parse(unknown.text)]).toMatchObject([404, { error: { code: -32_001 } }])
  const without = await post(system, { jsonrpc: '2.0', id: 2, method: 'tools/list' })
  expect(without.status).toBe(400)
})

it('no more sessions than there are places', async () => {
  const { system } = await serve({ 'configs/mcp.yml': 'prog: services/mcp\nsessions_max: 2\n' })
  expect((await post(system, INITIALIZE)).status).toBe(200)
  const third = await post(system, INITIALIZE)
  expect([third.status, third.text]).toEqual([503, expect.stringContaining('"mcp_sessions_full"')])
})
