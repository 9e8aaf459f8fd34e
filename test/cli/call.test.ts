/** `mm call`, `mm reload` and `mm chat`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, expect, it } from 'vitest'
import { cleanEnv, mm, MM, startProcess, type CommandResult, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const PROBE = `
export class Module {
  echo(...args: unknown[]) { return args }
  add(a: number, b: number) { return a + b }
  text() { return 'two\\nlines' }
  long() { return 'x'.repeat(2_000_000) }
  nothing() {}
  map() { return { a: 1, b: [2] } }
  fail() { throw Object.assign(new Error('no paper'), { code: 'PRINTER_EMPTY', hint: 'Fill it.' }) }
  wait() { return new Promise((resolve) => { this.open = resolve }) }
  release() { this.open() }
  getAspect(name: string) { return name === 'side' ? { turned: () => 'other side' } : undefined }
}
`

async function start(files: Record<string, string> = {}): Promise<(...args: string[]) => Promise<CommandResult>> {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/probe.yml': 'prog: probe\n',
    'modules/probe.ts': PROBE,
    ...files,
  })
  roots.push(root)
  running.push(await startProcess(root))
  return (...args) => mm(root.path, ...args)
}

it('arguments are JSON where they are JSON, else text', async () => {
  const run = await start()
  const { code, stdout } = await run(
    'call',
    'probe.echo',
    '1',
    'true',
    'null',
    '[1,"x"]',
    '{"a":"b=c"}',
    'plain text',
    '007',
  )
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual([1, true, null, [1, 'x'], { a: 'b=c' }, 'plain text', '007'])
})

it('key=value pairs become one object behind the other arguments', async () => {
  const run = await start()
  const { stdout } = await run(
    'call',
    'probe.echo',
    'first',
    'name=Ada',
    'age=36',
    'tags=["x"]',
    'note=a = b',
    'empty=',
  )
  expect(JSON.parse(stdout)).toEqual(['first', { name: 'Ada', age: 36, tags: ['x'], note: 'a = b', empty: '' }])
})

it('a negative number is an argument, not an option', async () => {
  const run = await start()
  const { code, stdout } = await run('call', 'probe.add', '-1', '-2.5')
  expect([code, stdout]).toEqual([0, '-3.5\n'])
})

it('a text result is printed as it is, everything else as JSON', async () => {
  const run = await start()
  expect((await run('call', 'probe.text')).stdout).toBe('two\nlines\n')
  expect((await run('call', 'probe.nothing')).stdout).toBe('null\n')
  expect(JSON.parse((await run('call', 'probe.map')).stdout)).toEqual({ a: 1, b: [2] })
})

it('call --json prints the whole answer', async () => {
  const run = await start()
  const { code, stdout } = await run('call', 'probe.add', '2', '3', '--json')
  const answer = JSON.parse(stdout) as Record<string, unknown>
  expect([code, answer['result'], answer['generation'], typeof answer['trace_id']]).toEqual([0, 5, 1, 'string'])
})

it('more than a pipe holds is there for who reads it late', async () => {
  await start()
  const command = [MM, '--root', roots.at(-1)?.path ?? '', 'call', 'probe.long']
  const child = spawn(process.execPath, command, { env: cleanEnv(), stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  await once(child.stdout, 'readable')
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1_000))])
  expect((await text(child.stdout)).length).toBe(2_000_001)
  expect(await ended).toEqual([0, null])
})

it('another aspect is called with --aspect, a name with a slash and a dot is cut at its last dot', async () => {
  const run = await start({ 'configs/deep/probe.two.yml': 'prog: probe\n' })
  expect((await run('call', 'probe.turned', '--aspect', 'side')).stdout).toBe('other side\n')
  expect((await run('call', 'deep/probe.two.add', '1', '2')).stdout).toBe('3\n')
})

it('a failed call exits with 1: message and hint on stderr, nothing on stdout', async () => {
  const run = await start()
  const failed = await run('call', 'probe.fail')
  expect(failed).toEqual({ code: 1, stdout: '', stderr: 'no paper\nFill it.\n' })
  const json = await run('call', 'probe.fail', '--json')
  expect([json.code, json.stdout]).toEqual([1, ''])
  expect(JSON.parse(json.stderr)).toMatchObject({
    error: { code: 'PRINTER_EMPTY', message: 'no paper', hint: 'Fill it.' },
  })
  expect((await run('call', 'probe.unknown')).code).toBe(1)
  expect((await run('call', 'nobody.add')).code).toBe(1)
})

it('--deadline ends a call that does not answer', async () => {
  const run = await start()
  const { code, stderr } = await run('call', 'probe.wait', '--deadline', '30')
  expect(code).toBe(1)
  expect(stderr).toContain('30 ms')
  expect((await run('call', 'probe.release')).code).toBe(0)
})

it('reload prints one line: name, generations, time, failed calls, state', async () => {
  const run = await start({ 'configs/tasks/rl_trainer.yml': 'prog: probe\n' })
  const { code, stdout, stderr } = await run('reload', 'tasks/rl_trainer')
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^tasks\/rl_trainer {2}g1 → g2 {2}\d+(\.\d+)? ms {2}0 calls failed {2}state lost\n$/)
  const json = await run('reload', 'tasks/rl_trainer', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, from: 2, generation: 3, error: null, rolled_back: false })
})

it('a reload that fails exits with 1 and names file and line', async () => {
  const run = await start()
  const [root] = roots
  root?.write('modules/probe.ts', 'export class Module {\n  broken(: number) {}\n}\n')
  const { code, stdout, stderr } = await run('reload', 'probe')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/modules\/probe\.ts:2:\d+/)
  const json = await run('reload', 'probe', '--json')
  expect(json.code).toBe(1)
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, generation: 1, error: { code: 'source_syntax', line: 2 } })
  expect((await run('call', 'probe.add', '1', '2')).stdout).toBe('3\n')
  expect((await run('reload', 'nobody')).code).toBe(1)
})

it('chat answers without a key, with a tool, and says that it is no model', async () => {
  const base = createRoot()
  roots.push(base)
  const folder = join(base.path, 'mine')
  await mm('.', 'init', folder)
  base.write('mine/configs/services/http.yml', 'api: http\nprog: services/http\nport: 0\n')
  running.push(await startProcess({ ...base, path: folder }))
  const spoken = await mm(folder, 'chat', 'list', 'all', 'services')
  expect([spoken.code, spoken.stderr]).toEqual([0, ''])
  expect(spoken.stdout).toContain('kernel_list_services')
  expect(spoken.stdout).toContain('rl_trainer')
  expect(spoken.stdout).toContain('not a language model')
  const { code, stdout } = await mm(folder, 'chat', '--json', 'list all services')
  const answer = JSON.parse(stdout) as { answer: string; provider: string; steps: { tool: string; status: string }[] }
  expect([code, answer.provider]).toEqual([0, 'offline'])
  expect(answer.steps).toMatchObject([{ tool: 'kernel_list_services', status: 'success' }])
  expect(answer.answer).toContain('rl_trainer')
  // Who answers, and which conversation it belongs to, can be said.
  const asked = await mm(
    folder,
    'chat',
    '--json',
    '--provider',
    'offline',
    '--conversation',
    'mine',
    'list all services',
  )
  expect(JSON.parse(asked.stdout)).toMatchObject({ provider: 'offline', conversation_id: 'mine' })
  const unready = await mm(folder, 'chat', '--provider', 'nobody', 'list all services')
  expect([unready.code, unready.stderr]).toEqual([1, expect.stringContaining('nobody')])
})
