/**
 * Do bad services slow the good ones? 50 good services are called steadily while beside them stands (a) nothing,
 * (b) a service whose run() throws, (c) one that leaks timers which throw late, (d) one whose methods always throw and
 * which is called as often as each good one. Rounds are interleaved; each phase's p99 is compared with that of (a) in
 * the same round. The bad one is saved anew for each phase, so that it is not switched off for good; a good one saved
 * alike shows what of the difference is that save. A phase covers the first restarts of a crash loop, back-off included.
 * Run: npm run bench -- neighbors [rounds [seconds a phase]]
 */
import { startSystem } from '../test/support/system.ts'
import { machine, median, percentile, round, table } from './support.ts'

const ROUNDS = Number(process.argv[2] ?? 12)
const PHASE_MS = Number(process.argv[3] ?? 3) * 1_000
const SERVICES = 50
/** Of one caller, between two calls; not the same for all, or one pause of the process would bunch them for good. */
const pauseMs = (index: number): number => 3 + (index % 5)

/** A turn of the event loop and some work, as a handler has it. */
const GOOD = `import { createHash } from 'node:crypto'
export class Module {
  async work(text: string): Promise<string> {
    await new Promise((resolve) => setImmediate(resolve))
    return createHash('sha256').update(text).digest('hex')
  }
}
`
const BAD = {
  nothing: undefined,
  'a good one, saved as the bad ones are': GOOD,
  'run() throws, and is started again': `export class Module {
  async run() { throw new Error('the loop crashed') }
  work() { return '' }
}`,
  'leaks 100 timers a second that throw 50 ms later': `export class Module {
  constructor() { setInterval(() => void setTimeout(() => { throw new Error('a forgotten timer') }, 50), 10) }
  work() { return '' }
}`,
  'every method throws': `export class Module {
  async work() { throw new Error('not today') }
}`,
} as const
type Neighbor = keyof typeof BAD
const neighbors = Object.keys(BAD) as Neighbor[]
const [alone, control, , , throwing] = neighbors

const files: Record<string, string> = { 'modules/good.ts': GOOD }
for (let index = 0; index < SERVICES; index++) files[`configs/good${index}.yml`] = 'prog: good'
const system = await startSystem(files)
const text = 'x'.repeat(2_048)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Calls until the time is up; the milliseconds of each call that was answered, and how many were not. */
async function callSteadily(api: string, every: number, until: number, into: Phase): Promise<void> {
  const handle = system.getApi<{ work(text: string): Promise<string> }>(api)
  while (performance.now() < until) {
    const since = performance.now()
    try {
      await handle.work(text)
      into.ms.push(performance.now() - since)
    } catch {
      into.failed++
    }
    await pause(every)
  }
}

let saves = 0

async function enter(neighbor: Neighbor): Promise<void> {
  const source = BAD[neighbor]
  if (source === undefined) return
  saves++
  const live = system.event('service.live', (data) => data['api'] === 'bad')
  system.root.write('modules/bad.ts', `${source}\n// save ${saves}\n`)
  system.root.write('configs/bad.yml', '')
  await live
}

async function leave(neighbor: Neighbor): Promise<void> {
  if (neighbor === alone) return
  const stopped = system.event('service.stopped', (data) => data['api'] === 'bad')
  system.root.remove('configs/bad.yml')
  await stopped
}

interface Phase {
  ms: number[]
  failed: number
  /** of the neighbor */
  errors: number
}

async function phase(neighbor: Neighbor): Promise<Phase> {
  await enter(neighbor)
  const good: Phase = { ms: [], failed: 0, errors: 0 }
  const bad: Phase = { ms: [], failed: 0, errors: 0 }
  const until = performance.now() + PHASE_MS
  const callers = Array.from({ length: SERVICES }, (_, index) =>
    callSteadily(`good${index}`, pauseMs(index), until, good),
  )
  if (neighbor === throwing) callers.push(callSteadily('bad', pauseMs(0), until, bad))
  await Promise.all(callers)
  if (neighbor !== alone) {
    const { errors, state } = await system.show('bad')
    // The neighbor must have been bad, or nothing was measured.
    if ((errors === 0) !== (neighbor === control))
      throw new Error(`the neighbor (${neighbor}) made ${errors} errors; it is ${state}`)
    good.errors = errors
  }
  await leave(neighbor)
  return good
}

const phases = new Map<Neighbor, Phase[]>(neighbors.map((neighbor) => [neighbor, []]))
await phase('nothing')
for (let index = 0; index < ROUNDS; index++) {
  const order = index % 2 === 0 ? neighbors : neighbors.toReversed()
  for (const neighbor of order) phases.get(neighbor)?.push(await phase(neighbor))
}
await system.stop()

const p99 = ({ ms }: Phase): number => percentile(ms, 0.99)
const base = phases.get('nothing') ?? []
const rows = neighbors.map((neighbor) => {
  const own = phases.get(neighbor) ?? []
  const ratios = own.map((one, index) => p99(one) / p99(base[index] as Phase))
  return [
    neighbor,
    round(own.reduce((sum, { errors }) => sum + errors, 0) / own.length / (PHASE_MS / 1_000), 0),
    String(own.reduce((sum, { ms }) => sum + ms.length, 0)),
    String(own.reduce((sum, { failed }) => sum + failed, 0)),
    round(median(own.map(({ ms }) => median(ms)))),
    round(median(own.map(p99))),
    `${round(median(ratios))} ×`,
  ]
})
const head = ['neighbor', 'its errors a second', 'calls of the good', 'failed', 'p50 ms', 'p99 ms', 'p99 to (a)']
console.log(`### ${SERVICES} good services beside a bad one, ${ROUNDS} rounds (${machine()})\n\n${table(head, rows)}`)
process.exit(0)
