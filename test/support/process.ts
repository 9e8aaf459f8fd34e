/** The product as a user runs it: `mm up` as a process of its own, with its HTTP API. Always stopped at the end. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot, type TestRoot } from './root.ts'

export interface RunningSystem {
  readonly url: string
  readonly token: string
  /** the parent */
  readonly pid: number
  /** the system itself */
  readonly childPid: number
  readonly output: string[]
  api<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }>
  call<T = unknown>(api: string, method: string, ...args: unknown[]): Promise<T>
  /** Resolves when the system has come up again so many times; from then on calls go to that one. */
  restarted(times: number): Promise<void>
  /** Resolves when a line of the output fits. Lines already printed count. */
  line(pattern: RegExp): Promise<string>
  signal(name: NodeJS.Signals): void
  exited: Promise<number | null>
  stop(): Promise<number | null>
}

export interface CommandResult {
  code: number | null
  stdout: string
  stderr: string
}

export const MM = join(packageRoot, 'bin', 'mm.js')

/** One run of the command line. */
export function mm(root: string, ...args: string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MM, '--root', root, ...args], {
      env: cleanEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** What this Node needs to run TypeScript from the command line. */
export const typescriptArgs = (): string[] =>
  (process.features as { typescript?: unknown }).typescript ? [] : ['--import', 'tsx']

/** Without what the test runner or the developer's shell would add. */
export function cleanEnv(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, OPENAI_API_KEY: _key, VITEST: _vitest, ...rest } = process.env
  return { ...rest, NO_COLOR: '1', ...extra }
}

export async function startProcess(
  root: TestRoot,
  options: { args?: string[]; env?: Record<string, string>; mm?: string; onLine?: (line: string) => void } = {},
): Promise<RunningSystem> {
  const child = spawn(
    process.execPath,
    [options.mm ?? MM, '--root', root.path, 'up', '--no-repl', ...(options.args ?? [])],
    {
      env: cleanEnv(options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const lines = new Lines(child, options.onLine)
  const exited = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)))
  const early = exited.then((code) => {
    throw new Error(`the system ended with ${code}:\n${lines.all.join('\n')}`)
  })
  early.catch(() => undefined)
  const comeUp = async (times: number): Promise<Address> => {
    await Promise.race([lines.find(/\d+ of \d+ services live/, times), early])
    const file = join(root.path, 'runtime', 'http.json')
    if (!existsSync(file)) throw new Error(`no http.json:\n${lines.all.join('\n')}`)
    return JSON.parse(readFileSync(file, 'utf8')) as Address
  }
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null) child.kill('SIGTERM')
    return exited
  }
  let address = await comeUp(1).catch(async (thrown: unknown) => {
    await stop() // nobody else knows of it
    throw thrown
  })
  const token = readFileSync(address.token_file, 'utf8').trim()
  const api = async <T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> => {
    const response = await fetch(address.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as T }
  }
  return {
    get url() {
      return address.url
    },
    token,
    pid: child.pid ?? 0,
    get childPid() {
      return address.pid
    },
    output: lines.all,
    api,
    call: async <T>(service: string, method: string, ...args: unknown[]) => {
      const { status, body } = await api<{ result: T; error?: { code: string; message: string } }>(
        'POST',
        `/api/services/${encodeURIComponent(service)}/call`,
        { method, args },
      )
      if (status !== 200) throw new Error(`${service}.${method}: ${body.error?.code} ${body.error?.message}`)
      return body.result
    },
    restarted: async (times) => {
      address = await comeUp(times + 1)
    },
    line: (pattern) => lines.find(pattern),
    signal: (name) => child.kill(name),
    exited,
    stop,
  }
}

interface Address {
  url: string
  token_file: string
  pid: number
}

const LINE_MS = 60_000

class Lines {
  readonly all: string[] = []
  private readonly waiting = new Set<() => void>()

  constructor(child: ChildProcess, onLine: (line: string) => void = () => undefined) {
    for (const stream of [child.stdout, child.stderr]) {
      let rest = ''
      stream?.on('data', (chunk: Buffer) => {
        const parts = (rest + chunk.toString()).split('\n')
        rest = parts.pop() ?? ''
        this.all.push(...parts)
        parts.forEach(onLine)
        for (const check of this.waiting) check()
      })
    }
  }

  /** The line that fits as the `nth`. */
  find(pattern: RegExp, nth = 1): Promise<string> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = this.all.filter((line) => pattern.test(line))[nth - 1]
        if (found === undefined) return
        clearTimeout(timer)
        this.waiting.delete(check)
        resolve(found)
      }
      const timer = setTimeout(() => {
        this.waiting.delete(check)
        reject(new Error(`no line like ${pattern} within ${LINE_MS} ms:\n${this.all.slice(-30).join('\n')}`))
      }, LINE_MS)
      this.waiting.add(check)
      check()
    })
  }
}
