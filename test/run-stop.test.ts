/** How a system ends: by signals, by losing its parent or its child. And who may start one on a root. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { cleanEnv, mm, startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, packageRoot, type TestRoot } from './support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const HTTP = { 'configs/http.yml': 'prog: services/http\nport: 0\n' }

function rootWith(files: Record<string, string> = {}): TestRoot {
  const root = createRoot({ ...HTTP, ...files })
  roots.push(root)
  return root
}

async function start(root: TestRoot, onLine?: (line: string) => void): Promise<RunningSystem> {
  const system = await startProcess(root, onLine === undefined ? {} : { onLine })
  running.push(system)
  return system
}

/** No such process, or one that has ended and only waits to be fetched. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

const left = (root: TestRoot): string[] =>
  ['http.json', 'lock'].filter((file) => existsSync(join(root.path, 'runtime', file)))

const addressOf = (root: TestRoot): { url: string; pid: number; supervisor_pid: number } =>
  JSON.parse(root.read('runtime/http.json')) as { url: string; pid: number; supervisor_pid: number }

/** A pid of a process that has ended. */
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid

const LONG = { timeout: 15_000 }

it('http.json names the system and its parent, and the lock is the parent', async () => {
  const root = rootWith()
  const system = await start(root)
  expect(addressOf(root)).toMatchObject({ pid: system.childPid, supervisor_pid: system.pid, url: system.url })
  expect(system.childPid).not.toBe(system.pid)
  expect(JSON.parse(root.read('runtime/lock'))).toMatchObject({ pid: system.pid })
})

it('SIGINT and SIGTERM to the parent are an orderly stop: exit 0, nothing left', async () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const root = rootWith({
      'configs/note.yml': 'prog: note\n',
      'modules/note.ts': "export class Module { async shutdown() { console.log('note was put away') } }\n",
    })
    const system = await start(root)
    system.signal(signal)
    expect([signal, await system.exited]).toEqual([signal, 0])
    expect(isGone(system.childPid)).toBe(true)
    expect(left(root)).toEqual([])
    expect(system.output.join('\n')).toContain('note was put away')
    expect(existsSync(join(root.path, 'runtime', 'token'))).toBe(true)
  }
})

it('a stop waits for the calls that are open', async () => {
  const root = rootWith({
    'configs/slow.yml': 'prog: slow\n',
    'modules/slow.ts': `
export class Module {
  constructor(kernel) { this.kernel = kernel }
  async work() { await new Promise((resolve) => this.kernel.events.on('kernel.stopping', resolve)); return 'done' }
}
`,
  })
  const system = await start(root)
  const answer = system.call('slow', 'work')
  await expect.poll(async () => (await system.api('GET', '/api/services/slow')).body['in_flight']).toBe(1)
  system.signal('SIGTERM')
  expect(await answer).toBe('done')
  expect(await system.exited).toBe(0)
})

it('the second signal ends at once what does not want to end', async () => {
  const root = rootWith({
    'configs/stuck.yml': 'prog: stuck\n',
    'modules/stuck.ts':
      'export class Module { shutdown() { console.log("holding on"); return new Promise(() => {}) } }\n',
  })
  const system = await start(root)
  system.signal('SIGINT')
  await system.line(/holding on/)
  system.signal('SIGINT')
  // Left alone, the stop would give up on it after shutdown_ms and exit with 0.
  expect(await system.exited).toBe(1)
  expect(isGone(system.childPid)).toBe(true)
  expect(left(root)).toEqual([])
})

it('a module that never ends does not keep an orderly stop from ending', async () => {
  const root = rootWith({
    'configs/stuck.yml': 'prog: stuck\nlimits: {shutdown_ms: 100}\n',
    'modules/stuck.ts': 'export class Module { shutdown() { return new Promise(() => {}) } }\n',
  })
  const system = await start(root)
  expect(await system.stop()).toBe(0)
  expect(left(root)).toEqual([])
})

it('signals to the system itself are the business of its parent', async () => {
  const root = rootWith()
  const system = await start(root)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.kill(system.childPid, signal)
    for (let n = 0; n < 10; n++) expect((await system.api('GET', '/health')).body).toMatchObject({ status: 'ok' })
  }
  expect(addressOf(root).pid).toBe(system.childPid)
  expect(await system.stop()).toBe(0)
})

it('without its parent the system ends by itself, in order, and the root can be used again', async () => {
  const root = rootWith({
    'configs/note.yml': 'prog: note\n',
    'modules/note.ts': `
import { writeFileSync } from 'node:fs'
export class Module {
  constructor(kernel) { this.kernel = kernel }
  async shutdown() { writeFileSync(this.kernel.paths.runtime + '/note.txt', 'put away') }
}
`,
  })
  const system = await start(root)
  system.signal('SIGKILL')
  await system.exited
  await expect.poll(() => isGone(system.childPid), LONG).toBe(true)
  expect(root.read('runtime/note.txt')).toBe('put away')
  expect(existsSync(join(root.path, 'runtime', 'http.json'))).toBe(false)
  const again = await start(root)
  expect((await again.api('GET', '/health')).status).toBe(200)
})

it('a start beside a system whose parent was killed waits until that one has ended, in order', async () => {
  const root = rootWith({
    'configs/note.yml': 'prog: note\nlimits: {shutdown_ms: 60000}\n',
    'modules/note.ts': `
import { appendFileSync, existsSync } from 'node:fs'
export class Module {
  constructor(kernel) { this.kernel = kernel }
  init() { this.say('begins') }
  async shutdown() {
    while (!existsSync(this.kernel.paths.runtime + '/somebody-waits')) await new Promise((resolve) => setTimeout(resolve, 20))
    this.say('has ended')
  }
  say(what) { appendFileSync(this.kernel.paths.runtime + '/note.txt', what + '\\n') }
}
`,
  })
  const system = await start(root)
  const orphan = system.childPid
  system.signal('SIGKILL')
  await system.exited
  const waiting = `waiting for process ${orphan} to end: its parent was killed`
  const again = await start(root, (line) => {
    if (line === waiting) root.write('runtime/somebody-waits', '')
  })
  expect(again.output).toContain(waiting)
  expect(root.read('runtime/note.txt')).toBe('begins\nhas ended\nbegins\n')
  expect(isGone(orphan)).toBe(true)
  expect(JSON.parse(root.read('runtime/lock'))).toMatchObject({ pid: again.pid, system: { pid: again.childPid } })
})

it('a system whose parent was killed before it began does not begin', () => {
  const root = rootWith()
  const args = [join(packageRoot, 'bin/mm.js'), 'run', '--child', '--root', root.path]
  const { status, stdout } = spawnSync(process.execPath, args, { env: cleanEnv(), encoding: 'utf8' })
  expect([status, stdout, left(root)]).toEqual([1, '', []])
})

it('a system that was killed is started again and serves', async () => {
  const root = rootWith()
  const system = await start(root)
  process.kill(system.childPid, 'SIGKILL')
  await system.line(/the system ended by SIGKILL; starting again/)
  // The address of the dead one is there until the parent starts the next.
  const pid = (): number => (left(root).includes('http.json') ? addressOf(root).pid : system.childPid)
  await expect.poll(pid, LONG).not.toBe(system.childPid)
  const address = addressOf(root)
  expect(address.supervisor_pid).toBe(system.pid)
  expect((await fetch(`${address.url}/health`)).status).toBe(200)
  expect(await system.stop()).toBe(0)
  expect([isGone(address.pid), left(root)]).toEqual([true, []])
})

it('a second system on a root is refused with the pid of the first, which goes on', async () => {
  const root = rootWith()
  const system = await start(root)
  const { code, stdout, stderr } = await mm(root.path, 'up', '--no-repl')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain(`in use by process ${system.pid}`)
  expect(left(root)).toEqual(['http.json', 'lock'])
  expect((await system.api('GET', '/health')).status).toBe(200)
})

it('a lock whose owner is gone is taken over', async () => {
  const stale = [
    JSON.stringify({ pid: deadPid(), started: '1' }),
    // The pid lives, but as another process than the one that took the lock.
    JSON.stringify({ pid: process.pid, started: '1' }),
    '{"pid": ',
    '',
  ]
  for (const text of stale) {
    const root = rootWith({ 'runtime/lock': text, 'runtime/http.json': '{"url": "http://127.0.0.1:9", "pid": 1}' })
    const system = await start(root)
    expect(JSON.parse(root.read('runtime/lock'))).toMatchObject({ pid: system.pid })
    expect(addressOf(root).url).toBe(system.url)
    expect(await system.stop()).toBe(0)
  }
})

it('the system without a parent keeps the lock itself and ends in order on a signal', async () => {
  const root = rootWith()
  const child = spawn(process.execPath, [join(packageRoot, 'bin', 'mm.js'), 'run', '--root', root.path], {
    env: cleanEnv(),
    stdio: 'ignore',
  })
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
  try {
    await expect.poll(() => left(root), LONG).toEqual(['http.json', 'lock'])
    expect(addressOf(root)).toMatchObject({ pid: child.pid, supervisor_pid: child.pid })
    const second = await mm(root.path, 'up', '--no-repl')
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining(`in use by process ${child.pid}`)])
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    expect(left(root)).toEqual([])
  } finally {
    child.kill('SIGKILL')
  }
})

it('the system started alone on a root in use says so in one line, without a stack', async () => {
  const root = rootWith()
  const system = await start(root)
  const { status, stderr } = spawnSync(process.execPath, [join(packageRoot, 'bin/mm.js'), 'run', '--root', root.path], {
    env: cleanEnv(),
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  expect(stderr).toContain(`in use by process ${system.pid}`)
  expect(stderr).not.toContain('    at ')
})
