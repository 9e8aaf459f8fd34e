/** `mm mcp` as a client starts it: a process on stdio, in front of a system of its own process. */
import { spawn } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { connect, MCP_FILES, type McpClient } from '../support/mcp.ts'
import { cleanEnv, mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

const SHOP = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  getAspect(name) {
    if (name !== 'tool') return undefined
    return {
      price: tool({ description: 'Price.', params: z.object({ n: z.number() }), run: ({ n }) => ({ price: n }) }),
      wait: tool({ description: 'Never ends.', params: z.object({}), run: () => new Promise(() => {}) }),
    }
  }
}
`
const READER = 'reader-'.padEnd(40, '0')

/** One system for all: none of the tests depends on what another leaves. */
let files: TestRoot
let running: RunningSystem
const clients: McpClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})
afterAll(async () => {
  await running.stop()
  files.dispose()
})

beforeAll(async () => {
  files = createRoot({
    ...MCP_FILES,
    'configs/shop.yml': 'prog: shop\n',
    'modules/shop.ts': SHOP,
    'configs/mcp.yml': "prog: services/mcp\ntokens: {reader: {token: 'secret:reader', capabilities: ['shop:price']}}\n",
    'runtime/secrets/reader': READER,
  })
  chmodSync(join(files.path, 'runtime', 'secrets', 'reader'), 0o600)
  running = await startProcess(files)
})

const MM = join(packageRoot, 'bin', 'mm.js')

async function open(path: string, ...args: string[]): Promise<McpClient> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MM, '--root', path, 'mcp', ...args],
    env: cleanEnv() as Record<string, string>,
    stderr: 'ignore',
  })
  const client = await connect(transport)
  clients.push(client)
  return client
}

/** Says hello, and goes as soon as it is answered; the exit code. */
async function openAndLeave(): Promise<unknown> {
  const child = spawn(process.execPath, [MM, '--root', files.path, 'mcp'], {
    env: cleanEnv(),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const exited = new Promise((resolve) => child.on('close', resolve))
  const answered = new Promise((resolve) => child.stdout.once('data', resolve))
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a pipe', version: '1' } }
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
  await answered
  child.stdin.end(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`)
  return exited
}

it('a client on stdio lists and calls the tools, and hears of a module that is dropped in', async () => {
  const client = await open(files.path)
  expect(await client.names()).toEqual(expect.arrayContaining(['kernel_status', 'shop_price']))
  const answers = await Promise.all([1, 2, 3].map((n) => client.call('shop_price', { n })))
  expect(answers.map(({ structuredContent }) => structuredContent)).toEqual([{ price: 1 }, { price: 2 }, { price: 3 }])
  files.write('configs/second.yml', 'prog: shop\n')
  await client.listChanged()
  expect((await client.call('second_price', { n: 4 })).structuredContent).toEqual({ price: 4 })
})

it('with a secret it is who that token is', async () => {
  const client = await open(files.path, '--secret', 'reader')
  expect(await client.names()).toEqual(['shop_price'])
  const { code, stderr } = await mm(files.path, 'mcp', '--secret', 'nobody')
  expect([code, stderr]).toEqual([1, expect.stringContaining('There is no secret `nobody`')])
})

it('without a system it says so on stderr, writes nothing to stdout and ends with 3', async () => {
  const root = createRoot()
  const { code, stdout, stderr } = await mm(root.path, 'mcp')
  root.dispose()
  expect([code, stdout, stderr]).toEqual([3, '', expect.stringContaining('No system is running')])
})

it('stdout holds messages and nothing else; it answers what it was asked before its input ended, and ends', async () => {
  const messages = [
    {
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a pipe', version: '1' } },
    },
    { method: 'notifications/initialized' },
    { id: 2, method: 'tools/call', params: { name: 'shop_price', arguments: { n: 7 } } },
  ]
  const child = spawn(process.execPath, [MM, '--root', files.path, 'mcp'], {
    env: cleanEnv(),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let stdout = ''
  const firstAnswer = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      resolve()
    })
  })
  const exited = new Promise((resolve) => child.on('close', resolve))
  const lines = messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  child.stdin.write(lines[0])
  await firstAnswer
  child.stdin.end(lines.slice(1).join(''))
  expect(await exited).toBe(0)
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number; result: { structuredContent?: unknown } })
  expect(answers.map(({ id, result }) => [id, result.structuredContent])).toEqual([
    [1, undefined],
    [2, { price: 7 }],
  ])
})

it('a client that closes its end while the stream of notifications is being opened is let go', async () => {
  const ends = await Promise.all(Array.from({ length: 4 }, () => openAndLeave()))
  expect(ends).toEqual([0, 0, 0, 0])
})

it('a system that died and came up again is found again, and a call that died with it is told so', async () => {
  const client = await open(files.path)
  expect((await client.call('shop_price', { n: 1 })).structuredContent).toEqual({ price: 1 })
  const lost = client.call('shop_wait').catch((thrown: { data?: { code: string } }) => thrown.data?.code)
  await expect
    .poll(async () => (await running.api<{ in_flight: number }>('GET', '/api/services/shop')).body.in_flight)
    .toBe(1)
  const up = running.restarted(1)
  process.kill(running.childPid, 'SIGKILL')
  expect(await lost).toBe('mcp_session_lost')
  await up
  await client.listChanged()
  expect((await client.call('shop_price', { n: 2 })).structuredContent).toEqual({ price: 2 })
})
