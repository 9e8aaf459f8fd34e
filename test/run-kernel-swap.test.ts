/** The kernel itself is replaced while it is called: up, down, and by kernels that are broken. */
import { afterEach, expect, it } from 'vitest'
import { startProcess, type RunningSystem } from './support/process.ts'
import { createRoot, packageRoot, type TestRoot } from './support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const COUNTER = `
export class Module {
  constructor(kernel) { this.kernel = kernel; this.count = 0; this.turns = 0 }
  async run(signal) {
    while (!signal.aborted) { await this.kernel.sleep(5, signal); this.turns++ }
  }
  next() { return ++this.count }
  async slow(ms) { await this.kernel.sleep(ms); return ++this.count }
  turnsSoFar() { return this.turns }
}
`

async function start(files: Record<string, string> = {}, env: Record<string, string> = {}) {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/counter.yml': 'prog: counter\n',
    'configs/meta-v1.0.0.yml': 'prog: kernel\n',
    'modules/counter.ts': COUNTER,
    ...files,
  })
  roots.push(root)
  const system = await startProcess(root, { env: { MM_PROBATION_MS: '1500', ...env } })
  running.push(system)
  return { root, system }
}

interface Info {
  version: string
  meta_file: string
  versions: { meta_file: string; state: string; error: { code: string } | null }[]
  history: { to: string; outcome: string; error: { code: string } | null }[]
}

const info = async (system: RunningSystem): Promise<Info> => (await system.api<Info>('GET', '/api/kernel')).body

/** Calls the counter without a pause until told to stop; every call has to be answered, with the next number. */
function load(system: RunningSystem): { stop: () => Promise<number> } {
  const caller = { calls: true }
  const done = (async () => {
    let last = 0
    while (caller.calls) {
      const next = await system.call<number>('counter', 'next')
      expect(next).toBe(last + 1)
      last = next
    }
    return last
  })()
  done.catch(() => undefined)
  return {
    stop: () => {
      caller.calls = false
      return done
    },
  }
}

it('a newer meta file replaces the kernel, and removing it brings the one before back: no call fails, nothing is built again', async () => {
  const { root, system } = await start()
  const calls = load(system)
  root.write('configs/meta-v1.1.0.yml', 'prog: kernel\n')
  await system.line(/kernel 1\.0\.0 → 1\.1\.0 {2}paused/)
  await system.line(/kernel 1\.1\.0 is confirmed/)
  expect((await info(system)).version).toBe('1.1.0')
  root.remove('configs/meta-v1.1.0.yml')
  await system.line(/kernel 1\.1\.0 → 1\.0\.0 {2}paused/)
  const counted = await calls.stop()
  expect(counted).toBeGreaterThan(10)
  expect(await system.call('counter', 'next')).toBe(counted + 1)
  expect((await info(system)).history.map(({ to, outcome }) => `${to} ${outcome}`)).toEqual([
    '1.1.0 swapped',
    '1.0.0 swapped',
  ])
  const turns = await system.call<number>('counter', 'turnsSoFar')
  expect(await system.call('counter', 'slow', 50)).toBe(counted + 2)
  expect(await system.call<number>('counter', 'turnsSoFar')).toBeGreaterThan(turns)
  const { body } = await system.api<{ generation: number; errors: number }>('GET', '/api/services/counter')
  expect(body).toMatchObject({ generation: 1, errors: 0 })
})

it('after a swap everything goes on: files are watched, versions drain, events of an open stream come', async () => {
  const { root, system } = await start()
  const slow = system.call<number>('counter', 'slow', 1_500)
  root.write('modules/counter.ts', COUNTER.replace('++this.count }', '(this.count += 1) }'))
  await system.line(/counter {2}g1 → g2/)
  root.write('configs/meta-v1.1.0.yml', 'prog: kernel\n')
  await system.line(/kernel 1\.0\.0 → 1\.1\.0 {2}paused/)
  expect(await slow).toBe(1)
  root.write('modules/counter.ts', COUNTER.replace('++this.count }', '(this.count += 2) }'))
  await system.line(/counter {2}g2 → g3/)
  expect(await system.call('counter', 'next')).toBe(2)
})

const broken: [name: string, code: RegExp, files: Record<string, string>][] = [
  ['bad YAML', /config_syntax/, { 'configs/meta-v2.0.0.yml': 'prog: [\n' }],
  ['a missing file', /prog_not_found/, { 'configs/meta-v2.0.0.yml': 'prog: nowhere\n' }],
  ['a syntax error', /syntax/, kernelFile('export class Kernel {')],
  ['a throw on import', /kernel_vet|evaluat|threw|callee/, kernelFile("throw new Error('no import')")],
  [
    'a throw in the constructor',
    /kernel_vet/,
    kernelFile("export class Kernel { constructor() { throw new Error('no') } }"),
  ],
  ['a throw in adopt', /kernel_vet/, kernelFile(port("adopt() { throw new Error('no') }"))],
  ['an adopt that never settles', /kernel_vet_timeout/, kernelFile(port('adopt() { return new Promise(() => {}) }'))],
  ['an endless loop on import', /kernel_vet_timeout/, kernelFile('for (;;) {}')],
  ['an endless loop in adopt', /kernel_vet_timeout/, kernelFile(port('adopt() { for (;;) {} }'))],
  ['a record it cannot read', /kernel_state/, kernelFile(port('async adopt() {}', '{ from: 7, to: 9 }'))],
  ['an adopt that takes nothing over', /kernel_vet/, kernelFile(port('async adopt() {}'))],
]

function kernelFile(text: string): Record<string, string> {
  return { 'configs/meta-v2.0.0.yml': 'prog: second\n', 'modules/second.ts': text }
}

/** A kernel with every method of the port. */
function port(adopt: string, reads = '{ from: 1, to: 1 }'): string {
  return `
export class Kernel {
  version = '2.0.0'
  reads = ${reads}
  async boot() {}
  async settled() {}
  waitForShutdown() { return new Promise(() => {}) }
  async stop() {}
  status() { return { version: '2.0.0', services: {} } }
  async check() { return { services: 0, errors: [] } }
  fault() { return undefined }
  async health() { return { ok: true, reason: null, unattributed_faults: 0, calls: 0, failed_calls: 0 } }
  async pause() {}
  resume() {}
  exportState() { throw new Error('it has nothing') }
  letGo() {}
  refuseKernel() {}
  ${adopt}
}
`
}

it.each(broken)('a kernel with %s is refused: the old one serves on, and says why', async (_name, code, files) => {
  const { root, system } = await start()
  const calls = load(system)
  for (const [path, text] of Object.entries(files).reverse()) root.write(path, text)
  await system.line(/kernel 2\.0\.0 .*refused|the kernel stays/)
  await calls.stop()
  const { version, versions, history } = await info(system)
  expect(version).toBe('1.0.0')
  expect(versions[0]).toMatchObject({ meta_file: 'configs/meta-v2.0.0.yml', state: 'refused' })
  expect(history.at(-1)).toMatchObject({ to: '2.0.0', outcome: 'refused' })
  expect(history.at(-1)?.error?.code).toMatch(code)
  expect(await system.call<number>('counter', 'next')).toBeGreaterThan(0)
})

/** The shipped kernel with something wrong in it, that shows only in the real system. */
const sick = (body: string): Record<string, string> =>
  kernelFile(`
import { Kernel as Shipped } from '${packageRoot}/modules/kernel/kernel.ts'
export class Kernel extends Shipped {
  get isReal() { return !this.options.root.startsWith('/kernel-trial') }
  ${body}
}
`)

it('a kernel that turns sick after the switch is gone back from: calls go on, and the reason is kept', async () => {
  const { root, system } = await start()
  const calls = load(system)
  const health =
    'async adopt(state) { this.since = performance.now(); return super.adopt(state) }\n' +
    "  async health() { return this.isReal && performance.now() - this.since > 300 ? { ...await super.health(), ok: false, reason: 'it is sick' } : super.health() }"
  for (const [path, text] of Object.entries(sick(health)).reverse()) root.write(path, text)
  await system.line(/kernel 1\.0\.0 → 2\.0\.0 {2}paused/)
  await system.line(/kernel 2\.0\.0 .*taken back: .*it is sick/)
  const counted = await calls.stop()
  const { version, history } = await info(system)
  expect(version).toBe('1.0.0')
  expect(history.at(-1)).toMatchObject({ outcome: 'taken_back', error: { code: 'kernel_unwell' } })
  expect(await system.call('counter', 'next')).toBe(counted + 1)
})

it('a kernel that takes over and does not say so in time is taken back at once', async () => {
  const { root, system } = await start({
    'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: { kernel_adopt_ms: 300 }\n',
  })
  const calls = load(system)
  const adopt = 'async adopt(state) { await super.adopt(state); if (this.isReal) await new Promise(() => {}) }'
  for (const [path, text] of Object.entries(sick(adopt)).reverse()) root.write(path, text)
  await system.line(/kernel 2\.0\.0 .*refused/)
  const counted = await calls.stop()
  const { version, history } = await info(system)
  expect(version).toBe('1.0.0')
  expect(history.at(-1)?.error?.code).toBe('kernel_adopt_timeout')
  expect(await system.call('counter', 'next')).toBe(counted + 1)
})

it('a kernel that takes the process with it while on probation is not started again', async () => {
  const { root, system } = await start({}, { MM_PROBATION_MS: '60000' })
  root.write('configs/meta-v1.1.0.yml', 'prog: kernel\n')
  await system.line(/kernel 1\.0\.0 → 1\.1\.0 {2}paused/)
  process.kill(system.childPid, 'SIGKILL')
  await system.restarted(1)
  const { body } = await system.api<Info & { fallbacks: { code: string }[] }>('GET', '/api/kernel')
  expect(body.version).toBe('1.0.0')
  expect(body.fallbacks.map(({ code }) => code)).toEqual(['kernel_crashed'])
})
