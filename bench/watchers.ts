/**
 * Save → answering with the new code, for the same one-file TypeScript HTTP service under `node --watch`, `tsx watch`
 * and `mm up`: one request after another, a millisecond apart, each on a connection of its own. Counts the requests
 * that failed meanwhile, and whether the service still knew how often it had been asked. All three run at once and are
 * saved in turn. Run: npm run bench -- watchers [saves]
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { cleanEnv, startProcess, typescriptArgs } from '../test/support/process.ts'
import { createRoot, packageRoot } from '../test/support/root.ts'
import { machine, percentile, round, table } from './support.ts'

const SAVES = Number(process.argv[2] ?? 20)
/** Between two saves, so that each finds the service at rest. */
const PAUSE_MS = 300
const LIVE_MS = 20_000

const standalone = (version: number, port: number): string => `import { createServer } from 'node:http'

interface Answer { version: number; asked: number }
let asked = 0

createServer((_request, response) => {
  const answer: Answer = { version: ${version}, asked: ++asked }
  response.end(JSON.stringify(answer))
}).listen(${port}, '127.0.0.1')
`

const ourModule = (version: number, port: number): string => `import { createServer } from 'node:http'
import type { KernelApi } from 'meta-machine'

interface Answer { version: number; asked: number }

export class Module {
  asked = 0
  readonly kernel: KernelApi
  constructor(kernel: KernelApi) { this.kernel = kernel }
  async init() {
    await this.kernel.hold('server', (route) => {
      const server = createServer(async (_request, response) => response.end(JSON.stringify(await route('answer'))))
      return new Promise<typeof server>((resolve) => server.listen(${port}, '127.0.0.1', () => resolve(server)))
    }, (server) => server.close())
  }
  answer(): Answer { return { version: ${version}, asked: ++this.asked } }
  handOver() { return this.asked }
  takeOver(asked: number) { this.asked = asked }
}
`

interface Contender {
  readonly name: string
  readonly port: number
  save(version: number): void
  stop(): Promise<void>
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function watched(name: string, args: (file: string) => string[]): Promise<Contender> {
  const port = await freePort()
  const root = createRoot({ 'package.json': '{ "type": "module" }', 'service.ts': standalone(0, port) })
  const file = join(root.path, 'service.ts')
  // A group of its own: the watcher and the service it starts are ended together.
  const child: ChildProcess = spawn(process.execPath, args(file), {
    cwd: packageRoot,
    env: cleanEnv(),
    stdio: 'ignore',
    detached: true,
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  return {
    name,
    port,
    save: (version) => writeFileSync(file, standalone(version, port)),
    stop: async () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
      await ended
      root.dispose()
    },
  }
}

async function ours(): Promise<Contender> {
  const port = await freePort()
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/service.yml': '',
    'modules/service.ts': ourModule(0, port),
  })
  const system = await startProcess(root)
  return {
    name: '`mm up`',
    port,
    save: (version) => root.write('modules/service.ts', ourModule(version, port)),
    stop: async () => {
      await system.stop()
      root.dispose()
    },
  }
}

const agent = new Agent({ keepAlive: false })

/** undefined when the request failed. */
function ask(port: number): Promise<{ version: number; asked: number } | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, agent }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('error', () => resolve(undefined))
      response.on('end', () => resolve(JSON.parse(text) as { version: number; asked: number }))
    })
    request.on('error', () => resolve(undefined))
  })
}

interface Outcome {
  ms: number
  failed: number
  /** from the first failed request to the next answer */
  away_ms: number
  kept: boolean
}

/** Asks until the version answers. */
async function until(port: number, version: number, asked: number, since: number): Promise<Outcome> {
  let failed = 0
  let awaySince: number | undefined
  let away = 0
  for (;;) {
    const answer = await ask(port)
    const now = performance.now()
    if (answer === undefined) {
      failed++
      awaySince ??= now
    } else {
      if (awaySince !== undefined) away += now - awaySince
      awaySince = undefined
      if (answer.version === version) return { ms: now - since, failed, away_ms: away, kept: answer.asked > asked }
      asked = answer.asked
    }
    if (now - since > LIVE_MS) throw new Error(`version ${version} on port ${port} did not answer in ${LIVE_MS} ms`)
    await pause(1)
  }
}

const hook = typescriptArgs()
const TSX = join(packageRoot, 'node_modules/tsx/dist/cli.mjs')
const contenders: Contender[] = []
const outcomes = new Map<Contender, Outcome[]>()
try {
  contenders.push(
    await watched(
      `\`node --watch\` (TypeScript ${hook.length === 0 ? 'read by Node' : 'by `--import tsx`'})`,
      (file) => ['--watch', ...hook, file],
    ),
  )
  contenders.push(await watched('`tsx watch`', (file) => [TSX, 'watch', file]))
  contenders.push(await ours())
  for (const { port } of contenders) await until(port, 0, 0, performance.now())
  for (let version = 1; version <= SAVES; version++) {
    for (const contender of contenders) {
      await pause(PAUSE_MS)
      const before = await ask(contender.port)
      const since = performance.now()
      contender.save(version)
      const outcome = await until(contender.port, version, before?.asked ?? 0, since)
      outcomes.set(contender, [...(outcomes.get(contender) ?? []), outcome])
    }
  }
} finally {
  for (const contender of contenders) await contender.stop()
}

const rows = [...outcomes].map(([{ name }, own]) => {
  const of = (key: 'ms' | 'away_ms', share: number): string =>
    round(
      percentile(
        own.map((one) => one[key]),
        share,
      ),
      1,
    )
  const failed = own.reduce((sum, one) => sum + one.failed, 0)
  const kept = own.filter((one) => one.kept).length
  return [name, of('ms', 0.5), of('ms', 0.99), String(failed), of('away_ms', 0.5), `${kept} of ${own.length}`]
})
const head = ['under', 'save → answering p50 ms', 'p99', 'failed requests', 'away p50 ms', 'state kept']
console.log(`### One HTTP service, saved ${SAVES} times (${machine()})\n\n${table(head, rows)}`)
process.exit(0)
