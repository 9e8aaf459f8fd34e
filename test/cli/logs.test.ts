/** `mm logs`: the log as lines, and what is added to it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { appendFileSync, existsSync, renameSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { afterEach, expect, it } from 'vitest'
import { cleanEnv, mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../support/root.ts'

const roots: TestRoot[] = []
const running: RunningSystem[] = []
const children: ChildProcess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  for (const system of running.splice(0)) await system.stop()
  for (const root of roots.splice(0)) root.dispose()
})

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 }
const entry = (level: keyof typeof LEVELS, msg: string): string =>
  `${JSON.stringify({ level: LEVELS[level], time: Date.UTC(2025, 0, 1, 12, 30, 5, 7), msg })}\n`

function rootWithLog(text: string): { root: TestRoot; file: string } {
  const root = createRoot({ 'runtime/logs/mm.log': text })
  roots.push(root)
  return { root, file: join(root.path, 'runtime', 'logs', 'mm.log') }
}

interface Follower {
  readonly lines: string[]
  /** Resolves when a line fits; those printed already count. Rejects when the command ends without one. */
  line(pattern: RegExp): Promise<void>
  /** The same of stderr. */
  told(pattern: RegExp): Promise<void>
  pause(): void
  resume(): void
  /** Resolves with the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

class Lines {
  readonly all: string[] = []
  private readonly checks = new Set<() => void>()
  private readonly exited: Promise<number | null>

  constructor(input: Readable, exited: Promise<number | null>) {
    this.exited = exited
    createInterface({ input }).on('line', (line) => {
      this.all.push(line)
      for (const check of this.checks) check()
    })
  }

  find(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (this.all.some((line) => pattern.test(line))) resolve()
      }
      this.checks.add(check)
      void this.exited.then((code) =>
        reject(new Error(`ended with ${code} before ${pattern}:\n${this.all.join('\n')}`)),
      )
      check()
    })
  }
}

function follow(root: TestRoot, ...args: string[]): Follower {
  const child = spawn(
    process.execPath,
    [join(packageRoot, 'bin', 'mm.js'), '--root', root.path, 'logs', '-f', ...args],
    {
      env: cleanEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  children.push(child)
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
  const [out, err] = [new Lines(child.stdout, exited), new Lines(child.stderr, exited)]
  return {
    lines: out.all,
    line: (pattern) => out.find(pattern),
    told: (pattern) => err.find(pattern),
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    end: (signal) => {
      child.kill(signal)
      return exited
    },
  }
}

it('logs prints time, level and message, from info up', async () => {
  const { root } = rootWithLog(entry('debug', 'detail') + entry('info', 'started') + entry('error', 'burned'))
  const { code, stdout } = await mm(root.path, 'logs')
  expect([code, stdout]).toEqual([0, '12:30:05.007 INFO  started\n12:30:05.007 ERROR  burned\n'])
})

it('logs -n prints that many lines, the last ones; -n 0 none', async () => {
  const { root } = rootWithLog(Array.from({ length: 80 }, (_, n) => entry('info', `line ${n}`)).join(''))
  expect((await mm(root.path, 'logs', '-n', '2')).stdout).toMatch(/^\S+ INFO {2}line 78\n\S+ INFO {2}line 79\n$/)
  expect((await mm(root.path, 'logs')).stdout.trim().split('\n')).toHaveLength(50)
  expect((await mm(root.path, 'logs', '-n', '0')).stdout).toBe('')
})

it('logs --level counts the lines it shows, not those it leaves out', async () => {
  const { root } = rootWithLog(entry('error', 'burned') + entry('info', 'one') + entry('info', 'two'))
  expect((await mm(root.path, 'logs', '--level', 'error', '-n', '1')).stdout).toContain('burned')
  const everything = rootWithLog(entry('debug', 'detail') + entry('info', 'started')).root
  expect((await mm(everything.path, 'logs', '--level', 'debug')).stdout).toMatch(/DEBUG {2}detail\n.*INFO {2}started/)
})

it('logs --json prints the lines as they are in the file', async () => {
  const { root } = rootWithLog(`${entry('info', 'one')}half a li\n${entry('warn', 'two')}`)
  const { code, stdout } = await mm(root.path, 'logs', '--json')
  expect(code).toBe(0)
  const lines = stdout.trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['one', 'two'])
})

it('logs without a log file exits with 1 and names it', async () => {
  const root = createRoot()
  roots.push(root)
  const { code, stderr } = await mm(root.path, 'logs')
  expect(code).toBe(1)
  expect(stderr).toContain('runtime/logs/mm.log')
})

it('logs -f prints what is added and ends with 0 on SIGTERM and SIGINT', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { root, file } = rootWithLog(entry('info', 'old'))
    const follower = follow(root)
    await follower.line(/old/)
    const whole = entry('info', 'grüße 🚀')
    appendFileSync(file, whole.slice(0, 20))
    appendFileSync(file, whole.slice(20) + entry('debug', 'detail') + entry('warn', 'new'))
    await follower.line(/WARN {2}new/)
    expect(follower.lines.map((line) => line.slice(13))).toEqual(['INFO  old', 'INFO  grüße 🚀', 'WARN  new'])
    expect(await follower.end(signal)).toBe(0)
  }
})

it('logs -f keeps characters whole, wherever a read ends', async () => {
  const { root, file } = rootWithLog(entry('info', 'old'))
  const follower = follow(root)
  await follower.line(/old/)
  appendFileSync(file, entry('info', '€'.repeat(80_000)) + entry('info', 'end'))
  await follower.line(/end$/)
  expect(follower.lines.filter((line) => line.includes('\uFFFD'))).toEqual([])
  expect(follower.lines[1]).toMatch(/€{80000}$/)
})

it('logs -f goes on with the new file when the log is moved aside, nothing lost', async () => {
  const { root, file } = rootWithLog(entry('info', 'first'))
  const follower = follow(root)
  await follower.line(/first/)
  appendFileSync(file, entry('info', 'second'))
  renameSync(file, `${file}.1`)
  root.write('runtime/logs/mm.log', entry('info', 'third'))
  await follower.line(/third/)
  appendFileSync(file, entry('info', 'fourth'))
  await follower.line(/fourth/)
  expect(follower.lines.map((line) => line.split('  ').at(-1))).toEqual(['first', 'second', 'third', 'fourth'])
})

it('logs -f loses nothing when the log is moved aside twice, or more often, between two looks', async () => {
  const { root, file } = rootWithLog(entry('info', 'n0'))
  const follower = follow(root)
  await follower.line(/n0/)
  // Stopped, it cannot look: what happens meanwhile happens between two looks.
  follower.pause()
  appendFileSync(file, entry('info', 'n1'))
  for (const text of ['n2', 'n3', 'n4']) {
    for (let index = 3; index >= 1; index--)
      if (existsSync(`${file}.${index}`)) renameSync(`${file}.${index}`, `${file}.${index + 1}`)
    renameSync(file, `${file}.1`)
    root.write('runtime/logs/mm.log', entry('info', text))
  }
  follower.resume()
  await follower.line(/n4/)
  expect(follower.lines.map((line) => line.split('  ').at(-1))).toEqual(['n0', 'n1', 'n2', 'n3', 'n4'])
})

it('logs -f goes on with the oldest file, and says so, when its own is gone', async () => {
  const { root, file } = rootWithLog(entry('info', 'n0'))
  const follower = follow(root)
  await follower.line(/n0/)
  follower.pause()
  unlinkSync(file)
  root.write('runtime/logs/mm.log.1', entry('info', 'n7'))
  root.write('runtime/logs/mm.log', entry('info', 'n8'))
  follower.resume()
  await follower.line(/n8/)
  expect(follower.lines.map((line) => line.split('  ').at(-1))).toEqual(['n0', 'n7', 'n8'])
  await follower.told(/lines are missing here/)
})

it('logs -n reads on in the files that were moved aside', async () => {
  const { root } = rootWithLog(entry('info', 'n4'))
  root.write('runtime/logs/mm.log.1', entry('info', 'n2') + entry('info', 'n3'))
  root.write('runtime/logs/mm.log.2', entry('info', 'n0') + entry('info', 'n1'))
  const { stdout } = await mm(root.path, 'logs', '-n', '4')
  expect(stdout.match(/n\d/g)).toEqual(['n1', 'n2', 'n3', 'n4'])
})

it('logs --service shows what a service says and what the kernel says of it', async () => {
  const of = (service: string, msg: string): string => `${JSON.stringify({ level: 30, time: 0, service, msg })}\n`
  const { root } = rootWithLog(
    of('shop', 'sold') +
      of('till', 'shop  is what I call it') +
      entry('info', 'shop  g1 live') +
      entry('info', 'shopping'),
  )
  const { stdout } = await mm(root.path, 'logs', '--service', 'shop')
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.slice(13)),
  ).toEqual(['INFO  sold', 'INFO  shop  g1 live'])
})

it('logs -f -n 0 shows only what is new', async () => {
  const { root, file } = rootWithLog(entry('info', 'old'))
  const follower = follow(root, '-n', '0')
  // The file grows until the follower has seen some of it: it may not be listening yet.
  let count = 0
  await expect
    .poll(
      () => {
        appendFileSync(file, entry('info', `new ${count++}`))
        return follower.lines.length
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThan(0)
  expect(follower.lines.filter((line) => line.includes('old'))).toEqual([])
})

it('logs -f shows what a running system does, as it does it', async () => {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/quiet.yml': 'prog: quiet\n',
    'modules/quiet.ts': 'export class Module {}\n',
  })
  roots.push(root)
  running.push(await startProcess(root))
  const follower = follow(root)
  await follower.line(/quiet {2}g1 live/)
  expect((await mm(root.path, 'reload', 'quiet')).code).toBe(0)
  await follower.line(/INFO {2}quiet {2}g1 → g2 {2}\S+ ms {2}0 calls failed {2}state lost/)
  expect(await follower.end('SIGTERM')).toBe(0)
})
