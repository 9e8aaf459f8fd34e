/**
 * What the watchdog costs while nothing is wrong: processor time of an idle process, how late timers come (p99), a
 * call through a handle, and memory, each with and without it, in processes of their own, in turns. And how
 * long it takes: from the begin of an endless loop to the kill, and from the kill to everything else live again.
 * Medians. Run: npm run bench -- watchdog [rounds]
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { STALL_TOLD_FILE, parseStall } from '../modules/lib/stall.ts'
import { Watchdog, WATCHDOG_THREAD } from '../modules/lib/watchdog.ts'
import { threadUrl } from '../modules/loader/thread.ts'
import { startProcess, typescriptArgs } from '../test/support/process.ts'
import { createRoot } from '../test/support/root.ts'
import { startSystem } from '../test/support/system.ts'
import { collect, machine, median, round, table } from './support.ts'

const IDLE_MS = 5_000
const CALLS = 2_000_000
const MEASURE = '--measure'

interface Cost {
  cpu_share: number
  timer_p99_ms: number
  call_ns: number
  rss_mb: number
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function measure(guarded: boolean): Promise<Cost> {
  const system = await startSystem({
    'configs/calc.yml': '',
    'modules/calc.ts': 'export class Module { add(a: number, b: number) { return a + b } }',
  })
  const { root } = system
  const watchdog = guarded
    ? new Watchdog({
        file: join(root.path, 'runtime', 'stall.json'),
        stall_ms: 60_000,
        thread: threadUrl(WATCHDOG_THREAD),
        explain: () => ({}),
        onLost: (thrown) => {
          throw thrown
        },
      })
    : undefined
  const calc = system.getApi<{ add(a: number, b: number): number }>('calc')
  for (let index = 0; index < 100_000; index++) await calc.add(index, 1)
  await pause(500)
  collect()
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const [before, at] = [process.cpuUsage(), performance.now()]
  await pause(IDLE_MS)
  const { user, system: kernel } = process.cpuUsage(before)
  const idle_ms = performance.now() - at
  delay.disable()
  const since = performance.now()
  for (let index = 0; index < CALLS; index++) await calc.add(index, 1)
  const call_ns = ((performance.now() - since) * 1e6) / CALLS
  collect()
  const rss_mb = process.memoryUsage.rss() / 1_048_576
  watchdog?.stop()
  await system.stop()
  const cpu_share = (user + kernel) / 1_000 / idle_ms
  return { cpu_share, timer_p99_ms: delay.percentile(99) / 1e6, call_ns, rss_mb }
}

function measureApart(guarded: boolean): Cost {
  const args = ['--expose-gc', ...typescriptArgs(), fileURLToPath(import.meta.url), MEASURE, String(guarded)]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(stdout) as Cost
}

async function measureRestart(): Promise<{ kill_ms: number; back_ms: number }> {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/x.yml': '',
    'modules/x.ts': 'export class Module { loop() { for (;;); } }',
  })
  const system = await startProcess(root)
  const begun = Date.now()
  await Promise.all([system.call('x', 'loop').catch(() => undefined), system.restarted(1)])
  const back = Date.now()
  const stall = existsSync(join(root.path, STALL_TOLD_FILE)) ? parseStall(root.read(STALL_TOLD_FILE)) : undefined
  await system.stop()
  root.dispose()
  if (stall === undefined) throw new Error('nothing stalled')
  return { kill_ms: stall.time - begun, back_ms: back - stall.time }
}

if (process.argv[2] === MEASURE) {
  process.stdout.write(JSON.stringify(await measure(process.argv[3] === 'true')))
  process.exit(0)
}

const rounds = Number(process.argv[2] ?? 5)
const costs: Record<'without' | 'with', Cost[]> = { without: [], with: [] }
const restarts: { kill_ms: number; back_ms: number }[] = []
for (let index = 0; index < rounds; index++) {
  costs.without.push(measureApart(false))
  costs.with.push(measureApart(true))
  restarts.push(await measureRestart())
}
const row = (name: string, read: (cost: Cost) => number, digits: number): string[] => {
  const [without, guarded] = [median(costs.without.map(read)), median(costs.with.map(read))]
  return [name, round(without, digits), round(guarded, digits), round(guarded - without, digits)]
}
console.log(`### The watchdog (${machine()}, medians of ${rounds})\n`)
console.log(
  table(
    ['idle', 'without', 'with', 'difference'],
    [
      row('processor, % of one', (cost) => cost.cpu_share * 100, 2),
      row('5 ms timer, p99 ms', (cost) => cost.timer_p99_ms, 2),
      row('a call through a handle, ns', (cost) => cost.call_ns, 1),
      row('memory, MB', (cost) => cost.rss_mb, 1),
    ],
  ),
)
console.log('')
const worst = (read: (one: (typeof restarts)[number]) => number): number => Math.max(...restarts.map(read))
console.log(
  table(
    ['an endless loop, default limit', 'median ms', 'worst ms'],
    [
      [
        'loop → kill',
        round(median(restarts.map((one) => one.kill_ms)), 0),
        round(
          worst((one) => one.kill_ms),
          0,
        ),
      ],
      [
        'kill → up again',
        round(median(restarts.map((one) => one.back_ms)), 0),
        round(
          worst((one) => one.back_ms),
          0,
        ),
      ],
    ],
  ),
)
process.exit(0)
