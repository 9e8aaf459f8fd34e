/** `mm up`: what it prints, and how it ends. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, it } from 'vitest'
import { cleanEnv, mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
const children: ChildProcess[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  for (const root of roots.splice(0)) root.dispose()
})

const HTTP = { 'configs/http.yml': 'prog: services/http\nport: 0\n' }

function rootWith(files: Record<string, string>): TestRoot {
  const root = createRoot(files)
  roots.push(root)
  return root
}

async function start(files: Record<string, string> = HTTP, args: string[] = []): Promise<RunningSystem> {
  const system = await startProcess(rootWith(files), { args })
  running.push(system)
  return system
}

interface Launched {
  /** Resolves with the first line that fits; rejects when the output ends without one. */
  line(pattern: RegExp): Promise<string>
  stop(): Promise<number | null>
}

/** `mm` with any arguments, for starts that `startProcess` does not wait for. */
function launch(...args: string[]): Launched {
  const child = spawn(process.execPath, [join(packageRoot, 'bin', 'mm.js'), ...args], {
    env: cleanEnv(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
  const lines: string[] = []
  const checks = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const check of checks) check()
  })
  return {
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = lines.find((line) => pattern.test(line))
          if (found !== undefined) resolve(found)
        }
        checks.add(check)
        void exited.then(() => reject(new Error(`no line like ${pattern}:\n${lines.join('\n')}`)))
        check()
      }),
    stop: () => {
      child.kill('SIGTERM')
      return exited
    },
  }
}

it('up prints the kernel, each service, the sum, the address and where the token is', async () => {
  const system = await start()
  expect(await system.line(/kernel 1\.0\.0 from configs\/meta-v1\.0\.0\.yml$/)).toContain('INFO')
  expect(await system.line(/http {2}g1 live {2}\d+(\.\d+)? ms$/)).toContain('INFO')
  await system.line(/^meta-machine 1\.0\.0 {2}2 of 2 services live$/)
  await system.line(/^http g1 {2}kernel g1$/)
  expect(await system.line(/token in/)).toBe(
    `${system.url}  token in ${join(roots[0]?.path ?? '', 'runtime', 'token')}`,
  )
})

it('up without a command is up', async () => {
  const root = rootWith(HTTP)
  const bare = launch('--root', root.path)
  await bare.line(/2 of 2 services live/)
  expect(await bare.stop()).toBe(0)
})

it('up stopped in order says so and exits with 0', async () => {
  const system = await start()
  expect(await system.stop()).toBe(0)
  expect(system.output.join('\n')).toMatch(/stopping[\s\S]*http {2}stopped/)
})

it('up names the services that are not live and why', async () => {
  const system = await start({
    ...HTTP,
    'configs/broken.yml': 'prog: broken\n',
    'modules/broken.ts': 'export class Module {\n  constructor() { throw new Error("out of order") }\n}\n',
    'configs/late.yml': 'prog: broken\nneeds: [nobody]\n',
  })
  await system.line(/^meta-machine 1\.0\.0 {2}2 of 4 services live {2}\(broken failed, late waiting\)$/)
  await system.line(/broken {2}refused: .*out of order \(modules\/broken\.ts:2:\d+\); nothing serves/)
  expect((await system.api('GET', '/health')).body).toMatchObject({ status: 'degraded' })
})

it('up without the http service runs, and says that there is no API', async () => {
  const root = rootWith({ 'configs/quiet.yml': 'prog: quiet\n', 'modules/quiet.ts': 'export class Module {}\n' })
  const quiet = launch('--root', root.path, 'up', '--no-repl')
  await quiet.line(/2 of 2 services live/)
  await quiet.line(/no HTTP API/)
  expect((await mm(root.path, 'status')).code).toBe(3)
  expect(await quiet.stop()).toBe(0)
})

it('up --safe starts the kernel, http and filesystem only', async () => {
  const files = {
    ...HTTP,
    'configs/filesystem.yml': 'prog: services/filesystem\n',
    'configs/tools.yml': 'prog: services/tools\n',
    'configs/bad.yml': 'prog: bad\n',
    'modules/bad.ts': 'throw new Error("never load me")\n',
  }
  const system = await start(files, ['--safe'])
  await system.line(/^meta-machine 1\.0\.0 {2}3 of 3 services live$/)
  const { body } = await system.api<{ services: { api: string }[] }>('GET', '/api/services')
  expect(body.services.map((one) => one.api)).toEqual(['filesystem', 'http', 'kernel'])
  expect(system.output.join('\n')).not.toContain('never load me')
})

it('up without a root exits with 1 and names the command that makes one', async () => {
  const folder = join(rootWith({}).path, 'nowhere')
  const { code, stdout, stderr } = await mm(folder, 'up', '--no-repl')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain('configs/')
  expect(stderr).toContain(`mm init ${folder}`)
  expect(existsSync(folder)).toBe(false)
  const json = await mm(folder, 'up', '--no-repl', '--json')
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'root_missing' } })
})

it('up without a terminal opens no prompt', async () => {
  const root = rootWith(HTTP)
  const system = launch('--root', root.path, 'up')
  await system.line(/services live/)
  await expect(Promise.race([system.line(/\/quit/), system.stop()])).resolves.toBe(0)
})
