/** Calls with an id run once, whatever happens between the first and the second time they are asked for. */
import { afterEach, expect, it } from 'vitest'
import { errorOf, startTools, valueOf, type ToolSystem } from '../support/tools.ts'

let system: ToolSystem
afterEach(() => system.stop())

const COUNTS = `{
  count: tool({ description: 'x', params: z.object({ n: z.int().default(0) }), run: () => (this.ran = (this.ran ?? 0) + 1) }),
  fail: tool({ description: 'x', params: z.object({}), run: () => { this.ran = (this.ran ?? 0) + 1; throw new Error('number ' + this.ran) } }),
  slow: tool({ description: 'x', params: z.object({}), run: async () => {
    this.ran = (this.ran ?? 0) + 1
    this.kernel.events.emit('demo.entered')
    await new Promise((go) => this.kernel.events.on('demo.go', go))
    return this.ran
  } }),
  go: tool({ description: 'x', params: z.object({}), run: () => this.kernel.events.emit('demo.go') }),
}`
const count = async (id?: string, n = 0, caller = 'a'): Promise<unknown> =>
  valueOf(await system.tools.invoke('demo_count', { n }, { caller, ...(id === undefined ? {} : { id }) }))

it('the second gives the result of the first; another id, another caller or no id runs anew', async () => {
  system = await startTools(COUNTS)
  expect([await count('x'), await count('x'), await count('y'), await count(), await count('x', 0, 'b')]).toEqual([
    1, 1, 2, 3, 4,
  ])
})

it('an error is a result too', async () => {
  system = await startTools(COUNTS)
  for (let time = 0; time < 2; time++)
    expect(errorOf(await system.tools.invoke('demo_fail', {}, { id: 'x' })).message).toBe('number 1')
})

it('the same id with other parameters or another tool is refused', async () => {
  system = await startTools(COUNTS)
  await count('x')
  const other = await system.tools.invoke('demo_count', { n: 2 }, { id: 'x', caller: 'a' })
  expect(errorOf(other)).toMatchObject({ code: 'retry_id_reused', message: expect.stringContaining('`x`') as string })
  expect(errorOf(await system.tools.invoke('demo_fail', {}, { id: 'x', caller: 'a' })).code).toBe('retry_id_reused')
  for (const id of ['', 'x'.repeat(201), 5])
    expect(errorOf(await system.tools.invoke('demo_count', {}, { id: id as string })).code).toBe('bad_arguments')
})

it('while the first is under way the second waits for it, also over a reload of the service', async () => {
  system = await startTools(COUNTS)
  const entered = system.event('demo.entered')
  const first = system.tools.invoke('demo_slow', {}, { id: 'x' })
  await entered
  const second = system.tools.invoke('demo_slow', {}, { id: 'x' })
  expect(await system.reload('tools')).toMatchObject({ ok: true })
  const third = system.tools.invoke('demo_slow', {}, { id: 'x' })
  await system.tools.invoke('demo_go', {})
  expect((await Promise.all([first, second, third])).map(valueOf)).toEqual([1, 1, 1])
  expect(await system.reload('tools')).toMatchObject({ ok: true })
  expect(valueOf(await system.tools.invoke('demo_slow', {}, { id: 'x' }))).toBe(1)
})

it('while the service reloads again and again, each of many calls runs once and is answered each time', async () => {
  system = await startTools(COUNTS)
  const ids = Array.from({ length: 200 }, (_, index) => `call ${index}`)
  const first: Promise<unknown>[] = []
  const reloads = (async () => {
    for (let turn = 0; turn < 8; turn++) expect(await system.reload('tools')).toMatchObject({ ok: true })
  })()
  for (const id of ids) {
    first.push(count(id))
    await new Promise(setImmediate)
  }
  const numbers = (await Promise.all(first)) as number[]
  await reloads
  expect(await Promise.all(ids.map((id) => count(id)))).toEqual(numbers)
  expect(new Set(numbers).size).toBe(200)
  expect(await count()).toBe(201)
})

it('who gives up on the call of another is not kept waiting, and does not end it', async () => {
  system = await startTools(COUNTS)
  const entered = system.event('demo.entered')
  const first = system.tools.invoke('demo_slow', {}, { id: 'x' })
  await entered
  const stop = new AbortController()
  const second = system.tools.invoke('demo_slow', {}, { id: 'x', signal: stop.signal })
  stop.abort()
  expect(errorOf(await second).code).toBe('call_aborted')
  await system.tools.invoke('demo_go', {})
  expect(valueOf(await first)).toBe(1)
})

it('a call that was refused before its tool was reached leaves its id free', async () => {
  system = await startTools(COUNTS)
  expect(errorOf(await system.tools.invoke('demo_count', { n: 'x' }, { id: 'x' })).code).toBe('bad_params')
  expect(valueOf(await system.tools.invoke('demo_count', { n: 1 }, { id: 'x' }))).toBe(1)
})

it.each(['retries_max: 2', 'retry_bytes_max: 2'])('with %s the oldest is forgotten first', async (limit) => {
  system = await startTools(COUNTS, `${limit}\n`)
  for (const id of ['1', '2', '3', '4']) await count(id)
  expect(await count('4')).toBe(4)
  expect(await count('1')).toBe(5)
})

it('results are forgotten in time', async () => {
  system = await startTools(COUNTS, 'retry_ms: 1\n')
  await count('x')
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(await count('x')).toBe(2)
})

it('more calls at once than the limit are refused', async () => {
  system = await startTools(COUNTS, 'calls_max: 1\n')
  const entered = system.event('demo.entered')
  const first = system.tools.invoke('demo_slow', {}, { id: 'x' })
  await entered
  expect(errorOf(await system.tools.invoke('demo_go', {})).code).toBe('queue_full')
  await system.getApi('demo').as<{ go(params: object): unknown }>('tool').go({})
  expect(valueOf(await first)).toBe(1)
  expect(await system.tools.invoke('demo_go', {})).toMatchObject({ status: 'success' })
})
