/**
 * What traces, metrics and recorded calls cost at 10,000 calls a second: one process, one load, each of them switched on in
 * turns. What is measured is the processor time of the whole process for each call, so that other work of the machine does
 * not count. At 10,000 calls a second a call may take 100 µs: a microsecond more is one percent of what a core can do. Rounds are interleaved; figures are medians of 5. Run: npm run bench -- recording
 */
import { startSystem, type TestSystem } from '../test/support/system.ts'
import { machine, median, round, table } from './support.ts'

const ROUNDS = 5
const CALLS = 6_000
const WORK_US = 95
/** of work in a call: a guess, until it is measured */
let steps = 50_000
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
    let sum = order.count
    for (let step = 0; step < order.steps; step++) sum = (sum * 31 + step) | 0
    return { total: order.count * 3, code: order.code, sum }
  }
  async later(order) { return this.work(order) }
}`

type Work = (order: object) => Promise<unknown>

async function start({ configs }: Mode): Promise<TestSystem> {
  const files = Object.entries(configs).map(([name, text]) => [`configs/${name}.yml`, text])
  return startSystem({ ...(Object.fromEntries(files) as Record<string, string>), 'modules/calc.ts': SOURCE })
}

/** Microseconds of processor time a call. Callers take turns, as requests do. */
async function load(system: TestSystem): Promise<number> {
  const handle = system.getApi('calc')
  let calls = 0
  const since = process.cpuUsage()
  const caller = async (): Promise<void> => {
    while (calls < CALLS) {
      for (let n = 0; n < 20; n++) await (handle['later'] as Work)({ count: ++calls, code: 'order', steps })
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  const { user, system: inKernel } = process.cpuUsage(since)
  return (user + inKernel) / calls
}

const first = await start(MODES[0] as Mode)
await load(first)
for (let pass = 0; pass < 3; pass++) steps = Math.round((steps * WORK_US) / (await load(first)))
await first.stop()
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
  const us = median(figures[at] ?? [])
  return [name, round(1e6 / us, 0), `${round(us - base, 2)} µs`, `${round(us - base, 1)} %`]
})
console.log(`### Traces, metrics and recorded calls at 10,000 calls a second (${machine()})\n`)
console.log(table(['on', 'calls/s of one core', 'more a call', 'of a core at 10,000 calls/s'], rows))
process.exit(0)
