/**
 * Side by side with Cordis 4 (`@deepseek-ai/cordis`, its loader and its include), in one run, rounds interleaved,
 * medians: an awaited call of a service, the boot of many services, and a config edit until the new config is live.
 * Cordis reads one YAML with an entry each; its own file watcher needs Node 22, so here chokidar's `change` calls the
 * `refresh()` that its watcher would call. Run: npm run bench -- cordis [services [edits]]
 */
import { spawnSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileFunction } from 'node:vm'
import { Context, Service } from '@deepseek-ai/cordis'
import { watch } from 'chokidar'
import { createRoot } from '../test/support/root.ts'
import { startSystem, type TestSystem } from '../test/support/system.ts'
import { answerOf, startCordis, type CordisApp } from './peers/cordis-app.ts'
import { cordisConfig, ourConfig, ourFiles, writeCordisApp } from './peers/many.ts'
import { machine, median, percentile, round, table } from './support.ts'

const SERVICES = Number(process.argv[2] ?? 1_000)
const EDITS = Number(process.argv[3] ?? 40)
const CALL_ROUNDS = 15
const BOOT_ROUNDS = 5
/** Between two edits, so that each finds the system at rest; not a divisor of the sweep's second. */
const PAUSE_MS = 137
/** An edit that is not live by then was lost: the file is read by hand, and the edit counted. */
const LOST_MS = 3_000

type Target = { add(a: number, b: number): unknown; later(a: number, b: number): unknown }

class Calc extends Service {
  n = 0
  constructor(ctx: Context) {
    super(ctx, 'calc')
  }
  add(a: number, b: number): number {
    this.n++
    return a + b
  }
  async later(a: number, b: number): Promise<number> {
    this.n++
    return a + b
  }
}

const OUR_CALC = `export class Module { n = 0; add(a: number, b: number) { this.n++; return a + b } async later(a: number, b: number) { this.n++; return a + b } me() { return [this] } }`

/** A loop of its own for each measurement, so that every call site starts without a history. */
function loop(callee: string): (target: unknown, calls: number) => Promise<number> {
  const code = `return async (target, calls) => {
    const since = performance.now()
    for (let i = 0; i < calls; i++) await ${callee}(i, 1)
    return (performance.now() - since) * 1e6 / calls
  }`
  return compileFunction(code)() as ReturnType<typeof loop>
}

async function calls(): Promise<string> {
  const system = await startSystem({ 'configs/calc.yml': '', 'modules/calc.ts': OUR_CALC })
  const handle = system.getApi<Target & { me(): Target[] }>('calc')
  const [instance] = await handle.me()
  const root = new Context()
  await root.plugin(Calc)
  let user: unknown
  await root.inject(['calc'], (ctx: Context) => void (user = ctx))
  const service = (user as { calc: Target }).calc
  const ways = [
    { name: 'direct', target: instance, callee: 'target', calls: 200_000 },
    { name: 'meta-machine: `handle.method()`', target: handle, callee: 'target', calls: 200_000 },
    {
      name: 'Cordis: `ctx.calc.method()`, as its documentation writes it',
      target: user,
      callee: 'target.calc',
      calls: 10_000,
    },
    {
      name: 'Cordis: `const calc = ctx.calc` once, then `calc.method()`',
      target: service,
      callee: 'target',
      calls: 20_000,
    },
  ]
  const times = new Map<string, number[]>()
  for (let index = 0; index < CALL_ROUNDS; index++) {
    for (const way of index % 2 === 0 ? ways : ways.toReversed()) {
      for (const method of ['add', 'later']) {
        const run = loop(`${way.callee}.${method}`)
        await run(way.target, way.calls / 10)
        const key = `${way.name} ${method}`
        times.set(key, [...(times.get(key) ?? []), await run(way.target, way.calls)])
      }
    }
  }
  await system.stop()
  const of = (name: string, method: string): number => median(times.get(`${name} ${method}`) ?? [])
  const [, ours] = ways
  const rows = ways.map(({ name }) => [
    name,
    ...['add', 'later'].flatMap((method) => [
      round(of(name, method), 1),
      `${round(of(name, method) / of(ours?.name ?? '', method))} ×`,
    ]),
  ])
  const head = ['awaited call', 'sync method, ns', 'to a handle', 'async method, ns', 'to a handle']
  return `#### A call of a service, ${CALL_ROUNDS} rounds\n\n${table(head, rows)}`
}

function boot(script: 'boot.ts' | 'cordis-boot.mjs', ...args: string[]): number {
  const file = fileURLToPath(new URL(`peers/${script}`, import.meta.url))
  const typescript = script.endsWith('.ts') ? process.execArgv : []
  const child = spawnSync(process.execPath, [...typescript, file, ...args, String(SERVICES)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (child.status !== 0) throw new Error(`a boot by ${script} failed with ${child.status}`)
  return (JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as { ms: number }).ms
}

function boots(): string {
  const app = writeCordisApp(SERVICES)
  const plain = createRoot(ourFiles(SERVICES, 'js'))
  const names = {
    cold: `meta-machine: ${SERVICES} YAML files, ${SERVICES} TypeScript modules, a root never started before`,
    warm: 'the same root, started again',
    js: 'the same with JavaScript modules, started again',
    cordis: `Cordis, loader and include: one YAML of ${SERVICES} entries, ${SERVICES} JavaScript plugins`,
    core: 'Cordis, core alone: `import()` and `ctx.plugin()`, no YAML',
    import: 'bare `import()` of the same JavaScript plugins',
  }
  const times = Object.fromEntries(Object.keys(names).map((name) => [name, [] as number[]])) as Record<
    keyof typeof names,
    number[]
  >
  boot('boot.ts', plain.path)
  for (let index = 0; index < BOOT_ROUNDS; index++) {
    const root = createRoot(ourFiles(SERVICES))
    times.cold.push(boot('boot.ts', root.path))
    times.cordis.push(boot('cordis-boot.mjs', 'cordis', app.folder))
    times.warm.push(boot('boot.ts', root.path))
    times.core.push(boot('cordis-boot.mjs', 'core', app.folder))
    times.js.push(boot('boot.ts', plain.path))
    times.import.push(boot('cordis-boot.mjs', 'import', app.folder))
    root.dispose()
  }
  app.dispose()
  plain.dispose()
  const rows = Object.entries(names).map(([key, name]) => {
    const own = times[key as keyof typeof names]
    return [name, round(median(own), 0), `${round(median(own) / median(times.cordis))} ×`]
  })
  return `#### Boot of ${SERVICES} services of 3 KB, to the last one live, ${BOOT_ROUNDS} rounds\n\n${table(['way', 'ms', 'to Cordis'], rows)}`
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Way {
  readonly name: string
  readonly times: number[]
  lost: number
  /** Makes the edit; resolves when the new config is live, false when it had to be helped. */
  edit(api: number, version: number): Promise<boolean>
}

/** Resolves true with the first new instance of that service and version. */
function newInstance(api: string, version: number): Promise<boolean> {
  return new Promise((resolve) => {
    ;(globalThis as { benchLive?: unknown }).benchLive = (name: string, seen: number) => {
      if (name === api && seen === version) resolve(true)
    }
  })
}

function cordisWays(app: CordisApp, folder: string): Way[] {
  const versions = Array.from({ length: SERVICES }, () => 0)
  const file = join(folder, 'cordis.yml')
  const saved = async (api: number, version: number, save: (text: string) => void): Promise<boolean> => {
    versions[api] = version
    const live = newInstance(`s${api}`, version)
    save(cordisConfig(versions))
    const onTime = await Promise.race([live, pause(LOST_MS).then(() => false)])
    if (!onTime) await app.include.refresh()
    return onTime
  }
  const inPlace = (text: string): void => writeFileSync(file, text)
  const byRename = (text: string): void => {
    writeFileSync(`${file}.draft~`, text)
    renameSync(`${file}.draft~`, file)
  }
  const update = (api: number, version: number): Promise<boolean> => {
    versions[api] = version
    const live = newInstance(`s${api}`, version)
    // `noSave`: with the write-back of its YAML the same edit would come round again through the file.
    Object.values(app.include.store)
      .find((entry) => entry.options.id === `s${api}`)
      ?.fiber?.update({ version }, true)
    return live
  }
  return [
    { name: 'Cordis: its YAML saved in place', times: [], lost: 0, edit: (api, v) => saved(api, v, inPlace) },
    { name: 'Cordis: its YAML saved by rename', times: [], lost: 0, edit: (api, v) => saved(api, v, byRename) },
    { name: 'Cordis: `fiber.update(config)`, no file', times: [], lost: 0, edit: update },
  ]
}

function ourWays(system: TestSystem): Way[] {
  const way = (name: string, save: 'write' | 'writeByRename'): Way => ({
    name,
    times: [],
    lost: 0,
    edit: async (api, version) => {
      const live = system.event('service.live', (data) => data['api'] === `s${api}`)
      system.root[save](`configs/s${api}.yml`, ourConfig(version))
      await live
      return true
    },
  })
  return [
    way('meta-machine: its YAML saved in place', 'write'),
    way('meta-machine: its YAML saved by rename', 'writeByRename'),
  ]
}

async function edits(): Promise<string> {
  const written = writeCordisApp(SERVICES)
  const app = await startCordis(written.folder)
  const system = await startSystem(ourFiles(SERVICES))
  const watcher = watch('.', { cwd: written.folder, ignoreInitial: true })
  watcher.on('change', (path) => void (path === 'cordis.yml' && app.include.refresh()))
  await new Promise<void>((resolve) => watcher.once('ready', resolve))
  const ours = ourWays(system)
  const ways = [...ours, ...cordisWays(app, written.folder)]
  for (let index = 1; index <= EDITS; index++) {
    for (const [offset, way] of ways.entries()) {
      await pause(PAUSE_MS)
      const api = (index * 7 + offset) % SERVICES
      const version = index * 10 + offset
      const since = performance.now()
      if (await way.edit(api, version)) way.times.push(performance.now() - since)
      else way.lost++
      await app.root.loader.await()
      const answer = ours.includes(way) ? await system.getApi(`s${api}`)['answer']?.() : answerOf(app.root, `s${api}`)
      if (answer !== version) throw new Error(`${way.name}: s${api} answers ${String(answer)}, not ${version}`)
    }
  }
  await watcher.close()
  await system.stop()
  written.dispose()
  const rows = ways.map(({ name, times, lost }) => [
    name,
    round(median(times)),
    round(percentile(times, 0.95)),
    `${lost} of ${EDITS}`,
  ])
  const head = ['way', 'p50 ms', 'p95', `not live within ${LOST_MS / 1000} s`]
  return `#### Config edit → new config live, ${SERVICES} services, ${EDITS} edits each\n\n${table(head, rows)}`
}

console.log(`### Side by side with Cordis 4 (${machine()})`)
for (const part of [calls, boots, edits]) console.log(`\n${await part()}`)
process.exit(0)
