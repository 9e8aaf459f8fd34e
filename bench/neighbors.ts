/**
 * Do bad services slow the good ones? 50 good services are called steadily. Beside them stands one whose run() throws
 * and is started again, one that leaks timers which throw late, one whose methods always throw and which is called more
 * often than a good one. A neighbor is bad in every other window of half a second, so that whatever else the machine does
 * is in both kinds alike; the median p99 of the bad windows is compared with that of the quiet ones. Three rows show
 * what such a comparison is worth: nothing at all; a good neighbor that is called; and a good one beside as many errors
 * that are thrown and caught where no service is, since making an error takes its time wherever it is made. Restarts have
 * no limit here and come at the pace of the first ones, two a second, so that every bad window holds one.
 *
 * Callers begin and pause at random. They began all at once before: 50 of a window's 4,800 calls, a little more than one in
 * a hundred, so that the p99 was how long that one bunch took and nothing else. And the description of a failing service's
 * error, which is made once a second, fell into it in every bad window, since more than a second had passed since the last
 * one. Fixed pauses kept callers of the same pause together for the rest of the window.
 * Run: npm run bench -- neighbors [pairs of windows]
 */
import { startSystem, type TestSystem } from '../test/support/system.ts'
import { machine, median, percentile, round, table } from './support.ts'

const PAIRS = Number(process.argv[2] ?? 40)
const WINDOW_MS = 500
/** Between two windows: what the one before has begun comes to its end. */
const BETWEEN_MS = 60
const WARM_UP_WINDOWS = 4
const SERVICES = 50
/** Of a caller, between two calls. */
const pauseMs = (): number => 3 + Math.random() * 5
/** The neighbor is called more often than any of the good ones. */
const PAUSE_BESIDE_MS = 3

/** Read by the neighbors, which run in this process. */
const shared = globalThis as { neighborIsBad?: boolean }

/** A turn of the event loop and some work, as a handler has it. */
const GOOD = `import { createHash } from 'node:crypto'
export class Module {
  async work(text: string): Promise<string> {
    await new Promise((resolve) => setImmediate(resolve))
    return createHash('sha256').update(text).digest('hex')
  }
}
`
interface Neighbor {
  name: string
  source: string
  /** what its callers do in a bad window */
  calls?: 'it' | 'no service'
  /** it must have made errors, or nothing was measured */
  bad: boolean
}

const NEIGHBORS: Neighbor[] = [
  { name: 'nothing', source: GOOD, bad: false },
  { name: 'a good one, called as the others are', source: GOOD, calls: 'it', bad: false },
  { name: 'a good one, and as many errors where no service is', source: GOOD, calls: 'no service', bad: false },
  {
    name: 'run() throws, and is started again',
    source: `export class Module {
      async run() {
        while (!globalThis.neighborIsBad) await new Promise((resolve) => setTimeout(resolve, 10))
        throw new Error('the loop crashed')
      }
    }`,
    bad: true,
  },
  {
    name: 'leaks 100 timers a second that throw 50 ms later',
    source: `export class Module {
      constructor() {
        setInterval(() => {
          if (globalThis.neighborIsBad) setTimeout(() => { throw new Error('a forgotten timer') }, 50)
        }, 10)
      }
    }`,
    bad: true,
  },
  {
    name: 'every method throws',
    source: `export class Module { async work() { throw new Error('not today') } }`,
    calls: 'it',
    bad: true,
  },
]

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const text = 'x'.repeat(2_048)
type Worker = { work(text: string): Promise<string> }

/** Calls until the time is up; the milliseconds of each call that was answered, and how many were not. */
async function callSteadily(worker: Worker, every: () => number, until: number, into: Window): Promise<void> {
  await pause(Math.random() * every())
  while (performance.now() < until) {
    const since = performance.now()
    try {
      await worker.work(text)
      into.ms.push(performance.now() - since)
    } catch {
      into.failed++
    }
    await pause(every())
  }
}

const nowhere: Worker = {
  work: async () => {
    throw new Error('not today')
  },
}

interface Window {
  ms: number[]
  failed: number
}

async function measure(system: TestSystem, { calls }: Neighbor, isBad: boolean): Promise<Window> {
  const good: Window = { ms: [], failed: 0 }
  shared.neighborIsBad = isBad
  const until = performance.now() + WINDOW_MS
  const callers = Array.from({ length: SERVICES }, (_, index) =>
    callSteadily(system.getApi<Worker>(`good${index}`), pauseMs, until, good),
  )
  const beside = calls === 'it' ? system.getApi<Worker>('bad') : nowhere
  if (isBad && calls !== undefined)
    callers.push(callSteadily(beside, () => PAUSE_BESIDE_MS, until, { ms: [], failed: 0 }))
  await Promise.all(callers)
  shared.neighborIsBad = false
  await pause(BETWEEN_MS)
  return good
}

async function rowOf(neighbor: Neighbor): Promise<string[]> {
  const files: Record<string, string> = {
    'modules/good.ts': GOOD,
    'modules/bad.ts': neighbor.source,
    'configs/bad.yml': 'restart: {max: 100000, pause_ms: 400, pause_ms_max: 400}',
  }
  for (let index = 0; index < SERVICES; index++) files[`configs/good${index}.yml`] = 'prog: good'
  const system = await startSystem(files)
  for (let index = 0; index < WARM_UP_WINDOWS; index++) await measure(system, neighbor, index % 2 === 1)
  const before = (await system.show('bad')).errors
  const quiet: Window[] = []
  const bad: Window[] = []
  for (let pair = 0; pair < PAIRS; pair++) {
    for (const isBad of pair % 2 === 0 ? [false, true] : [true, false]) {
      const kind = isBad ? bad : quiet
      kind.push(await measure(system, neighbor, isBad))
    }
  }
  const errors = (await system.show('bad')).errors - before
  await system.stop()
  if (errors > 0 !== neighbor.bad) throw new Error(`the neighbor (${neighbor.name}) made ${errors} errors`)
  const p99 = ({ ms }: Window): number => percentile(ms, 0.99)
  const ratios = bad.map((one, pair) => p99(one) / p99(quiet[pair] as Window))
  const [alone, beside] = [median(quiet.map(p99)), median(bad.map(p99))]
  return [
    neighbor.name,
    round(errors / ((PAIRS * WINDOW_MS) / 1_000), 0),
    String([...quiet, ...bad].reduce((sum, { ms }) => sum + ms.length, 0)),
    String([...quiet, ...bad].reduce((sum, { failed }) => sum + failed, 0)),
    round(alone, 3),
    round(beside, 3),
    `${round(beside / alone)} ×`,
    `${round(percentile(ratios, 0.25))}–${round(percentile(ratios, 0.75))} ×`,
  ]
}

const rows: string[][] = []
for (const neighbor of NEIGHBORS) rows.push(await rowOf(neighbor))
const head = ['neighbor', 'its errors a bad second', 'calls of the good', 'failed', 'p99 ms quiet', 'bad', 'ratio']
console.log(`### ${SERVICES} good services beside a bad one, ${PAIRS} pairs of windows (${machine()})\n`)
console.log(table([...head, 'middle half of the pairs'], rows))
process.exit(0)
