/**
 * How soon a system is ready again after it was killed in the middle of its work (R5). `kill -9` comes while callers add
 * rows, reload, and save files: once to the system alone, which its parent starts again, and once to both, with `mm up`
 * after it. Ready is when /health says that all services are live. Run: npm run bench -- boot-after-kill [times]
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cleanEnv } from '../test/support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../test/support/root.ts'
import { machine, manyServices, percentile, round, table } from './support.ts'

const TIMES = Number(process.argv[2] ?? 20)
const SERVICES = 50
const LOAD_MS = 300
const POLL_MS = 5
/** a parent gives up after five restarts within a minute */
const KILLS_A_PARENT = 4

interface Address {
  url: string
  pid: number
  token_file: string
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const mm = join(packageRoot, 'bin', 'mm.js')

class Machine {
  private readonly root: TestRoot
  private parent = 0
  private version = 0

  constructor() {
    const http = { 'configs/http.yml': 'prog: services/http\nport: 0\n' }
    const database = { 'configs/database.yml': 'prog: services/database\n' }
    this.root = createRoot({ ...http, ...database, ...manyServices(SERVICES) })
  }

  up(): void {
    const args = [mm, '--root', this.root.path, 'up', '--no-repl']
    this.parent = spawn(process.execPath, args, { env: cleanEnv(), stdio: 'ignore' }).pid ?? 0
  }

  private address(): Address | undefined {
    const file = join(this.root.path, 'runtime', 'http.json')
    try {
      return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Address) : undefined
    } catch {
      return undefined // being written
    }
  }

  /** Resolves with the process when all services of one other than `gone` are live. */
  async ready(gone = 0): Promise<number> {
    for (;;) {
      const address = this.address()
      if (address !== undefined && address.pid !== gone && (await this.isWell(address))) return address.pid
      await pause(POLL_MS)
    }
  }

  private async isWell({ url }: Address): Promise<boolean> {
    try {
      return ((await (await fetch(`${url}/health`)).json()) as { status: string }).status === 'ok'
    } catch {
      return false // not there yet
    }
  }

  /** Callers, reloads and saves for a while; what they are told when the process goes is no matter here. */
  async load(): Promise<void> {
    const { url = '', token_file = '' } = this.address() ?? {}
    const authorization = `Bearer ${readFileSync(token_file, 'utf8').trim()}`
    const headers = { authorization, 'content-type': 'application/json' }
    const post = (path: string, body: unknown): Promise<unknown> =>
      fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) }).then((answer) => answer.text())
    const sql = (text: string): Promise<unknown> =>
      post('/api/services/database/call', { method: 'execute', args: [text] })
    await sql('CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY)')
    const until = performance.now() + LOAD_MS
    const caller = async (): Promise<void> => {
      while (performance.now() < until) await sql('INSERT INTO rows DEFAULT VALUES')
    }
    const saver = async (): Promise<void> => {
      while (performance.now() < until) {
        const n = ++this.version
        this.root.write(`configs/s${n % SERVICES}.yml`, `version: ${n}\n`)
        await post(`/api/services/s${(n + 1) % SERVICES}/reload`, {})
      }
    }
    await Promise.all([caller(), caller(), caller(), caller(), saver()])
    // The next ones are under way when it is killed.
    for (const path of ['s1', 's2', 's3']) void post(`/api/services/${path}/reload`, {}).catch(() => undefined)
    void sql('INSERT INTO rows DEFAULT VALUES').catch(() => undefined)
  }

  kill(pid: number, both: boolean): void {
    if (both) process.kill(this.parent, 'SIGKILL')
    process.kill(pid, 'SIGKILL')
  }

  async end(pid: number): Promise<void> {
    process.kill(this.parent, 'SIGTERM')
    for (let alive = true; alive; await pause(POLL_MS)) {
      try {
        process.kill(pid, 0)
      } catch {
        alive = false
      }
    }
  }

  dispose(): void {
    this.root.dispose()
  }
}

async function measure(both: boolean): Promise<number[]> {
  const system = new Machine()
  const times: number[] = []
  system.up()
  let pid = await system.ready()
  for (let time = 0; time < TIMES; time++) {
    await system.load()
    system.kill(pid, both)
    const since = performance.now()
    if (both) system.up()
    pid = await system.ready(pid)
    times.push(performance.now() - since)
    if (both || (time + 1) % KILLS_A_PARENT > 0) continue
    await system.end(pid)
    system.up()
    pid = await system.ready(pid)
  }
  await system.end(pid)
  system.dispose()
  return times
}

const rows: string[][] = []
for (const both of [false, true]) {
  const times = await measure(both)
  const cells = [0, 0.5, 0.95, 1].map((share) => round(percentile(times, share), 0))
  rows.push([both ? 'both, and `mm up` again' : 'the system; its parent starts it', ...cells])
}
console.log(`### Ready again after \`kill -9\` under load, ${SERVICES} services, ${TIMES} times (${machine()})\n`)
console.log(table(['killed', 'fastest ms', 'p50', 'p95', 'slowest'], rows))
process.exit(0)
