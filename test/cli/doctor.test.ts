/** `mm doctor`: each thing it can find, what it says of it, and what `--repair` does and leaves alone. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync, symlinkSync, truncateSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { cleanEnv, mm, startProcess, type CommandResult, type RunningSystem } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

/** Each looks at a root several times, each time with processes of its own. */
vi.setConfig({ testTimeout: 120_000 })

const roots: TestRoot[] = []
const running: RunningSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const HTTP = { 'configs/http.yml': 'prog: services/http\nport: 0\n' }

function rootWith(files: Record<string, string>): TestRoot {
  const root = createRoot({ ...HTTP, ...files })
  roots.push(root)
  return root
}

async function start(root: TestRoot, args: string[] = []): Promise<RunningSystem> {
  const system = await startProcess(root, { args, env: { MM_PROBATION_MS: '300' } })
  running.push(system)
  return system
}

const doctor = (root: TestRoot, ...args: string[]): Promise<CommandResult> => mm(root.path, 'doctor', ...args)

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  return child.pid ?? 0
}

/** Everything below some folders, by path. */
function textsOf(root: TestRoot, folders: string[]): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const folder of folders)
    for (const entry of readdirSync(join(root.path, folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) {
        const path = join(entry.parentPath, entry.name).slice(root.path.length + 1)
        texts[path] = root.read(path)
      }
  return texts
}

it('what a killed process has left behind is told, mended when asked, and then all is well', async () => {
  const root = rootWith({ 'configs/x.yml': '', 'modules/x.ts': 'export class Module {}\n' })
  const system = await start(root)
  expect(await system.stop()).toBe(0)
  const pid = await deadPid()
  const [record] = readdirSync(join(root.path, 'runtime/last-good')).filter((name) => name.startsWith('x-'))
  root.write('runtime/lock', JSON.stringify({ pid, started: 'long ago' }))
  root.write(
    'runtime/http.json',
    JSON.stringify({ url: 'http://127.0.0.1:1', pid, supervisor_pid: pid, token_file: '' }),
  )
  root.write('runtime/refused.json', '{"x": {"conf')
  root.write(`runtime/last-good/${record}`, '{"format"')
  const pack = join(root.path, 'runtime/cache/work.pack')
  truncateSync(pack, statSync(pack).size - 10)
  root.write(`configs/.x.yml.${pid}-1.mm-draft`, 'half')
  const files = textsOf(root, ['configs', 'modules'])
  const { code, stdout } = await doctor(root)
  expect(code).toBe(1)
  const wrong = [
    'lock: runtime/lock was left by a process that is gone',
    `address: runtime/http.json names process ${pid}, which is gone`,
    'records: runtime/refused.json is no whole record',
    `last good: runtime/last-good/${record}: it is no JSON`,
    'cache: runtime/cache/work.pack is not whole',
    `drafts: configs/.x.yml.${pid}-1.mm-draft was left by a process that was killed while it wrote`,
  ]
  for (const line of wrong) expect(stdout).toContain(`wrong  ${line}\n`)
  expect(stdout).toContain('`mm doctor --repair` mends what the system itself has left behind.')
  expect(textsOf(root, ['configs', 'modules'])).toEqual(files)
  const mended = await doctor(root, '--repair')
  expect(mended.code).toBe(0)
  for (const line of wrong) expect(mended.stdout).toContain(`mended  ${line}\n`)
  delete files[`configs/.x.yml.${pid}-1.mm-draft`]
  expect(textsOf(root, ['configs', 'modules'])).toEqual(files)
  expect(root.read('runtime/refused.json.broken')).toBe('{"x": {"conf')
  const after = await doctor(root)
  expect(after.stdout).not.toContain('wrong')
  expect(after.code).toBe(0)
  expect((await (await start(root)).api('GET', '/health')).body).toMatchObject({ status: 'ok' })
})

it('what a running system has in its hands is told, and not mended under it', async () => {
  const root = rootWith({})
  const system = await start(root)
  root.write('runtime/refused.json', 'torn')
  const told = (await doctor(root, '--repair')).stdout
  expect(told).toMatch(/^ok +lock: process \d+ uses this root$/m)
  expect(told).toMatch(/^wrong +records: runtime\/refused\.json is no whole record$/m)
  expect(root.read('runtime/refused.json')).toBe('torn')
  expect(await system.stop()).toBe(0)
})

it('a kernel that was refused is told, while a system runs and when none does', async () => {
  const root = rootWith({
    'modules/sick.ts': "export class Kernel {\n  constructor() { throw new Error('no luck') }\n}\n",
  })
  const system = await start(root)
  root.write('configs/meta-v2.0.0.yml', 'prog: sick\n')
  await system.line(/configs\/meta-v2\.0\.0\.yml\) refused/)
  expect((await doctor(root)).stdout).toMatch(/^wrong +kernel: configs\/meta-v2\.0\.0\.yml was refused: .*no luck/m)
  await system.stop()
  const { stdout, code } = await doctor(root, '--repair')
  expect(stdout).toMatch(/^wrong +kernel: configs\/meta-v2\.0\.0\.yml was refused: .*no luck/m)
  expect(code).toBe(1)
})

it('a service that was switched off is told with its reason', async () => {
  const always = "export class Module {\n  async run() { throw new Error('again') }\n}\n"
  const root = rootWith({ 'configs/x.yml': 'restart: {max: 0}\n', 'modules/x.ts': always })
  const system = await start(root)
  await expect
    .poll(async () => (await system.api<{ state: string }>('GET', '/api/services/x')).body.state)
    .toBe('tripped')
  expect((await doctor(root)).stdout).toMatch(/^wrong +x: tripped, nothing serves: .*again/m)
})

it('a system whose port is taken runs without an address, and the reason is told', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const root = rootWith({ 'configs/http.yml': `prog: services/http\nport: ${port}\nport_tries: 1\n` })
  const command = [join(packageRoot, 'bin/mm.js'), '--root', root.path, 'up', '--no-repl']
  const system = spawn(process.execPath, command, { env: cleanEnv(), stdio: 'ignore' })
  const ended = once(system, 'exit')
  try {
    const told = async (): Promise<string> => (await doctor(root)).stdout
    const line = /^wrong +system: process \d+ runs, and offers no HTTP API; the last error: http {2}refused: .*port/im
    await expect.poll(told, { timeout: 25_000 }).toMatch(line)
    const pid = Number(/process (\d+) uses this root/.exec(await told())?.[1])
    process.kill(pid, 'SIGTERM')
    await ended
    await expect.poll(() => existsSync(join(root.path, 'runtime/lock')), { timeout: 15_000 }).toBe(false)
  } finally {
    system.kill()
    server.close()
  }
})

it('a file that cannot be read is told with its name, and left alone', async () => {
  const root = rootWith({})
  symlinkSync('x.yml', join(root.path, 'configs/x.yml'))
  const { stdout, code } = await doctor(root, '--repair')
  expect(code).toBe(1)
  expect(stdout).toMatch(/^wrong +configs: .*ELOOP.*configs\/x\.yml/m)
  expect(existsSync(join(root.path, 'configs'))).toBe(true)
  expect(readdirSync(join(root.path, 'configs'))).toContain('x.yml')
})

it('findings can be read by a program', async () => {
  const root = rootWith({})
  root.write('runtime/lock', JSON.stringify({ pid: await deadPid(), started: 'long ago' }))
  const findings = JSON.parse((await mm(root.path, 'doctor', '--json')).stdout) as Record<string, unknown>[]
  expect(findings).toContainEqual({
    check: 'lock',
    ok: false,
    message: 'runtime/lock was left by a process that is gone',
    hint: 'The next start takes it over; nothing has to be done.',
    repaired: false,
  })
})

it('native packages are tried, and a port that another program has is told with what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const root = rootWith({ 'configs/http.yml': `prog: services/http\nport: ${port}\n` })
  const { code, stdout } = await doctor(root)
  other.close()
  expect(code).toBe(1)
  expect(stdout).toMatch(/^ok +native: \S+ works$/m)
  expect(stdout).toMatch(/^ok +disk: \d+ MB are left/m)
  expect(stdout).toMatch(
    new RegExp(
      `^wrong +port: 127\\.0\\.0\\.1:${port} cannot be used: EADDRINUSE\\n +End the program that has it, or change port: in configs/http\\.yml`,
      'm',
    ),
  )
  expect((await doctor(root)).stdout).toMatch(/^ok +port: \S+ is free$/m)
})

it('providers are asked whether they are ready', async () => {
  const root = rootWith({
    'configs/ask.yml': 'prog: inference/ask\n',
    'configs/offline.yml': 'prog: inference/offline\n',
    'configs/tools.yml': 'prog: services/tools\n',
  })
  await start(root)
  const { stdout } = await doctor(root)
  expect(stdout).toMatch(/^ok +providers: offline is ready: /m)
  expect(stdout).not.toContain('ask is not ready')
  const openai = rootWith({
    'configs/openai.yml': 'prog: inference/openai\nparams: {api_key_env: NO_SUCH_KEY, model: x}\n',
  })
  await start(openai)
  expect((await doctor(openai)).stdout).toMatch(/^wrong +providers: openai is not ready: .*NO_SUCH_KEY/m)
})
