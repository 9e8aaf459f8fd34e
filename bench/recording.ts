/**
 * What traces, metrics and recorded calls cost at 10,000 calls a second: one process, one load, each of them switched on in
 * turns. A call does about 100 µs of work, so 10,000 a second keep the process busy and every microsecond shows. Rounds
 * are interleaved; figures are medians of 5. Run: npm run bench -- recording
 */
import { startSystem, type TestSystem } from '../test/support/system.ts'
import { machine, median, round, table } from './support.ts'

const ROUNDS = 5
const ROUND_MS = 1_200
const WORK_US = 95
const CALLERS = 8

interface Mode {
  name: string
  configs: Record<string, string>
}

const OFF = { calc: 'record: false\n' }
const METRICS = 'prog: services/metrics\n'
const RECORDINGS = 'prog: services/recordings\n'
const TRACES = 'prog: services/traces\n'
const MODES: Mode[] = [
  { name: 'nothing of it', configs: OFF },
  { name: 'metrics', configs: { ...OFF, metrics: METRICS } },
  {
    name: 'metrics + traces + recording, sampled',
    configs: { calc: '', metrics: METRICS, recordings: RECORDINGS, traces: TRACES },
  },
  {
    name: 'the same, `record: {calls: all}`',
    configs: { calc: 'record: {calls: all}\n', metrics: METRICS, recordings: RECORDINGS, traces: TRACES },
  },
  {
    name: 'the same, and full tracing',
    configs: {
      calc: 'record: {calls: all}\n',
      metrics: METRICS,
      recordings: RECORDINGS,
      traces: `${TRACES}full: true\n`,
    },
  },
]

const SOURCE = `export class Module {
  work(order) {
    const until = performance.now() + ${WORK_US / 1000}
    let sum = 0
    while (performance.now() < until) sum += order.count
    return { total: order.count * 3, code: order.code }
  }
  async later(order) { return this.work(order) }
}`

type Work = (order: object) => Promise<unknown>

async function start({ configs }: Mode): Promise<TestSystem> {
  const files = Object.entries(configs).map(([name, text]) => [`configs/${name}.yml`, text])
  return startSystem({ ...(Object.fromEntries(files) as Record<string, string>), 'modules/calc.ts': SOURCE })
}

/** Calls a second. Callers take turns, as requests do. */
async function load(system: TestSystem): Promise<number> {
  const handle = system.getApi('calc')
  const until = performance.now() + ROUND_MS
  let calls = 0
  const since = performance.now()
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      for (let n = 0; n < 20; n++) await (handle['later'] as Work)({ count: ++calls, code: 'order' })
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return (calls * 1_000) / (performance.now() - since)
}

const figures = MODES.map(() => [] as number[])
for (let index = 0; index < ROUNDS; index++) {
  const order = MODES.map((_, at) => (at + index) % MODES.length)
  for (const at of order) {
    const system = await start(MODES[at] as Mode)
    await load(system)
    figures[at]?.push(await load(system))
    await system.stop()
  }
}
const [base = 0] = figures.map(median)
const rows = MODES.map(({ name }, at) => {
  const rate = median(figures[at] ?? [])
  return [name, round(rate, 0), `${round((1 - rate / base) * 100, 1)} %`, `${round(1e6 / rate - 1e6 / base, 2)} µs`]
})
console.log(`### Traces, metrics and recorded calls at 10,000 calls a second (${machine()})\n`)
console.log(table(['on', 'calls/s', 'less', 'more a call'], rows))
process.exit(0)
