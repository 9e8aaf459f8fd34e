/**
 * Do bad services slow the good ones? 50 good services are called steadily. Beside them stands one whose run() throws
 * and is started again, one that leaks timers which throw late, one whose methods always throw and which is called as
 * often as a good one. A neighbor is bad in every other window of half a second, so that whatever else the machine does
 * is in both kinds alike; in the others it is called as much, and answers. Compared is the p99 of all calls in bad windows
 * with that of all calls in quiet ones, and it is drawn anew from the pairs a thousand times to see how far it would
 * spread. Three rows show what such a comparison is worth: nothing at all; a good neighbor that is called; and a good one
 * beside as many errors that are thrown and caught where no service is, since making an error takes its time wherever it is
 * made. Restarts have no limit here and come at the pace of the first ones, two a second, so that every bad window holds one.
 *
 * Callers begin and pause at random. They began all at once before: 50 of a window's 4,800 calls, a little more than one in
 * a hundred, so that the p99 was how long that one bunch took and nothing else. And the description of a failing service's
 * error, which is made once a second, fell into it in every bad window, since more than a second had passed since the last
 * one. Fixed pauses kept callers of the same pause together for the rest of the window.
 * The median of the windows' own p99 was compared before: of 4,800 calls 48 are slower than it, which is one collection of
 * garbage more or less, and half of the pairs of two windows beside nothing at all differed by more than 1.4 times.
 * The last ratio is of the same calls without what they waited for a processor that another process had: on a machine that
 * does nothing else it is the first one.
 * Run: npm run bench -- neighbors [pairs of windows] [part of a neighbor's name]
 */
import { startSystem, type TestSystem } from '../test/support/system.ts'
import { createWaits, machine, percentile, round, table } from './support.ts'

const PAIRS = Number(process.argv[2] ?? 40)
const ONLY = process.argv[3] ?? ''
const DRAWS = 1_000
const WINDOW_MS = 500
/** Between two windows: what the one before has begun comes to its end. */
const BETWEEN_MS = 60
const WARM_UP_WINDOWS = 4
const SERVICES = 50
/** A call shorter than this has waited for nothing that would put it among the slowest. */
const SHORT_MS = 0.1
/** Of a caller, between two calls. */
const pauseMs = (): number => 3 + Math.random() * 5

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
  /** whom its callers call */
  calls?: 'it' | 'no service'
  /** it must have made errors, or nothing was measured */
  bad: boolean
}

const NEIGHBORS: Neighbor[] = [
  { name: 'nothing', source: GOOD, bad: false },
  { name: 'a good one that is called', source: GOOD, calls: 'it', bad: false },
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
          const { neighborIsBad } = globalThis
          setTimeout(() => { if (neighborIsBad) throw new Error('a forgotten timer') }, 50)
        }, 10)
      }
    }`,
    bad: true,
  },
  {
    name: 'every method throws',
    source: GOOD.replace(
      '{\n    await',
      "{\n    if (globalThis.neighborIsBad) throw new Error('not today')\n    await",
    ),
    calls: 'it',
    bad: true,
  },
]

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const text = 'x'.repeat(2_048)
type Worker = { work(text: string): Promise<string> }

const waits = createWaits()
let waited: number | undefined

/** Asked once a turn of the event loop. */
function waitedMs(): number {
  if (waited === undefined) {
    waited = waits()
    setImmediate(() => {
      waited = undefined
    })
  }
  return waited
}

/** Calls until the time is up; the milliseconds of each call that was answered, and how many were not. */
async function callSteadily(worker: Worker, every: () => number, until: number, into: Window): Promise<void> {
  await pause(Math.random() * every())
  while (performance.now() < until) {
    const before = waitedMs()
    const since = performance.now()
    try {
      await worker.work(text)
      const ms = performance.now() - since
      into.ms.push(ms)
      into.ownMs.push(ms < SHORT_MS ? ms : ms - (waits() - before))
    } catch {
      into.failed++
    }
    await pause(every())
  }
}

const nowhere: Worker = {
  work: async () => {
    if (shared.neighborIsBad) throw new Error('not today')
    return ''
  },
}

interface Window {
  ms: number[]
  /** without what was waited for a processor */
  ownMs: number[]
  failed: number
}

async function measure(system: TestSystem, { calls }: Neighbor, isBad: boolean): Promise<Window> {
  const good: Window = { ms: [], ownMs: [], failed: 0 }
  shared.neighborIsBad = isBad
  const until = performance.now() + WINDOW_MS
  const callers = Array.from({ length: SERVICES }, (_, index) =>
    callSteadily(system.getApi<Worker>(`good${index}`), pauseMs, until, good),
  )
  const beside = calls === 'it' ? system.getApi<Worker>('bad') : nowhere
  if (calls !== undefined) callers.push(callSteadily(beside, pauseMs, until, { ms: [], ownMs: [], failed: 0 }))
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
  const [alone, beside] = [p99Of(quiet), p99Of(bad)]
  const drawn = spread(quiet, bad)
  return [
    neighbor.name,
    round(errors / ((PAIRS * WINDOW_MS) / 1_000), 0),
    String([...quiet, ...bad].reduce((sum, { ms }) => sum + ms.length, 0)),
    String([...quiet, ...bad].reduce((sum, { failed }) => sum + failed, 0)),
    round(alone, 3),
    round(beside, 3),
    `${round(beside / alone)} ×`,
    `${round(percentile(drawn, 0.05))}–${round(percentile(drawn, 0.95))} ×`,
    `${round(p99Of(own(bad)) / p99Of(own(quiet)))} ×`,
  ]
}

const own = (windows: Window[]): Pick<Window, 'ms'>[] => windows.map(({ ownMs: ms }) => ({ ms }))

const p99Of = (windows: readonly Pick<Window, 'ms'>[]): number =>
  percentile(
    windows.flatMap(({ ms }) => ms),
    0.99,
  )

/** The ratio of as many pairs, drawn from those there are. Only the slow calls of a window can be among its slowest. */
function spread(quiet: Window[], bad: Window[]): number[] {
  const slow = (windows: Window[]): { ms: Float64Array; count: number }[] =>
    windows.map(({ ms }) => ({
      ms: Float64Array.from(ms)
        .sort()
        .slice(-Math.ceil(ms.length / 8)),
      count: ms.length,
    }))
  const sides = [slow(quiet), slow(bad)] as const
  return Array.from({ length: DRAWS }, () => {
    const chosen = Array.from({ length: PAIRS }, () => Math.floor(Math.random() * PAIRS))
    const [alone, beside] = sides.map((side) => {
      const windows = chosen.map((pair) => side[pair] as (typeof side)[number])
      const count = windows.reduce((sum, one) => sum + one.count, 0)
      const all = new Float64Array(windows.reduce((sum, one) => sum + one.ms.length, 0))
      let at = 0
      for (const { ms } of windows) {
        all.set(ms, at)
        at += ms.length
      }
      return all.sort()[all.length - Math.ceil(count / 100)] as number
    }) as [number, number]
    return beside / alone
  })
}

const rows: string[][] = []
for (const neighbor of NEIGHBORS.filter(({ name }) => name.includes(ONLY))) rows.push(await rowOf(neighbor))
const head = ['neighbor', 'its errors a bad second', 'calls of the good', 'failed', 'p99 ms quiet', 'bad', 'ratio']
console.log(`### ${SERVICES} good services beside a bad one, ${PAIRS} pairs of windows (${machine()})\n`)
console.log(table([...head, 'nine of ten draws', 'without waits for a processor'], rows))
process.exit(0)
