/** MCP servers behind a URL as services: one that goes away and comes back, server-everything, and our own /mcp. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { ToolInfo, ToolResult } from '../../../modules/contracts/tool.ts'
import { addressOf, connectHttp, MCP_FILES } from '../../support/mcp.ts'
import { cleanEnv } from '../../support/process.ts'
import { packageRoot } from '../../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../../support/system.ts'

const FAULTY = join(packageRoot, 'test', 'fixtures', 'mcp', 'server.mjs')
const EVERYTHING = join(packageRoot, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js')

interface Tools {
  list(): Promise<{ tools: ToolInfo[] }>
  invoke(name: string, params: object): Promise<ToolResult>
}
type Bridged = Record<string, (params?: object) => Promise<unknown>> & { connection(): Promise<{ state: string }> }

const systems: TestSystem[] = []
const processes: ChildProcess[] = []
afterEach(async () => {
  for (const system of systems.splice(0).reverse()) await system.stop()
  for (const one of processes.splice(0)) one.kill('SIGKILL')
})

/** Resolves with the port once it listens. */
function run(
  args: string[],
  env: Record<string, string>,
  listens: RegExp,
): Promise<{ port: number; child: ChildProcess }> {
  const child = spawn(process.execPath, args, { env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] })
  processes.push(child)
  return new Promise((resolve, reject) => {
    let text = ''
    const read = (chunk: Buffer): void => {
      text += chunk.toString()
      const port = listens.exec(text)?.[1]
      if (port !== undefined) resolve({ port: Number(port), child })
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.on('close', (code) => reject(new Error(`it ended with ${code}: ${text}`)))
  })
}

const runFaulty = (port = 0): Promise<{ port: number; child: ChildProcess }> =>
  run([FAULTY, String(port)], {}, /listening on (\d+)/)

const bridgeTo = (url: string, token: string): string =>
  `prog: mcp/bridge\nurl: ${url}\nheaders: {authorization: 'Bearer ${token}'}\nconnect_ms: 5000\n`

async function serve(files: Record<string, string>): Promise<{ system: TestSystem; tools: Tools; server: Bridged }> {
  const system = await startSystem({ 'configs/tools.yml': 'prog: services/tools\n', ...files })
  systems.push(system)
  return { system, tools: system.getApi('tools') as unknown as Tools, server: system.getApi('server') as never }
}

const names = async (tools: Tools, api: string): Promise<string[]> =>
  (await tools.list()).tools.filter((one) => one.api === api).map(({ name }) => name)

it('a server behind a URL that goes away is waited for; calls meanwhile fail at once with a code', async () => {
  const { port, child } = await runFaulty()
  const { system, tools, server } = await serve({
    'configs/server.yml': bridgeTo(`http://127.0.0.1:${port}/mcp`, 'of-a-test'),
  })
  expect(await tools.invoke('server_echo', { message: 'hi' })).toMatchObject({ value: 'hi' })
  await server['grow']?.({ name: 'more' })
  await system.live('server', 2)
  expect(await names(tools, 'server')).toContain('server_more')

  const down = system.event('mcp.server_down')
  const lost = rejection(server['wait']?.() as Promise<unknown>)
  child.kill('SIGKILL')
  expect(await lost).toMatchObject({ code: 'mcp_server_down' })
  await down
  expect(await tools.invoke('server_echo', { message: 'hi' })).toMatchObject({ error: { code: 'mcp_server_down' } })
  const up = system.event('mcp.server_up')
  await runFaulty(port)
  await up
  expect(await server['echo']?.({ message: 'back' })).toBe('back')
})

it('an answer of a URL has a size too', async () => {
  const { port } = await runFaulty()
  const config = `${bridgeTo(`http://127.0.0.1:${port}/mcp`, 'of-a-test')}message_bytes_max: 10000\n`
  const { system, server } = await serve({ 'configs/server.yml': config })
  expect(await server['big']?.({ bytes: 9_000 })).toHaveLength(9_000)
  const up = system.event('mcp.server_up')
  expect(await rejection(server['big']?.({ bytes: 20_000 }) as Promise<unknown>)).toMatchObject({
    code: 'mcp_server_down',
    message: expect.stringContaining('more than 10000 bytes') as string,
  })
  await up
  expect(await server['echo']?.({ message: 'hi' })).toBe('hi')
})

it('server-everything over streamable HTTP', async () => {
  const free = await runFaulty()
  free.child.kill('SIGKILL')
  await new Promise((resolve) => free.child.once('close', resolve))
  const { port } = await run([EVERYTHING, 'streamableHttp'], { PORT: String(free.port) }, /listening on port (\d+)/i)
  const { tools, server } = await serve({ 'configs/server.yml': bridgeTo(`http://127.0.0.1:${port}/mcp`, 'none') })
  expect(await names(tools, 'server')).toEqual(expect.arrayContaining(['server_echo', 'server_get_sum']))
  expect(await server['echo']?.({ message: 'hi' })).toBe('Echo: hi')
})

const SHOP = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  getAspect(name) {
    if (name !== 'tool') return undefined
    const params = z.object({ n: z.number() })
    return { price: tool({ description: 'Price.', params, run: ({ n }) => ({ price: n }) }) }
  }
}
`

it('our own /mcp is a server like any other, and a module dropped in there becomes a tool here', async () => {
  const { system: far } = await serve({ ...MCP_FILES, 'configs/shop.yml': 'prog: shop\n', 'modules/shop.ts': SHOP })
  const { url, token } = addressOf(far)
  const { system, tools } = await serve({ 'configs/far.yml': bridgeTo(`${url}/mcp`, token) })
  expect(await tools.invoke('far_shop_price', { n: 3 })).toMatchObject({ status: 'success', value: { price: 3 } })
  expect(await tools.invoke('far_shop_price', {})).toMatchObject({ error: { code: 'bad_params' } })
  far.root.write('configs/second.yml', 'prog: shop\n')
  await system.live('far', 2)
  expect(await tools.invoke('far_second_price', { n: 4 })).toMatchObject({ value: { price: 4 } })
})

it('two systems that bridge each other, and one that bridges itself, have each tool once', async () => {
  const one = await serve({ ...MCP_FILES, 'configs/shop.yml': 'prog: shop\n', 'modules/shop.ts': SHOP })
  const other = await serve({ ...MCP_FILES, 'configs/store.yml': 'prog: shop\n', 'modules/shop.ts': SHOP })
  const [first, second] = [addressOf(one.system), addressOf(other.system)]
  one.system.root.write('configs/other.yml', bridgeTo(`${second.url}/mcp`, second.token))
  one.system.root.write('configs/self.yml', bridgeTo(`${first.url}/mcp`, first.token))
  await one.system.live('other')
  await one.system.live('self')
  other.system.root.write('configs/one.yml', bridgeTo(`${first.url}/mcp`, first.token))
  await other.system.live('one')
  await expect.poll(() => names(one.tools, 'self')).toContain('self_shop_price')
  expect(
    (await names(one.tools, 'other')).filter((name) => !name.includes('kernel') && !name.includes('tools')),
  ).toEqual(['other_store_price'])
  expect(
    (await names(other.tools, 'one')).filter((name) => !name.includes('kernel') && !name.includes('tools')),
  ).toEqual(['one_shop_price'])
  // A client that is no bridge sees all of them.
  const client = await connectHttp(first.url, first.token)
  expect(await client.names()).toEqual(expect.arrayContaining(['shop_price', 'self_shop_price', 'other_store_price']))
  await client.close()
})
