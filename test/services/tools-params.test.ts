/** How parameters reach a tool, and how a call follows a tool whose schema changes between two calls. */
import { afterEach, expect, it } from 'vitest'
import { errorOf, startTools, valueOf, withTools, type ToolSystem } from '../support/tools.ts'

let system: ToolSystem
afterEach(() => system.stop())

const ECHO = (params: string, run = '(given) => given'): string =>
  `{ echo: tool({ description: 'Echo.', params: z.object({ ${params} }), run: ${run} }) }`

it('a value that was taken otherwise is told in the warnings, also of a call that fails', async () => {
  system = await startTools(
    ECHO(
      'n: z.int(), list: z.array(z.string()).optional()',
      '({ n }) => { if (n < 0) throw new Error("below"); return n + 1 }',
    ),
  )
  expect(await system.tools.invoke('demo_echo', { n: '41', list: 'a' })).toEqual({
    name: 'demo_echo',
    status: 'success',
    value: 42,
    warnings: ['`n` came as "41" and was taken as 41', '`list` came as "a" and was taken as ["a"]'],
  })
  expect(await system.tools.invoke('demo_echo', { n: '-1' })).toMatchObject({
    status: 'error',
    error: { message: 'below' },
    warnings: ['`n` came as "-1" and was taken as -1'],
  })
  expect(await system.tools.invoke('demo_echo', { n: 1 })).not.toHaveProperty('warnings')
})

it('an unknown parameter is an error that names it, the near one and the signature; the tool does not run', async () => {
  system = await startTools(ECHO('path: z.string()', '() => { globalThis.echoed = true }'))
  const error = errorOf(await system.tools.invoke('demo_echo', { path: 'a', pth: 'b' }))
  expect(error.code).toBe('bad_params')
  expect(error.message).toContain('`pth` of `demo_echo`')
  expect(error.message).toContain('near: path')
  expect(error.hint).toContain('demo_echo(path: string)')
  expect((globalThis as { echoed?: boolean }).echoed).toBeUndefined()
})

it('what the schema says beyond types is told with what came, all of it at once', async () => {
  system = await startTools(ECHO('n: z.int().max(5), text: z.string().min(3)'))
  const { message } = errorOf(await system.tools.invoke('demo_echo', { n: 7, text: 'ab' }))
  expect(message).toMatch(/`n` of `demo_echo` is wrong: .*<=5, came 7; also `text`: .*>=3.*, came "ab"/)
})

it('a tool whose schema changes between two calls is called by its new one', async () => {
  system = await startTools(ECHO('id: z.int()'))
  expect(valueOf(await system.tools.invoke('demo_echo', { id: '7' }))).toEqual({ id: 7 })
  const before = await system.tools.prompt()
  system.root.write('modules/demo.ts', withTools(ECHO('id: z.string(), size: z.int().optional()')))
  await system.live('demo', 2)
  expect(valueOf(await system.tools.invoke('demo_echo', { id: '7', size: '1' }))).toEqual({ id: '7', size: 1 })
  expect(await system.tools.invoke('demo_echo', { id: 7 })).toMatchObject({ value: { id: '7' } })
  expect((await system.tools.prompt()).text).not.toBe(before.text)
  system.root.write('modules/demo.ts', withTools(ECHO('name: z.string()')))
  await system.live('demo', 3)
  const error = errorOf(await system.tools.invoke('demo_echo', { id: '7' }))
  expect([error.message, error.hint].join()).toMatch(
    /`name`.*missing.*`id`: there is no such parameter.*demo_echo\(name: string\)/,
  )
})

it('a tool that switches between the look at its schema and the call is called by its new schema', async () => {
  const guard = `export class Module {
    constructor(kernel) { this.kernel = kernel }
    async before_call() {
      if (this.asked) return
      this.asked = true
      this.kernel.events.emit('guard.asked')
      await new Promise((go) => this.kernel.events.on('guard.go', go))
    }
    go() { this.kernel.events.emit('guard.go') }
  }`
  const files = { 'configs/guard.yml': '', 'modules/guard.ts': guard }
  system = await startTools(ECHO('a: z.int()'), 'hooks: [guard]\n', files)
  const asked = system.event('guard.asked')
  const call = system.tools.invoke('demo_echo', { a: '1' })
  await asked
  system.root.write('modules/demo.ts', withTools(ECHO('a: z.string()')))
  await system.live('demo', 2)
  await system.getApi('guard')['go']?.()
  expect(await call).toEqual({ name: 'demo_echo', status: 'success', value: { a: '1' } })
})

it('calls that never stop while the schema changes back and forth are each taken by one version, or told what is wrong', async () => {
  system = await startTools(ECHO('a: z.int()'))
  const stop = new AbortController()
  const seen = new Set<string>()
  const caller = (async () => {
    while (!stop.signal.aborted) {
      const result = await system.tools.invoke('demo_echo', { a: 1 })
      seen.add(result.status === 'success' ? JSON.stringify(result.value) : result.error.code)
      await new Promise(setImmediate)
    }
  })()
  for (let turn = 2; turn < 12; turn++) {
    system.root.write('modules/demo.ts', withTools(ECHO(turn % 2 === 0 ? 'a: z.string()' : 'a: z.int()')))
    await system.live('demo', turn)
  }
  stop.abort()
  await caller
  expect([...seen].filter((one) => !['{"a":1}', '{"a":"1"}'].includes(one))).toEqual([])
  expect(seen.size).toBe(2)
})

it('a call under way when its service switches ends on the version it began on', async () => {
  const waiting = (word: string): string =>
    `{ wait: tool({ description: 'x', params: z.object({}), run: async () => {
      this.kernel.events.emit('demo.entered')
      await new Promise((go) => this.kernel.events.on('demo.go', go))
      return '${word}'
    } }) }`
  system = await startTools(waiting('old'), '', { 'configs/demo.yml': '' })
  const entered = system.event('demo.entered')
  const call = system.tools.invoke('demo_wait', {})
  await entered
  system.root.write(
    'modules/demo.ts',
    withTools(
      `{ go: tool({ description: 'x', params: z.object({}), run: () => this.kernel.events.emit('demo.go') }) }`,
    ),
  )
  await system.live('demo', 2)
  expect(await system.tools.invoke('demo_go', {})).toMatchObject({ status: 'success' })
  expect(valueOf(await call)).toBe('old')
})
