/**
 * R14 with whole processes: runtime/ on a disk of its own that is filled, or turned read-only, under a running system.
 * Where no disk can be mounted, only the tests behind the seam (test/kernel/disk.test.ts) say something.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { SmallDisk } from './support/disk.ts'
import { mm, startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, type TestRoot } from './support/root.ts'

const RECOVERED = { timeout: 10_000 }
const KILOBYTES = 8_192

let root: TestRoot
let disk: SmallDisk
let system: RunningSystem
afterEach(async () => {
  disk.empty()
  await system.stop()
  disk.unmount()
  root.dispose()
})

const counter = (step: number): string => `export class Module {
  count = 0
  constructor(kernel) { this.log = kernel.log }
  say(chars) { this.log.info('x'.repeat(chars)) }
  next() { return this.count += ${step} }
  handOver() { return this.count }
  takeOver(count) { this.count = count }
}`

async function start(files: Record<string, string> = {}, env: Record<string, string> = {}): Promise<void> {
  root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/counter.yml': '',
    'modules/counter.js': counter(1),
    ...files,
  })
  disk = SmallDisk.mount(join(root.path, 'runtime'), KILOBYTES)
  system = await startProcess(root, { env })
}

/** Calls the counter until stopped: none may fail. Resolves with how many there were. */
function callers(): { stop(): Promise<number> } {
  const load = { goes: true }
  const done = (async () => {
    let calls = 0
    while (load.goes) {
      await system.call<number>('counter', 'next')
      calls++
    }
    return calls
  })()
  done.catch(() => undefined)
  return {
    stop: () => {
      load.goes = false
      return done
    },
  }
}

const states = async (): Promise<Record<string, string>> => {
  const { body } = await system.api<{ services: { api: string; state: string }[] }>('GET', '/api/services')
  return Object.fromEntries(body.services.map(({ api, state }) => [api, state]))
}
const inRuntime = (file: string): string => readFileSync(join(root.path, 'runtime', file), 'utf8')
const addressOf = (): unknown => existsSync(join(root.path, 'runtime/http.json')) && JSON.parse(inRuntime('http.json'))
const reload = async (step: number, generation: number): Promise<void> => {
  root.write('modules/counter.js', counter(step))
  await system.line(new RegExp(`counter {2}g${generation - 1} → g${generation}`))
}

describe.runIf(SmallDisk.possible)('a disk of its own', { timeout: 120_000 }, () => {
  it('full: calls, reloads and ways back go on, writes are refused in a code, and all is made up for', async () => {
    await start({ 'configs/database.yml': 'prog: services/database\n' })
    await system.call('database', 'execute', 'CREATE TABLE t (x)')
    const load = callers()
    disk.keepFull()
    await reload(2, 2)
    const { body } = await system.api<{ ok: boolean }>('POST', '/api/services/counter/rollback')
    expect(body.ok).toBe(true)
    await system.line(/The disk is full: runtime\/refused\.json could not be written/)
    const insert = 'INSERT INTO t VALUES (zeroblob(1000000))'
    await expect(system.call('database', 'execute', insert)).rejects.toThrow(/disk_full/)
    expect(await system.call('database', 'query', 'SELECT count(*) AS n FROM t')).toEqual([{ n: 0 }])
    for (let line = 0; line < 10; line++) await system.call('counter', 'say', 10_000)
    expect(await load.stop()).toBeGreaterThan(0)
    expect((await mm(root.path, 'doctor')).stdout).toMatch(/wrong {2}runtime: 0 KB are left on the disk/)
    disk.empty()
    await expect.poll(() => inRuntime('refused.json'), RECOVERED).toContain('counter')
    expect(await system.call('database', 'execute', insert)).toMatchObject({ changes: 1 })
    await expect.poll(() => inRuntime('logs/mm.log'), RECOVERED).toMatch(/lines are missing here/)
    expect(await system.call('counter', 'next')).toBeGreaterThan(0)
  })

  it('full, and the process is killed: it comes back, and what it could not write or open follows', async () => {
    await start({ 'configs/database.yml': 'prog: services/database\n' })
    await system.call('database', 'execute', 'CREATE TABLE t (x)')
    disk.keepFull()
    process.kill(system.childPid, 'SIGKILL')
    await system.line(/no HTTP API/)
    expect(addressOf()).toBe(false)
    disk.empty()
    await expect.poll(addressOf, RECOVERED).toMatchObject({ supervisor_pid: system.pid })
    await system.restarted(1)
    await expect.poll(async () => (await states())['database'], RECOVERED).toBe('live')
    expect(await system.call('counter', 'next')).toBe(1)
  })

  it('full, and a module loops without end: it is named, off, and the others are back', async () => {
    const loops = 'export class Module { loop() { for (;;); } }'
    await start({ 'configs/loops.yml': '', 'modules/loops.js': loops }, { MM_STALL_MS: '1000' })
    disk.keepFull()
    await expect(system.call('loops', 'loop')).rejects.toThrow()
    await system.line(/loops stalled the process for .* at modules\/loops\.js:1:\d+; it is off until its file changes/)
    disk.empty()
    await expect.poll(addressOf, RECOVERED).toMatchObject({ supervisor_pid: system.pid })
    await system.restarted(1)
    expect(await states()).toMatchObject({ counter: 'live', loops: 'quarantined' })
    await expect.poll(() => inRuntime('refused.json'), RECOVERED).toContain('loops')
  })

  it('read-only: calls and reloads go on, a killed process comes back, and its address is written when it can be', async () => {
    await start()
    const load = callers()
    await disk.readOnly(true)
    await reload(2, 2)
    await system.api('POST', '/api/services/counter/rollback')
    await system.line(/runtime\/refused\.json could not be written: EROFS/)
    expect(await load.stop()).toBeGreaterThan(0)
    const before = addressOf() as { pid: number }
    process.kill(before.pid, 'SIGKILL')
    await system.line(/runtime\/http\.json could not be written: EROFS/)
    await disk.readOnly(false)
    await expect.poll(() => (addressOf() as { pid: number }).pid, RECOVERED).not.toBe(before.pid)
    await system.line(/runtime\/lock is written/)
    expect(await system.stop()).toBe(0)
  })
})
