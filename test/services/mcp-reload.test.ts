/** Sessions, streams and calls of MCP clients while the services they go through are reloaded. */
import type { ProgressCallback } from '@modelcontextprotocol/sdk/shared/protocol.js'
import type { Progress } from '@modelcontextprotocol/sdk/types.js'
import { afterEach, expect, it } from 'vitest'
import { addressOf, connectHttp, MCP_FILES, textOf, type McpClient } from '../support/mcp.ts'
import { callWhileReloading, CLOCK } from '../support/mcp-load.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const running: TestSystem[] = []
const clients: McpClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  for (const system of running.splice(0)) await system.stop()
})

async function serve(): Promise<{ system: TestSystem; connect(): Promise<McpClient> }> {
  const system = await startSystem({ ...MCP_FILES, 'configs/clock.yml': 'prog: clock\n', 'modules/clock.ts': CLOCK })
  running.push(system)
  const { url, token } = addressOf(system)
  const connect = async (): Promise<McpClient> => {
    const client = await connectHttp(url, token)
    clients.push(client)
    return client
  }
  return { system, connect }
}

it('calls of four clients lose nothing while mcp, http, tools and the called service reload', async () => {
  const { system } = await serve()
  const { answered, wrong } = await callWhileReloading(system, { clients: 4, rounds: 5 })
  expect(wrong).toEqual([])
  expect(answered).toBeGreaterThan(40)
})

it('a call that is under way ends on the versions it began on', async () => {
  const { system, connect } = await serve()
  const client = await connect()
  const answer = client.call('clock_wait')
  await expect.poll(async () => (await system.show('clock')).in_flight).toBe(1)
  const clock = system.getApi<{ open(): void }>('clock')
  for (const api of ['mcp', 'http', 'tools']) expect(await system.reload(api)).toMatchObject({ ok: true })
  await clock.open()
  expect(textOf(await answer)).toBe('opened')
})

it('the open stream of a client outlives every version that opened it', async () => {
  const { system, connect } = await serve()
  const client = await connect()
  // Of both services: the stream flows once the old versions are gone.
  for (const api of ['http', 'mcp', 'http', 'mcp']) {
    const drained = system.event('service.drained', (data) => data['api'] === api)
    await system.reload(api)
    expect((await drained).data['clean']).toBe(true)
  }
  system.root.write('configs/second.yml', 'prog: clock\n')
  await client.listChanged()
  expect(await client.names()).toContain('second_tick')
})

it('who waits for a long call hears that it is still running, over a reload too', async () => {
  const { system, connect } = await serve()
  const client = await connect()
  let heard: ProgressCallback = () => undefined
  const first = new Promise<Progress>((resolve) => {
    heard = resolve
  })
  const answer = client.client.callTool({ name: 'clock_wait', arguments: {} }, undefined, { onprogress: heard })
  await expect.poll(async () => (await system.show('clock')).in_flight).toBe(1)
  await system.reload('mcp')
  expect((await first).message).toMatch(/^running for \d+ s$/)
  await system.getApi<{ open(): void }>('clock').open()
  await answer
})
