/**
 * What measuring costs: ten thousand events of an agent collected and scored, a snapshot of a system of 20 services, and
 * what an observer adds to a call that is told, which is one a second of each handle and every call with options.
 * Run: npm run bench -- meta-metrics [events]
 */
import type { ControlMetricsApi } from '../modules/contracts/meta-metrics.ts'
import { startSystem } from '../test/support/system.ts'
import { machine, median, round, table } from './support.ts'

const EVENTS = Number(process.argv[2] ?? 10_000)
const CALLS = 5_000
const ROUNDS = 7
const METRICS = 'configs/control/metrics.yml'

const system = await startSystem({
  [METRICS]: 'api: control/metrics\nprog: control/metrics\n',
  'modules/other.mjs': 'export class Module { add(a, b) { return a + b } }\n',
  ...Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`configs/s${n}.yml`, 'prog: other\n'])),
})
const metrics = system.getApi<ControlMetricsApi>('control/metrics')

async function took(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now()
  await work()
  return performance.now() - since
}

async function measured(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let turn = 0; turn < ROUNDS; turn++) times.push(await took(work))
  return median(times.slice(1))
}

const collected = await took(() =>
  Promise.all(
    Array.from({ length: EVENTS }, (_, n) =>
      metrics.record({
        bot_id: 'default',
        type: n % 4 === 0 ? 'task_complete' : 'tool_call',
        session_id: null,
        data: { success: n % 10 !== 1, tokens_in: 10, tokens_consumed: 100, retries: n % 8 === 0 ? 1 : 0 },
      }),
    ),
  ),
)
const scored = await measured(() => metrics.operation())
const snapshot = await measured(() => metrics.take())

/** Microseconds of a call with options, whose end is told. */
async function told(): Promise<number> {
  const handle = system.getApi<{ add(a: number, b: number): number }>('s0').with({ deadlineMs: 10_000 })
  const all = await measured(async () => {
    for (let n = 0; n < CALLS; n++) await handle.add(n, 1)
  })
  return (all * 1_000) / CALLS
}

const seen = await told()
system.root.remove(METRICS)
await system.event('service.stopped')
const unseen = await told()
await system.stop()

console.log(`### What measuring costs (${machine()})\n`)
console.log(
  table(
    ['what', 'figure'],
    [
      [`${EVENTS} events recorded (ms)`, round(collected, 0)],
      [`${EVENTS} events scored (ms)`, round(scored, 1)],
      ['a snapshot (ms)', round(snapshot, 1)],
      ['a call with options, seen and unseen (µs)', `${round(seen, 1)}, ${round(unseen, 1)}`],
    ],
  ),
)
