/** MCP at gate size: sixteen clients, and every service on their way reloaded a hundred times. */
import { expect, it } from 'vitest'
import { MCP_FILES } from '../support/mcp.ts'
import { callWhileReloading, CLOCK } from '../support/mcp-load.ts'
import { startSystem } from '../support/system.ts'

it('no call is lost in a hundred reloads of mcp, http, tools and the called service', async () => {
  const system = await startSystem({ ...MCP_FILES, 'configs/clock.yml': 'prog: clock\n', 'modules/clock.ts': CLOCK })
  try {
    const { answered, wrong } = await callWhileReloading(system, { clients: 16, rounds: 100 })
    expect(wrong).toEqual([])
    expect(answered).toBeGreaterThan(3_200)
  } finally {
    await system.stop()
  }
})
