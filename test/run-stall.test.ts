/** Synchronous loops in trusted modules: one restart, the culprit named and off, everything else back. Real processes. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { parseStall, type Stall } from '../modules/lib/stall.ts'
import { mm, startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, type TestRoot } from './support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const GOOD = 'export class Module { answer(): number { return 42 } }\n'

/** Each line that hangs is known by its number. */
const HANGS = `import { pbkdf2Sync } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { spin } from './helper.ts'
interface Shape { a: number }
export class Module {
  shape: Shape = { a: 1 }
  answer(): number { return this.shape.a }
  loop(): void { for (;;); }
  async turns(): Promise<void> { for (;;) await null }
  match(): boolean { return /^(a+)+$/.test('a'.repeat(80) + 'b') }
  helped(): void { spin() }
  native(): void { pbkdf2Sync('a', 'b', 2e9, 64, 'sha512') }
  waits(): string { execFileSync('sleep', ['2']); return 'rested' }
  works(ms: number): string { const end = Date.now() + ms; while (Date.now() < end); return 'done' }
}
`
const HELPER = `export function spin(): void {
  for (;;) Math.random()
}
`

interface Shown {
  state: string
  generation: number | null
  stale: boolean
  last_error: { code: string; message: string; hint: string; file?: string; line?: number } | null
}

async function start(files: Record<string, string> = {}, env: Record<string, string> = {}) {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/good.yml': 'prog: good\n',
    'configs/jobs/x.yml': 'prog: hangs\n',
    'modules/good.ts': GOOD,
    'modules/hangs.ts': HANGS,
    'modules/helper.ts': HELPER,
    ...files,
  })
  roots.push(root)
  const system = await startProcess(root, { env: { MM_STALL_MS: '1000', ...env } })
  running.push(system)
  return { root, system }
}

const show = async (system: RunningSystem, api: string): Promise<Shown> =>
  (await system.api<Shown>('GET', `/api/services/${encodeURIComponent(api)}`)).body

/** The call dies with the process; resolves when the system is up again. */
async function hang(system: RunningSystem, method: string, times = 1, api = 'jobs/x'): Promise<void> {
  const lost = system.call(api, method).then(
    (result) => `it answered ${JSON.stringify(result)}`,
    () => 'lost',
  )
  await system.restarted(times)
  expect(await lost).toBe('lost')
}

const lastStall = (root: TestRoot): Stall | undefined => parseStall(root.read('runtime/stall-last.json'))

it('an endless loop costs one restart: the culprit is named and off, the rest is back, the files are as they were', async () => {
  const { root, system } = await start()
  const before = [root.read('modules/hangs.ts'), root.read('configs/jobs/x.yml')]
  const child = system.childPid
  await hang(system, 'loop')
  expect(system.childPid).not.toBe(child)
  const why = await system.line(
    /jobs\/x stalled the process for 1\.\d s at modules\/hangs\.ts:8:\d+; it is off until its file changes; starting again in \d+ ms$/,
  )
  expect(system.output.filter((line) => line === why)).toHaveLength(1)
  const shown = await show(system, 'jobs/x')
  expect(shown).toMatchObject({ state: 'quarantined', generation: null })
  expect(shown.last_error).toMatchObject({ code: 'version_stalled', file: 'modules/hangs.ts', line: 8 })
  expect(await system.call('good', 'answer')).toBe(42)
  await expect(system.call('jobs/x', 'answer')).rejects.toThrow('version_stalled')
  expect([root.read('modules/hangs.ts'), root.read('configs/jobs/x.yml')]).toEqual(before)
  expect(lastStall(root)).toMatchObject({ service: 'jobs/x', generation: 1, frame: 'loop', guess: false, pid: child })
  expect(statSync(join(root.path, 'runtime/stall-last.json')).mode & 0o777).toBe(0o600)
  expect(existsSync(join(root.path, 'runtime/stall.json'))).toBe(false)
  const { body } = await system.api('GET', '/health')
  expect(body).toMatchObject({ status: 'degraded' })
})

it('a version that stalled comes back when its file changes, and when somebody insists', async () => {
  const { root, system } = await start()
  await hang(system, 'loop')
  root.write('modules/hangs.ts', HANGS.replace('for (;;);', 'return'))
  await expect.poll(async () => (await show(system, 'jobs/x')).state).toBe('live')
  expect(await system.call('jobs/x', 'loop')).toBe(null)
  await hang(system, 'helped', 2)
  expect(lastStall(root)).toMatchObject({ service: 'jobs/x', file: 'modules/helper.ts', line: 2, frame: 'spin' })
  expect((await show(system, 'jobs/x')).state).toBe('quarantined')
  const reloaded = await system.api('POST', '/api/services/jobs%2Fx/reload')
  expect(reloaded.body).toMatchObject({ ok: true })
  expect(await show(system, 'jobs/x')).toMatchObject({ state: 'live', last_error: null })
  expect(JSON.parse(root.read('runtime/refused.json'))).toEqual({})
})

it('a loop of promises, and an expression without end, are found like any other', async () => {
  const { root, system } = await start()
  await hang(system, 'turns')
  expect(lastStall(root)).toMatchObject({ service: 'jobs/x', guess: false, file: 'modules/hangs.ts', line: 9 })
  await system.api('POST', '/api/services/jobs%2Fx/reload')
  await hang(system, 'match', 2)
  expect(lastStall(root)).toMatchObject({ service: 'jobs/x', guess: false, file: 'modules/hangs.ts', line: 10 })
  expect((await show(system, 'jobs/x')).state).toBe('quarantined')
})

it('a loop at the top of a file or in a constructor ends no boot: it is off in the next', async () => {
  const top = 'let turns: number = 0\nwhile (turns >= 0) turns++\nexport class Module {}\n'
  const made = 'export class Module {\n  constructor() {\n    for (;;);\n  }\n}\n'
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/good.yml': 'prog: good\n',
    'configs/top.yml': 'prog: top\n',
    'configs/made.yml': 'prog: made\n',
    'modules/good.ts': GOOD,
    'modules/top.ts': top,
    'modules/made.ts': made,
  })
  roots.push(root)
  const system = await startProcess(root, { env: { MM_STALL_MS: '1000' } })
  running.push(system)
  expect((await show(system, 'top')).last_error).toMatchObject({
    code: 'version_stalled',
    file: 'modules/top.ts',
    line: 2,
  })
  expect((await show(system, 'made')).last_error).toMatchObject({
    code: 'version_stalled',
    file: 'modules/made.ts',
    line: 3,
  })
  expect(await system.call('good', 'answer')).toBe(42)
  expect(system.output.filter((line) => line.includes('starting again'))).toHaveLength(2)
  root.write('modules/made.ts', GOOD)
  await expect.poll(async () => (await show(system, 'made')).state).toBe('live')
  expect((await show(system, 'top')).state).toBe('quarantined')
})

it('native code that does not end is a guess: told, and not held against anybody', async () => {
  const { root, system } = await start()
  await hang(system, 'native')
  expect(lastStall(root)).toMatchObject({ service: 'jobs/x', guess: true, file: null, source_key: null })
  await system.line(
    /the process stood still for \d+\.\d s outside any service's code; the last one entered was jobs\/x; starting/,
  )
  expect(await system.call('jobs/x', 'answer')).toBe(1)
  expect(existsSync(join(root.path, 'runtime/refused.json'))).toBe(false)
  const told = await eventOf(system, 'kernel.stalled')
  expect(told).toMatchObject({ service: 'jobs/x', guess: true, off: false })
})

/** The first kept event of a type. */
async function eventOf(system: RunningSystem, type: string): Promise<unknown> {
  const response = await fetch(`${system.url}/api/events?subscribe=${type}`, {
    headers: { authorization: `Bearer ${system.token}`, 'last-event-id': '0' },
  })
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    const data = /^data: (.*)$/m.exec(text)?.[1]
    if (data !== undefined) return (JSON.parse(data) as { data: unknown }).data
  }
  throw new Error(`no ${type} in ${text}`)
}

it('work below the limit and waits for other programs end nothing', async () => {
  const { root, system } = await start()
  const child = system.childPid
  expect(await system.call('jobs/x', 'works', 700)).toBe('done')
  expect(await system.call('jobs/x', 'waits')).toBe('rested')
  expect(await system.call('jobs/x', 'answer')).toBe(1)
  expect(system.childPid).toBe(child)
  expect(readFileSync(join(root.path, 'runtime/logs/mm.log'), 'utf8')).not.toContain('stood still')
})

it('a second and a half of work ends nothing with the limit as it is; without a watchdog, nothing ever does', async () => {
  const asIs = await start({}, { MM_STALL_MS: '' })
  expect(await asIs.system.call('jobs/x', 'works', 1_500)).toBe('done')
  const without = await start({}, { MM_WATCHDOG: '0' })
  expect(await without.system.call('jobs/x', 'works', 2_500)).toBe('done')
})

it('a suspended process is not stalled', async () => {
  const { system } = await start()
  process.kill(system.childPid, 'SIGSTOP')
  const waited = await new Promise((resolve) => setTimeout(() => resolve('longer than the limit'), 2_500))
  process.kill(system.childPid, 'SIGCONT')
  expect(waited).toBe('longer than the limit')
  expect(await system.call('jobs/x', 'answer')).toBe(1)
})

it('what stalls during a stop keeps nobody waiting, and is off in the next start', async () => {
  const { root, system } = await start({
    'configs/clings.yml': 'prog: clings\n',
    'modules/clings.ts': 'export class Module {\n  shutdown(): void {\n    for (;;);\n  }\n}\n',
  })
  expect(await system.stop()).toBe(1)
  expect((await mm(root.path, 'doctor')).stdout).toMatch(
    /wrong {2}stall: .*clings stalled the process for 1\.\d s at modules\/clings\.ts:3/,
  )
  const again = await startProcess(root)
  running.push(again)
  expect((await show(again, 'clings')).state).toBe('quarantined')
  expect((await mm(root.path, 'doctor')).stdout).toMatch(/ok {4} stall: the last one: .*clings stalled/)
})

it('stall records that are no records are put aside', async () => {
  const { root, system } = await start({ 'runtime/stall.json': '{ "time": ' })
  expect((await show(system, 'jobs/x')).state).toBe('live')
  expect(existsSync(join(root.path, 'runtime/stall.json'))).toBe(false)
  expect(readFileSync(join(root.path, 'runtime/logs/mm.log'), 'utf8')).toContain('runtime/stall.json is ignored')
})
