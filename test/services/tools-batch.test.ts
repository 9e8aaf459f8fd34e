/** Several calls at once: those that only read side by side, the others in their order, and each with its own result. */
import { afterEach, expect, it } from 'vitest'
import { rejection } from '../support/system.ts'
import { startTools, type ToolSystem } from '../support/tools.ts'

let system: ToolSystem
afterEach(() => system.stop())

/** Each tool tells how many run while it does. */
const CROWD = `(() => {
  let now = 0
  const log = []
  const work = async ({ n }) => {
    log.push('+' + n)
    const seen = ++now
    await new Promise((done) => setTimeout(done, 5))
    now--
    log.push('-' + n)
    if (n === 13) throw new Error('unlucky')
    return seen
  }
  const params = z.object({ n: z.int() })
  return {
    look: tool({ description: 'x', params, read_only: true, run: work }),
    change: tool({ description: 'x', params, run: work }),
    log: tool({ description: 'x', params: z.object({}), run: () => log.splice(0) }),
  }
})()`
const calls = (names: string): { name: string; params: { n: number } }[] =>
  names.split(' ').map((name, index) => ({ name: `demo_${name}`, params: { n: index } }))
const log = async (): Promise<unknown> => {
  const result = await system.tools.invoke('demo_log', {})
  return result.status === 'success' ? result.value : result
}

it('reads run side by side, up to the limit, and the results keep the order', async () => {
  system = await startTools(CROWD, 'parallel_max: 3\n')
  const results = await system.tools.invokeAll(calls('look look look look look look'))
  const seen = results.map((one) => (one.status === 'success' ? Number(one.value) : 0))
  expect(Math.max(...seen)).toBe(3)
  expect(results.map(({ name, status }) => `${name} ${status}`)).toEqual(Array(6).fill('demo_look success'))
})

it('what changes something waits for those before it, and those after wait for it', async () => {
  system = await startTools(CROWD)
  await system.tools.invokeAll(calls('look look change look'))
  const order = (await log()) as string[]
  expect(order.slice(0, 2).toSorted()).toEqual(['+0', '+1'])
  expect(order.slice(4)).toEqual(['+2', '-2', '+3', '-3'])
})

it('one bad call among good ones fails alone', async () => {
  system = await startTools(CROWD)
  const results = await system.tools.invokeAll([
    ...calls('look change'),
    { name: 'demo_lok', params: {} },
    { name: 'demo_look', params: { n: 'x' } },
    { name: 'demo_change', params: { n: 13 } },
    { name: 'demo_look', params: { n: 5 } },
  ])
  expect(results.map((one) => (one.status === 'error' ? one.error.code : one.status))).toEqual([
    'success',
    'success',
    'tool_not_found',
    'bad_params',
    'callee_error',
    'success',
  ])
})

it('a batch has a limit, and its calls may have ids', async () => {
  system = await startTools(CROWD, 'batch_calls_max: 2\n')
  expect((await rejection(system.tools.invokeAll(calls('look look look')))).code).toBe('bad_arguments')
  const twice = { name: 'demo_change', params: { n: 1 }, id: 'x' }
  await system.tools.invokeAll([twice, twice])
  expect(await log()).toEqual(['+1', '-1'])
})
