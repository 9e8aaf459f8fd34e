/**
 * Do bad services slow the good ones? 50 good services are called steadily while beside them stands a service whose
 * run() throws, one that leaks timers which throw late, one whose methods always throw and which is called as often as
 * each good one. Before and after each such phase the good ones stand alone, and its p99 is compared with the mean of
 * those two: what the machine does meanwhile is in both. Three phases show what such a comparison is worth: nothing once
 * more; a good neighbor, saved and called as the bad ones are; and a good one beside as many errors that are thrown and
 * caught where no service is, since making an error takes its time wherever it is made. The neighbor is saved anew for
 * each phase, so that it is not switched off for good; a phase covers the first restarts of a crash loop, back-off
 * included.
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
  'nothing, once more': undefined,
  'a good one, saved and called as the bad ones are': GOOD,
  'a good one, and as many errors thrown where no service is': GOOD,
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
const [alone = neighbors[0] as Neighbor, control, ownErrors, , , throwing] = neighbors

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

const notToday = async (): Promise<void> => {
  throw new Error('not today')
}

/** The same without a service. */
async function throwSteadily(every: number, until: number, into: Phase): Promise<void> {
  while (performance.now() < until) {
    await notToday().catch(() => into.failed++)
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
  if (neighbor === control || neighbor === throwing) callers.push(callSteadily('bad', pauseMs(0), until, bad))
  if (neighbor === ownErrors) callers.push(throwSteadily(pauseMs(0), until, bad))
  await Promise.all(callers)
  if (neighbor !== alone) {
    const { errors, state } = await system.show('bad')
    // The neighbor must have been bad, or nothing was measured.
    if ((errors === 0) !== (neighbor === control || neighbor === ownErrors))
      throw new Error(`the neighbor (${neighbor}) made ${errors} errors; it is ${state}`)
    good.errors = errors
  }
  await leave(neighbor)
  return good
}

interface Outcome {
  own: Phase
  /** its p99 to that of the good ones alone, before and after it */
  ratio: number
}

const p99 = ({ ms }: Phase): number => percentile(ms, 0.99)
const outcomes = new Map<Neighbor, Outcome[]>(neighbors.map((neighbor) => [neighbor, []]))
await phase(alone)
for (let index = 0; index < ROUNDS; index++) {
  let before = await phase(alone)
  for (const neighbor of index % 2 === 0 ? neighbors : neighbors.toReversed()) {
    const own = await phase(neighbor)
    const after = await phase(alone)
    outcomes.get(neighbor)?.push({ own, ratio: p99(own) / ((p99(before) + p99(after)) / 2) })
    before = after
  }
}
await system.stop()

const rows = neighbors.map((neighbor) => {
  const all = outcomes.get(neighbor) ?? []
  const own = all.map((one) => one.own)
  const ratios = all.map(({ ratio }) => ratio)
  return [
    neighbor,
    round(own.reduce((sum, { errors }) => sum + errors, 0) / own.length / (PHASE_MS / 1_000), 0),
    String(own.reduce((sum, { ms }) => sum + ms.length, 0)),
    String(own.reduce((sum, { failed }) => sum + failed, 0)),
    round(median(own.map(({ ms }) => median(ms)))),
    round(median(own.map(p99))),
    `${round(median(ratios))} ×`,
    `${round(percentile(ratios, 0.25))}–${round(percentile(ratios, 0.75))} ×`,
  ]
})
const head = ['neighbor', 'its errors a second', 'calls of the good', 'failed', 'p50 ms', 'p99 ms', 'p99 to alone']
console.log(`### ${SERVICES} good services beside a bad one, ${ROUNDS} rounds (${machine()})\n`)
console.log(table([...head, 'middle half of the rounds'], rows))
process.exit(0)
