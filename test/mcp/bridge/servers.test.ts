/** MCP servers as services: real ones from npm, and one with the faults of real ones. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { MachineEvent } from '../../../modules/contracts/module.ts'
import type { ToolInfo, ToolResult } from '../../../modules/contracts/tool.ts'
import { createRoot, packageRoot } from '../../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../../support/system.ts'

const FAULTY = join(packageRoot, 'test', 'fixtures', 'mcp', 'server.mjs')
const peer = (name: string): string =>
  join(packageRoot, 'node_modules', '@modelcontextprotocol', `server-${name}`, 'dist', 'index.js')

const bridge = (script: string, more = '', ...args: string[]): string =>
  `prog: mcp/bridge\ncommand: ${process.execPath}\nargs: ${JSON.stringify([script, ...args])}\n${more}`

const CONFIG = bridge(FAULTY, 'env: {GIVEN: "${MM_TEST_GIVEN:-by config}", NUMBER: 5}\nmessage_bytes_max: 10000\n')

interface Tools {
  list(): Promise<{ tools: ToolInfo[] }>
  invoke(name: string, params: object, options?: { signal?: AbortSignal }): Promise<ToolResult>
}

interface Info {
  state: string
  reason: string
  pid: number
  restarts: number
}

type Bridged = Record<string, (params?: object) => Promise<unknown>> & { connection(): Promise<Info> }

let system: TestSystem
let tools: Tools
let server: Bridged

// One system for all: who needs a server of its own adds it. What is common to all of them is in the config of `server`.
beforeAll(async () => {
  process.env['MM_TEST_HIDDEN'] = 'hidden'
  system = await startSystem({
    'configs/tools.yml': 'prog: services/tools\n',
    'configs/server.yml': CONFIG,
    'configs/everything.yml': bridge(peer('everything')),
  })
  tools = system.getApi('tools') as unknown as Tools
  server = bridged('server')
})
afterAll(async () => {
  delete process.env['MM_TEST_HIDDEN']
  await system.stop()
})

const bridged = (api: string): Bridged => system.getApi(api) as never

async function add(api: string, config: string): Promise<Bridged> {
  system.root.write(`configs/${api}.yml`, config)
  await system.live(api)
  return bridged(api)
}

const eventOf = (api: string, type: string): Promise<MachineEvent> => system.event(type, (data) => data['api'] === api)

const generationOf = async (api: string): Promise<number> => (await system.show(api)).generation ?? 0

const names = async (of: string): Promise<string[]> =>
  (await tools.list()).tools.filter(({ api }) => api === of).map(({ name }) => name)

/** Signals the process itself: the bridge sees it end as it would in life. */
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

it('the tools of server-everything are in the catalogue with its schemas, and are methods', async () => {
  const all = bridged('everything')
  expect(await names('everything')).toEqual(
    expect.arrayContaining(['everything_echo', 'everything_get_sum', 'everything_get_tiny_image']),
  )
  const echo = (await tools.list()).tools.find(({ name }) => name === 'everything_echo')
  expect(echo).toMatchObject({
    method: 'echo',
    schema: { type: 'object', required: ['message'], properties: { message: { type: 'string' } } },
    signature: 'everything_echo(message: string)',
  })
  expect(await tools.invoke('everything_echo', { message: 'hi' })).toMatchObject({
    status: 'success',
    value: 'Echo: hi',
  })
  expect(await all['echo']?.({ message: 'hi' })).toBe('Echo: hi')
  expect(await all['get-sum']?.({ a: 2, b: 3 })).toContain('5')
  expect(await all['get_sum']?.({ a: 2, b: 3 })).toContain('5')
  expect(await all['get-tiny-image']?.()).toMatchObject({
    content: expect.arrayContaining([expect.objectContaining({ type: 'image', mimeType: 'image/png' })]) as unknown,
  })
  expect(await all['get-structured-content']?.({ location: 'New York' })).toHaveProperty('temperature')
})

it('server-filesystem reads and writes real files', async () => {
  const root = createRoot({ 'notes/one.txt': 'first\n' })
  await add('files', bridge(peer('filesystem'), '', join(root.path, 'notes')))
  try {
    const path = join(root.path, 'notes', 'two.txt')
    expect(await tools.invoke('files_write_file', { path, content: 'second\n' })).toMatchObject({ status: 'success' })
    expect(root.read('notes/two.txt')).toBe('second\n')
    const read = await tools.invoke('files_read_text_file', { path: join(root.path, 'notes', 'one.txt') })
    expect(JSON.stringify(read)).toContain('first')
    const outside = await tools.invoke('files_read_text_file', { path: join(root.path, 'configs') })
    expect(outside).toMatchObject({ status: 'error', error: { code: 'mcp_tool_failed' } })
  } finally {
    root.dispose()
  }
})

it('arguments are checked against the schema of the server before it is asked', async () => {
  const wrong: [object, string][] = [
    [{}, 'message'],
    [{ message: { text: 'hi' } }, 'message'],
    [{ message: 'hi', loud: true }, 'loud'],
  ]
  for (const [params, param] of wrong) {
    const refused = await tools.invoke('server_echo', params)
    expect(refused).toMatchObject({ status: 'error', error: { code: 'bad_params' } })
    expect(JSON.stringify(refused)).toContain(`\`${param}\``)
  }
})

it("a server's own error, an image and a reserved name arrive as such", async () => {
  expect(await tools.invoke('server_fail', {})).toMatchObject({
    status: 'error',
    error: { code: 'mcp_tool_failed', message: expect.stringContaining('out of paper') as string },
  })
  expect(await server['picture']?.()).toEqual({ content: [{ type: 'image', data: 'aGk=', mimeType: 'image/png' }] })
  expect(await tools.invoke('server_with', {})).toMatchObject({ value: 'a reserved name' })
  expect(await server['get_sum']?.({ a: 1, b: 2 })).toEqual({ sum: 3 })
})

it('the server sees PATH, HOME and what the config names, and nothing else of the environment', async () => {
  const env = (await server['env']?.()) as Record<string, string>
  expect([env['GIVEN'], env['NUMBER'], env['PATH']]).toEqual(['by config', '5', process.env['PATH']])
  const basics = ['GIVEN', 'HOME', 'LOGNAME', 'NUMBER', 'PATH', 'SHELL', 'TERM', 'USER']
  expect(Object.keys(env).filter((name) => !basics.includes(name))).toEqual([])
})

it('a server that dies is started again; calls meanwhile fail at once with a code', async () => {
  const { pid, restarts } = await server.connection()
  const down = eventOf('server', 'mcp.server_down')
  const up = eventOf('server', 'mcp.server_up')
  expect(await tools.invoke('server_die', {})).toMatchObject({ status: 'error', error: { code: 'mcp_server_down' } })
  expect((await down).data['reason']).toBe('it ended with code 7')
  expect(await rejection(server['echo']?.({ message: 'hi' }) as Promise<unknown>)).toMatchObject({
    code: 'mcp_server_down',
  })
  expect(await server.connection()).toMatchObject({ state: 'down', reason: 'it ended with code 7' })
  await up
  expect(await server['echo']?.({ message: 'hi' })).toBe('hi')
  const info = await server.connection()
  expect([info.state, info.restarts - restarts, info.pid === pid]).toEqual(['up', 1, false])
  expect(system.log.find(({ code }) => code === 'mcp_server_down')?.message).toContain('code 7')
})

it('a killed server is started again, and a call that was under way fails with a code', async () => {
  const up = eventOf('server', 'mcp.server_up')
  const lost = rejection(server['wait']?.() as Promise<unknown>)
  await expect.poll(() => system.log.map(({ message }) => message)).toContain('server: waiting')
  process.kill((await server.connection()).pid, 'SIGKILL')
  expect(await lost).toMatchObject({ code: 'mcp_server_down', message: expect.stringContaining('SIGKILL') as string })
  await up
  expect(await server['echo']?.({ message: 'again' })).toBe('again')
})

it('a tool that the server adds joins the catalogue, and its process stays', async () => {
  const { pid } = await server.connection()
  const generation = await generationOf('server')
  await server['grow']?.({ name: 'late-one' })
  await system.live('server', generation + 1)
  expect(await names('server')).toContain('server_late_one')
  expect(await tools.invoke('server_late_one', {})).toMatchObject({ value: 'this is late-one' })
  expect((await server.connection()).pid).toBe(pid)
})

it('a reload keeps the process and loses no call', async () => {
  const { pid } = await server.connection()
  const calls: Promise<unknown>[] = []
  for (let round = 0; round < 5; round++) {
    for (let n = 0; n < 10; n++) calls.push(server['echo']?.({ message: `${round}` }) as Promise<unknown>)
    expect(await system.reload('server')).toMatchObject({ ok: true, failed_calls: 0 })
  }
  expect((await Promise.all(calls)).length).toBe(50)
  expect((await server.connection()).pid).toBe(pid)
})

it('a call has a deadline and can be given up; the server is told', async () => {
  await add('hasty', bridge(FAULTY, 'call_ms: 200\n'))
  expect(await tools.invoke('hasty_wait', {})).toMatchObject({ error: { code: 'deadline_exceeded' } })
  await expect.poll(() => system.log.filter(({ message }) => message === 'hasty: cancelled').length).toBe(1)
  const stop = new AbortController()
  const given = tools.invoke('hasty_wait', {}, { signal: stop.signal })
  stop.abort()
  expect(await given).toMatchObject({ status: 'error', error: { code: 'call_aborted' } })
})

it('a server that sends too much at once is ended and started again; a line that is no message is passed over', async () => {
  expect(await server['big']?.({ bytes: 9_000 })).toHaveLength(9_000)
  expect(await server['say']?.({ line: 'on stderr' })).toBe('said')
  await expect.poll(() => system.log.map(({ message }) => message)).toContain('server: on stderr')
  const up = eventOf('server', 'mcp.server_up')
  expect(await rejection(server['big']?.({ bytes: 20_000 }) as Promise<unknown>)).toMatchObject({
    code: 'mcp_server_down',
    message: expect.stringContaining('more than 10000 bytes') as string,
  })
  await up
  expect(await server['echo']?.({ message: 'hi' })).toBe('hi')
})

it('nothing is left of a server whose service goes, nor of what it started itself', async () => {
  const leaving = await add('leaving', bridge(FAULTY))
  const pids = [(await leaving.connection()).pid, Number(await leaving['child']?.())]
  expect(pids.map(isAlive)).toEqual([true, true])
  system.root.remove('configs/leaving.yml')
  await expect.poll(() => pids.filter(isAlive)).toEqual([])
})

it('a config that names no server, or both, or one that does not start, is refused and the version before serves on', async () => {
  const judged = await add('judged', bridge(FAULTY))
  for (const config of [
    'prog: mcp/bridge\n',
    `${bridge(FAULTY)}url: http://127.0.0.1:1/mcp\n`,
    bridge(`${FAULTY}.not`),
  ]) {
    const refused = eventOf('judged', 'service.refused')
    system.root.write('configs/judged.yml', config)
    await refused
    expect(await judged['echo']?.({ message: 'hi' })).toBe('hi')
  }
  expect((await system.show('judged')).last_error?.message).toContain('mcp_server_down')
})

it('a server that does not start at first is tried again until it does', async () => {
  const late = await add('late', bridge('late.mjs'))
  expect((await late.connection()).state).toBe('down')
  const live = system.live('late', 2)
  system.root.write('late.mjs', `await import(${JSON.stringify(FAULTY)})\n`)
  await live
  expect(await late['echo']?.({ message: 'hi' })).toBe('hi')
})
