/** Errors nobody waits for: the process lives, and the right service is named with file and line. */
import { afterEach, expect, it } from 'vitest'
import { startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, type TestRoot } from './support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

/** Each method begins on a line of its own, so that a line number names it. */
const LATE = `import { EventEmitter } from 'node:events'
import { createReadStream, readFile, stat } from 'node:fs'
import { createServer, connect } from 'node:net'
export class Module {
  constructor(kernel) { this.kernel = kernel }
  timer() { setTimeout(() => { throw new Error('late timer') }, 1) }
  asyncTimer() { setTimeout(async () => { throw new Error('late async timer') }, 1) }
  immediate() { setImmediate(() => { throw new Error('late immediate') }) }
  microtask() { queueMicrotask(() => { throw new Error('late microtask') }) }
  rejection() { void Promise.reject(new Error('late rejection')) }
  async laterRejection() { void this.kernel.sleep(1).then(() => { throw new Error('later rejection') }) }
  callback() { stat('.', () => { throw new Error('late callback') }) }
  emitter() { const one = new EventEmitter().on('go', () => { throw new Error('late emitter') }); stat('.', () => one.emit('go')) }
  unheard() { const one = new EventEmitter(); stat('.', () => one.emit('error', new Error('nobody listens'))) }
  stream() { createReadStream(this.kernel.paths.root + '/modules/late.ts').on('data', () => { throw new Error('late stream') }) }
  spawned() { this.kernel.spawn('digger', async () => { throw new Error('late task') }) }
}
`

/** Two services of the same module: an error must be counted against the one it happened in. */
async function start(files: Record<string, string> = {}): Promise<RunningSystem> {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/left.yml': 'prog: late\n',
    'configs/right.yml': 'prog: late\n',
    'modules/late.ts': LATE,
    ...files,
  })
  roots.push(root)
  const system = await startProcess(root)
  running.push(system)
  return system
}

const LONG = { timeout: 10_000 }

interface Shown {
  state: string
  generation: number | null
  errors: number
  last_error: { code: string; message: string; file?: string; line?: number } | null
}

const show = async (system: RunningSystem, api: string): Promise<Shown> =>
  (await system.api<Shown>('GET', `/api/services/${api}`)).body

const lineOf = (method: string): number =>
  LATE.split('\n').findIndex(
    (line) => line.trim().startsWith(`${method}(`) || line.trim().startsWith(`async ${method}(`),
  ) + 1

const LATE_ERRORS: [string, string][] = [
  ['timer', 'late timer'],
  ['asyncTimer', 'late async timer'],
  ['immediate', 'late immediate'],
  ['microtask', 'late microtask'],
  ['rejection', 'late rejection'],
  ['laterRejection', 'later rejection'],
  ['callback', 'late callback'],
  ['emitter', 'late emitter'],
  ['unheard', 'nobody listens'],
  ['stream', 'late stream'],
  ['spawned', 'late task'],
]

it('a late error of any kind is counted against its service, with file and line, and nothing ends', async () => {
  // So many errors within seconds would have the version started anew, which is not what this is about.
  const limits = 'limits: { late_errors_max: 100, restart_pause_ms: 60000 }'
  const system = await start({ 'configs/meta-v1.0.0.yml': `prog: kernel\n${limits}\n` })
  for (const [method, message] of LATE_ERRORS) {
    await system.call('right', method)
    await expect.poll(async () => (await show(system, 'right')).last_error?.message).toBe(message)
    const { state, last_error: error } = await show(system, 'right')
    expect([method, state, error?.file, error?.line]).toEqual([method, 'live', 'modules/late.ts', lineOf(method)])
  }
  expect((await show(system, 'right')).errors).toBeGreaterThanOrEqual(LATE_ERRORS.length)
  expect(await show(system, 'left')).toMatchObject({ state: 'live', errors: 0, last_error: null })
  expect((await system.api('GET', '/health')).body).toMatchObject({ services: { kernel: { state: 'live' } } })
  expect(system.output.filter((line) => line.includes('starting it again'))).toEqual([])
})

it('work the kernel calls at its time is counted and logged when it throws, like any late error', async () => {
  const clock = `export class Module {
  constructor(kernel) { this.kernel = kernel }
  hear() { this.kernel.events.on('go', () => { throw new Error('bad ear') }); this.kernel.events.emit('go') }
  tick() { const stop = this.kernel.every(1, () => { stop(); throw new Error('bad tick') }) }
  cron() { const stop = this.kernel.cron('* * * * * *', () => { stop(); throw new Error('bad cron') }) }
}
`
  const system = await start({ 'configs/clock.yml': 'prog: clock\n', 'modules/clock.ts': clock })
  const expected: [string, string, number][] = [
    ['hear', 'bad ear', 3],
    ['tick', 'bad tick', 4],
    ['cron', 'bad cron', 5],
  ]
  for (const [method, message, line] of expected) {
    await system.call('clock', method)
    await expect.poll(async () => (await show(system, 'clock')).last_error, LONG).toMatchObject({ message, line })
  }
  expect((await show(system, 'clock')).errors).toBe(expected.length)
  for (const [, message] of expected) expect(system.output.join('\n')).toContain(message)
})

it('a late error of a version that was replaced is still counted against its service', async () => {
  const system = await start()
  const gate = `import { stat } from 'node:fs'
export class Module {
  constructor(kernel) { kernel.events.on('old.go', () => {}); this.kernel = kernel }
  later() { const wait = () => stat('.', () => { if (globalThis.goNow) throw new Error('from the past'); wait() }); wait() }
  go() { globalThis.goNow = true }
}
`
  const [root] = roots
  root?.write('modules/old.ts', gate)
  root?.write('configs/old.yml', 'prog: old\n')
  await expect.poll(async () => (await show(system, 'old')).state).toBe('live')
  await system.call('old', 'later')
  expect((await system.api('POST', '/api/services/old/reload')).body).toMatchObject({ ok: true, generation: 2 })
  await system.call('old', 'go')
  await expect.poll(async () => (await show(system, 'old')).last_error?.message).toBe('from the past')
  expect(await show(system, 'old')).toMatchObject({ state: 'live', generation: 2 })
})

it('values that are no errors, thrown late, end nothing', async () => {
  const odd = `import { createReadStream, stat } from 'node:fs'
export class Module {
  values() { for (const one of [undefined, null, 'text', 7, {}, Symbol('x')]) void Promise.reject(one) }
  thrown() { for (const one of [undefined, null, 'text', { message: {} }]) stat('.', () => { throw one }) }
  timers() { for (const one of [undefined, null, 'text']) setTimeout(() => { throw one }, 1) }
  missing() { createReadStream('/no/such/file') }
}
`
  const system = await start({ 'configs/odd.yml': 'prog: odd\n', 'modules/odd.ts': odd })
  for (const method of ['values', 'thrown', 'timers', 'missing']) await system.call('odd', method)
  await expect.poll(async () => (await show(system, 'odd')).errors).toBeGreaterThanOrEqual(3)
  await system.line(/no such file/)
  expect((await system.api('GET', '/health')).status).toBe(200)
  expect(system.output.filter((line) => line.includes('starting it again'))).toEqual([])
})

it('run() that fails is told with its place, and the service goes on answering', async () => {
  const tired =
    'export class Module {\n  async run() {\n    throw new Error("too tired")\n  }\n  answer() { return 42 }\n}\n'
  const system = await start({ 'configs/tired.yml': 'prog: tired\n', 'modules/tired.ts': tired })
  expect((await show(system, 'tired')).last_error).toMatchObject({
    message: 'too tired',
    file: 'modules/tired.ts',
    line: 3,
  })
  expect(await system.call('tired', 'answer')).toBe(42)
  await system.line(/tired {2}task run\(\): too tired \(modules\/tired\.ts:3:\d+\)/)
})

it('a module may not end the process, by any of its names', async () => {
  const quitter = `import process2, { exit } from 'node:process'
export class Module {
  plain() { process.exit(3) }
  named() { exit(3) }
  imported() { process2.exit(3) }
  global() { globalThis.process.exit(3) }
  abort() { process.abort() }
  kill() { process.kill(process.pid, 'SIGKILL') }
  really() { process.reallyExit(3) }
  late() { setTimeout(() => process.exit(3), 1) }
}
`
  const system = await start({ 'configs/quitter.yml': 'prog: quitter\n', 'modules/quitter.ts': quitter })
  for (const method of ['plain', 'named', 'imported', 'global', 'abort', 'kill', 'really']) {
    const { status, body } = await system.api<{ error: { code: string } }>('POST', '/api/services/quitter/call', {
      method,
    })
    expect([method, status, body.error.code]).toEqual([method, 403, 'process_refused'])
  }
  await system.call('quitter', 'late')
  const refusal = { code: 'process_refused', file: 'modules/quitter.ts', line: 10 }
  await expect.poll(async () => (await show(system, 'quitter')).last_error).toMatchObject(refusal)
  expect((await show(system, 'quitter')).state).toBe('live')
})

it('a module that ends the process while it loads fails alone', async () => {
  const system = await start({ 'configs/quitter.yml': 'prog: quitter\n', 'modules/quitter.ts': 'process.exit(3)\n' })
  const { state, last_error: error } = await show(system, 'quitter')
  expect([state, error?.file, error?.line]).toEqual(['failed', 'modules/quitter.ts', 1])
  expect(error?.message).toContain('process.exit')
  expect((await show(system, 'left')).state).toBe('live')
})
