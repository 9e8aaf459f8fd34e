/** What tokens may see and do over /mcp, and what tools that change the system ask for. */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { createRoot } from '../support/root.ts'
import { addressOf, connectHttp, MCP_FILES, textOf, type McpClient } from '../support/mcp.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const service = (...methods: string[]): string => `import { tool } from 'meta-machine'
import { z } from 'zod'
const echo = (name) => tool({ description: name, params: z.looseObject({}), run: (params) => ({ name, ...params }) })
export class Module {
  getAspect(name) {
    return name === 'tool' ? Object.fromEntries(${JSON.stringify(methods)}.map((one) => [one, echo(one)])) : undefined
  }
}
`

const secret = (name: string): string => `${name}-`.padEnd(40, '0')

const running: TestSystem[] = []
const clients: McpClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  for (const system of running.splice(0)) await system.stop()
})

interface Served {
  system: TestSystem
  as(token: string): Promise<McpClient>
}

async function serve(tokens: Record<string, string[]>, more = ''): Promise<Served> {
  const root = createRoot({
    ...MCP_FILES,
    'configs/mcp.yml': configOf(tokens, more),
    'configs/files.yml': 'prog: files\n',
    'configs/store.yml': 'prog: store\n',
    'modules/files.ts': service('read_file', 'readable', 'write_file', 'listFiles'),
    'modules/store.ts': service('query', 'execute'),
  })
  for (const name of Object.keys(tokens)) {
    root.write(`runtime/secrets/${name}`, `${secret(name)}\n`)
    chmodSync(join(root.path, 'runtime', 'secrets', name), 0o600)
  }
  const system = await startSystem(root)
  running.push(system)
  const { url } = addressOf(system)
  const as = async (token: string): Promise<McpClient> => {
    const client = await connectHttp(url, token)
    clients.push(client)
    return client
  }
  return { system, as }
}

const configOf = (tokens: Record<string, string[]>, more = ''): string =>
  `prog: services/mcp\n${more}tokens:\n${Object.entries(tokens)
    .map(([name, patterns]) => `  ${name}: {token: 'secret:${name}', capabilities: ${JSON.stringify(patterns)}}\n`)
    .join('')}`

const ALL = [
  'files_list_files',
  'files_read_file',
  'files_readable',
  'files_write_file',
  'store_execute',
  'store_query',
]

const MATRIX: [patterns: string[], tools: string[]][] = [
  [[], []],
  [['*'], ALL],
  [['*:*'], ALL],
  [['files:*'], ALL.slice(0, 4)],
  [['files:read'], ['files_read_file']],
  [['files:read_file'], ['files_read_file']],
  [['files:list'], ['files_list_files']],
  [['files:listFiles'], ['files_list_files']],
  [['files:read*'], ['files_read_file', 'files_readable']],
  [['*:*_file'], ['files_read_file', 'files_write_file']],
  [['*:query'], ['store_query']],
  [
    ['files:read', 'store:execute'],
    ['files_read_file', 'store_execute'],
  ],
  [['file:*', 'stores:query', 'store:quer', 'Files:read'], []],
]

it('a token sees and calls what its capabilities cover, and nothing else is there for it', async () => {
  const tokens = Object.fromEntries(MATRIX.map(([patterns], index) => [`t${index}`, patterns]))
  const { as } = await serve(tokens)
  for (const [index, [patterns, tools]] of MATRIX.entries()) {
    const client = await as(secret(`t${index}`))
    const seen = (await client.names()).filter((name) => /^(files|store)_/.test(name))
    expect([patterns, seen]).toEqual([patterns, tools])
    for (const tool of ALL) {
      const answer = await client.call(tool, { n: 1 }).then(
        ({ structuredContent }) => structuredContent?.['n'],
        (error: { code: number; message: string }) => [error.code, error.message],
      )
      const unknown = [-32_602, expect.stringContaining(`Unknown tool: ${tool}`) as string]
      expect([patterns, tool, answer]).toEqual([patterns, tool, tools.includes(tool) ? 1 : unknown])
    }
  }
})

it('the refusal of a tool that may not be called is that of one that is not there', async () => {
  const { as } = await serve({ reader: ['store:query'] })
  const client = await as(secret('reader'))
  const refusals = await Promise.all(
    ['files_read_file', 'nobody_read_file'].map((name) =>
      client.call(name).then(
        () => 'called',
        (error: { message: string; data: unknown }) => [error.message.replace(name, '…'), error.data],
      ),
    ),
  )
  expect(refusals[0]).toEqual(refusals[1])
})

it('an open session follows the config: what a token loses is gone, and its client is told', async () => {
  const { system, as } = await serve({ worker: ['files:*', 'store:*'] })
  const client = await as(secret('worker'))
  expect(await client.names()).toEqual(ALL)
  system.root.write('configs/mcp.yml', configOf({ worker: ['store:*'] }))
  await client.listChanged()
  expect(await client.names()).toEqual(['store_execute', 'store_query'])
  await expect(client.call('files_read_file')).rejects.toThrow('Unknown tool')
  system.root.write('configs/mcp.yml', 'prog: services/mcp\n')
  await system.live('mcp', 3)
  await expect(client.names()).rejects.toThrow('unauthorized')
})

it("a session is not found for another's token, the system's own included", async () => {
  const { system, as } = await serve({ one: ['*'], two: ['*'] })
  const client = await as(secret('one'))
  const { sessionId } = client.client.transport ?? {}
  const { url, token } = addressOf(system)
  const asked = [secret('one'), secret('two'), token].map(async (bearer) => {
    const response = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${bearer}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': sessionId ?? '',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/list' }),
    })
    await response.body?.cancel()
    return response.status
  })
  expect(await Promise.all(asked)).toEqual([200, 404, 404])
})

it('a token that stands in the config or is short is refused, and the version before serves on', async () => {
  const { system, as } = await serve({ reader: ['*'] })
  const client = await as(secret('reader'))
  const plain = (token: string): string =>
    `prog: services/mcp\ntokens: {reader: {token: '${token}', capabilities: ['*']}}\n`
  for (const token of [secret('plain'), 'short']) {
    const refused = system.event('service.refused', (data) => data['api'] === 'mcp')
    system.root.write('configs/mcp.yml', plain(token))
    await refused
    expect((await system.show('mcp')).last_error?.message).toMatch(/token_refused.*The token `reader` is refused/)
    expect(await client.names()).toContain('store_query')
  }
})

it('an admin tool shows and wants a confirmation and a reason, which it does not get itself', async () => {
  const { system, as } = await serve({ worker: ['*'] }, "admin: ['store:execute']\n")
  const client = await as(secret('worker'))
  const { tools } = await client.client.listTools()
  const schemaOf = (name: string): object | undefined => tools.find((tool) => tool.name === name)?.inputSchema
  expect(schemaOf('store_execute')).toMatchObject({
    required: ['confirm', 'reason'],
    properties: { confirm: { type: 'boolean' }, reason: { type: 'string' } },
  })
  expect(schemaOf('store_query')).not.toHaveProperty('properties.confirm')
  const missing: [Record<string, unknown>, string][] = [
    [{}, '`confirm: true` and a `reason`'],
    [{ confirm: true }, 'needs a `reason`'],
    [{ confirm: true, reason: ' \n' }, 'needs a `reason`'],
    [{ confirm: 'true', reason: 'tests' }, 'needs `confirm: true`'],
    [{ reason: 'tests' }, 'needs `confirm: true`'],
  ]
  for (const [args, told] of missing) {
    const refused = await client.call('store_execute', args)
    expect([args, refused.isError, textOf(refused)]).toEqual([args, true, expect.stringMatching(/^mcp_confirm: /)])
    expect(textOf(refused)).toContain(told)
  }
  const recorded = system.event('mcp.admin_call')
  const done = await client.call('store_execute', { confirm: true, reason: ' a test ', n: 3 })
  expect(done.structuredContent).toEqual({ name: 'execute', n: 3 })
  expect((await recorded).data).toMatchObject({ tool: 'store_execute', token: 'worker', reason: 'a test' })
  expect(system.log.map((line) => line.message)).toContain('store_execute for worker: a test')
})

it("the kernel's changing tools are admin tools by default, for the system's own token too", async () => {
  const { system, as } = await serve({ worker: ['*'] })
  const client = await as(addressOf(system).token)
  expect(textOf(await client.call('kernel_reload_service', { service: 'store' }))).toMatch(/^mcp_confirm: /)
  const args = { service: 'store', confirm: true, reason: 'a test' }
  expect(await client.call('kernel_reload_service', args)).toMatchObject({
    structuredContent: { ok: true, generation: 2 },
  })
  expect((await client.call('kernel_list_services')).isError).toBeUndefined()
})
