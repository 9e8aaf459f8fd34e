/** Sessions, streams and calls of MCP clients while the services they go through are reloaded. */
import { afterEach, expect, it } from 'vitest'
import { addressOf, connectHttp, MCP_FILES, textOf, type McpClient } from '../support/mcp.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const CLOCK = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  gate = new Promise((resolve) => { this.open = () => { resolve('opened') } })
  getAspect(name) {
    if (name !== 'tool') return undefined
    return {
      tick: tool({ description: 'Ticks.', params: z.object({ n: z.number() }), run: ({ n }) => ({ n }) }),
      wait: tool({ description: 'Waits for open().', params: z.object({}), run: () => this.gate }),
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
  const { system, connect } = await serve()
  const work = { on: true }
  const answers: unknown[] = []
  const workers = [1, 2, 3, 4].map(async (worker) => {
    const client = await connect()
    for (let n = worker; work.on; n += 4) {
      const answer = await client.call('clock_tick', { n }).catch((thrown: unknown) => thrown)
      answers.push((answer as { structuredContent?: { n: number } }).structuredContent?.n === n ? 'right' : answer)
    }
  })
  for (let round = 0; round < 5; round++) {
    const before = answers.length
    const results = await Promise.all(['mcp', 'http', 'tools', 'clock'].map((api) => system.reload(api)))
    expect(results.filter(({ ok, failed_calls }) => !ok || failed_calls > 0)).toEqual([])
    await expect.poll(() => answers.length).toBeGreaterThan(before + 8)
  }
  work.on = false
  await Promise.all(workers)
  expect(answers.filter((answer) => answer !== 'right')).toEqual([])
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
