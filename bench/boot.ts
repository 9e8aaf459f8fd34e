/**
 * How long a start takes with 1,000 services, each with a config and a 3 KB TypeScript module of its own. First
 * `kernel.boot()` → the last service live, each time in a new process: cold, and warm with the pack of transformed code
 * that the run before left. Then `mm up` as a user types it: the first answer of /health, and all services live.
 * On a busy machine the fastest run says most: what else runs only ever adds to it.
 * Run: npm run bench -- boot [runs [services]]
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { KernelClass } from '../modules/contracts/kernel-port.ts'
import { realClock } from '../modules/lib/clock.ts'
import { realFileSystem } from '../modules/lib/file-system.ts'
import { readMeta } from '../modules/lib/meta-files.ts'
import { createSwitchboard } from '../modules/lib/switchboard.ts'
import { ModuleLoader } from '../modules/loader/loader.ts'
import { Pack } from '../modules/loader/pack.ts'
import { silentLog } from '../test/support/bell.ts'
import { cleanEnv } from '../test/support/process.ts'
import { createRoot, packageRoot, type TestRoot } from '../test/support/root.ts'
import { machine, manyServices, median, round, table } from './support.ts'

const META = 'configs/meta-v1.0.0.yml'
const HTTP = { 'configs/http.yml': 'prog: services/http\nport: 0\n' }
const POLL_MS = 5

const packOf = (root: string): string => join(root, 'runtime', 'cache', 'work.pack')

/** In a process of its own: boots once, says how long it took, leaves the pack. */
async function bootOnce(root: string): Promise<void> {
  const cache = new Pack({ fs: realFileSystem, clock: realClock, path: packOf(root) })
  const fault = (thrown: unknown): never => {
    throw thrown
  }
  const loader = new ModuleLoader({ root, packageRoot, fs: realFileSystem, clock: realClock, fault, cache })
  const scan = loader.scan(join(packageRoot, 'modules', 'kernel', 'kernel.ts'))
  const evaluated = await loader.evaluate(scan, { service: 'kernel', generation: 0 }, { evaluate_ms: 10_000 })
  const { Kernel } = evaluated.exports as { Kernel: KernelClass }
  const kernel = new Kernel({
    root,
    packageRoot,
    metaFile: META,
    meta: readMeta(META, readFileSync(join(root, META), 'utf8')),
    loader,
    switchboard: createSwitchboard(),
    clock: realClock,
    fs: realFileSystem,
    log: silentLog,
    safe: false,
    cache,
  })
  const since = performance.now()
  await kernel.boot()
  await kernel.settled()
  const ms = performance.now() - since
  const states = Object.values(kernel.status().services).map(({ state }) => state)
  if (states.some((state) => state !== 'live')) throw new Error(`not all live: ${states.join(' ')}`)
  await cache.save()
  console.log(ms)
}

function bootInChild(root: TestRoot): number {
  const args = [...process.execArgv, process.argv[1] ?? '', 'child', root.path]
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return Number(child.stdout)
}

/** From typing `mm up` to the first answer of /health, and until it says that all is well. */
async function upOnce(root: TestRoot): Promise<{ answer: number; live: number }> {
  const address = join(root.path, 'runtime', 'http.json')
  rmSync(address, { force: true })
  const since = performance.now()
  const mm = join(packageRoot, 'bin', 'mm.js')
  const child = spawn(process.execPath, [mm, '--root', root.path, 'up', '--no-repl'], {
    env: cleanEnv(),
    stdio: 'ignore',
  })
  const exited = new Promise((resolve) => child.on('close', resolve))
  let answer = Number.NaN
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    const status = existsSync(address) ? await health(address) : undefined
    if (status === undefined) continue
    if (Number.isNaN(answer)) answer = performance.now() - since
    if (status === 'ok') break
  }
  const live = performance.now() - since
  child.kill('SIGTERM')
  await exited
  return { answer, live }
}

async function health(address: string): Promise<string | undefined> {
  try {
    const { url } = JSON.parse(readFileSync(address, 'utf8')) as { url: string }
    return ((await (await fetch(`${url}/health`)).json()) as { status: string }).status
  } catch {
    return undefined // not there yet
  }
}

if (process.argv[2] === 'child') {
  await bootOnce(process.argv[3] ?? '')
  process.exit(0)
}

const runs = Number(process.argv[2] ?? 5)
const services = Number(process.argv[3] ?? 1_000)
const boots = { cold: [] as number[], warm: [] as number[] }
const ups = new Map<string, { answer: number; live: number }[]>()
for (let run = 0; run < runs; run++) {
  const root = createRoot(manyServices(services))
  boots.cold.push(bootInChild(root))
  boots.warm.push(bootInChild(root))
  root.dispose()
  for (const [name, files] of [
    ['with http only', HTTP],
    [`with http and ${services} services`, { ...HTTP, ...manyServices(services) }],
  ] as const) {
    const upRoot = createRoot(files)
    for (const state of ['cold', 'warm']) {
      const key = `\`mm up\` ${name}, ${state}`
      ups.set(key, [...(ups.get(key) ?? []), await upOnce(upRoot)])
    }
    upRoot.dispose()
  }
}
const figures = (ms: readonly number[]): string[] =>
  [Math.min(...ms), median(ms), Math.max(...ms)].map((one) => round(one, 0))
const rows = [
  ...Object.entries(boots).map(([state, ms]) => [`\`kernel.boot()\`, ${state}`, '-', ...figures(ms)]),
  ...[...ups].map(([name, all]) => {
    return [name, round(median(all.map((one) => one.answer)), 0), ...figures(all.map((one) => one.live))]
  }),
]
console.log(`### Start with ${services} services, ${runs} times (${machine()})\n`)
console.log(table(['start', 'first answer of /health ms', 'all live ms: fastest', 'median', 'slowest'], rows))
