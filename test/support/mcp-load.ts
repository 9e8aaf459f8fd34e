/** Calls of many MCP clients while the services they go through are reloaded, over and over. */
import { expect } from 'vitest'
import { addressOf, connectHttp } from './mcp.ts'
import type { TestSystem } from './system.ts'

/** The module behind the service `clock`. */
export const CLOCK = `import { tool } from 'meta-machine'
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

const THROUGH = ['mcp', 'http', 'tools', 'clock']

/** `wrong`: what came instead of the right answer, from calls and from reloads. */
export async function callWhileReloading(
  system: TestSystem,
  { clients, rounds }: { clients: number; rounds: number },
): Promise<{ answered: number; wrong: unknown[] }> {
  const { url, token } = addressOf(system)
  const work = { on: true }
  const wrong: unknown[] = []
  let answered = 0
  const workers = Array.from({ length: clients }, async (_one, worker) => {
    const client = await connectHttp(url, token)
    for (let n = worker; work.on; n += clients) {
      const answer = await client.call('clock_tick', { n }).catch((thrown: unknown) => thrown)
      if ((answer as { structuredContent?: { n: number } }).structuredContent?.n === n) answered++
      else wrong.push(answer)
    }
    await client.close()
  })
  for (let round = 0; round < rounds; round++) {
    const before = answered + wrong.length
    const results = await Promise.all(THROUGH.map((api) => system.reload(api)))
    wrong.push(...results.filter(({ ok, failed_calls }) => !ok || failed_calls > 0))
    await expect.poll(() => answered + wrong.length).toBeGreaterThan(before + 2 * clients)
  }
  work.on = false
  await Promise.all(workers)
  return { answered, wrong }
}
