/**
 * Do bad services slow the good ones? 50 good services are called in the ways that R1 calls its own (reliability.md): at
 * once, over a turn of the event loop, with a wait of up to 50 ms, and over HTTP. Beside them stands one whose run()
 * throws and is started again, one that leaks timers which throw late, one whose methods always throw and which is called
 * as often as a good one, and all three together. A neighbor is bad in every other window of half a second, so that whatever
 * else the machine does is in both kinds alike; in the others it is called as much, and answers. Compared is, for each way
 * of calling and for all calls, the p99 of bad windows with that of quiet ones; it is drawn anew from the pairs a
 * thousand times to see how far it would spread. Of a call that waits, what counts is how late it answers.
 * Three neighbors show what such a comparison is worth: nothing at all; a good one that is called; and a good one beside as
 * many errors that are thrown and caught where no service is, since making an error takes its time wherever it is made.
 * Restarts have no limit here and come at the pace of the first ones, two a second, so that every bad window holds one.
 * Callers begin and pause at random: in step with each other, their own bunches would be the slowest calls.
 * Run: npm run bench -- neighbors [pairs of windows] [part of a neighbor's name] [one way of calling, for all calls]
 */
import { Agent, request } from 'node:http'
import { startSystem, type TestSystem } from '../test/support/system.ts'
import { machine, percentile, round, table } from './support.ts'

const PAIRS = Number(process.argv[2] ?? 40)
const ONLY = process.argv[3] ?? ''
const ONLY_WAY = process.argv[4]
const DRAWS = 1_000
const WINDOW_MS = 500
/** Between two windows: what the one before has begun comes to its end. */
const BETWEEN_MS = 100
const WARM_UP_WINDOWS = 4
const SERVICES = 50
/** Those of one service: what waits does not keep the others from calling. */
const CALLERS = 3
const WAIT_MS_MAX = 50
/** Of a caller, between two calls. */
const pauseMs = (): number => 6 + Math.random() * 10

const WAYS = ['at once', 'over a turn', 'with a wait', 'over HTTP'] as const
type Way = (typeof WAYS)[number]
/** Of a hundred calls. R1 has 5 over HTTP: its client, which is in this process too, would be half of all work here. */
const wayOf = (random: number): Way =>
  WAYS.find((way) => way === ONLY_WAY) ??
  (random < 0.35 ? 'at once' : random < 0.75 ? 'over a turn' : random < 0.98 ? 'with a wait' : 'over HTTP')

/** Read by the neighbors, which run in this process. */
const shared = globalThis as { neighborIsBad?: boolean }

const GOOD = `import { createHash } from 'node:crypto'
export class Module {
  now(text: string): string {
    return createHash('sha256').update(text).digest('hex')
  }
  async turn(text: string): Promise<string> {
    await new Promise((resolve) => setImmediate(resolve))
    return this.now(text)
  }
  async wait(ms: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, ms))
    return ms
  }
}
`
interface Good {
  now(text: string): Promise<string>
  turn(text: string): Promise<string>
  wait(ms: number): Promise<number>
}

const CRASHES = `export class Module {
  async run() {
    while (!globalThis.neighborIsBad) await new Promise((resolve) => setTimeout(resolve, 10))
    throw new Error('the loop crashed')
  }
}`
const LEAKS = `export class Module {
  constructor() {
    setInterval(() => {
      const { neighborIsBad } = globalThis
      setTimeout(() => { if (neighborIsBad) throw new Error('a forgotten timer') }, 50)
    }, 10)
  }
}`
const THROWS = GOOD.replace(
  '{\n    await',
  "{\n    if (globalThis.neighborIsBad) throw new Error('not today')\n    await",
)

interface Neighbor {
  name: string
  /** its services */
  sources: Record<string, string>
  /** whom its callers call */
  calls?: 'thrower' | 'no service'
  /** its services must have made errors, or nothing was measured */
  bad: boolean
}

const NEIGHBORS: Neighbor[] = [
  { name: 'nothing', sources: {}, bad: false },
  { name: 'a good one that is called', sources: { thrower: GOOD }, calls: 'thrower', bad: false },
  { name: 'as many errors where no service is', sources: {}, calls: 'no service', bad: false },
  { name: 'run() throws, and is started again', sources: { crasher: CRASHES }, bad: true },
  { name: 'leaks 100 timers a second that throw 50 ms later', sources: { leaker: LEAKS }, bad: true },
  { name: 'every method throws', sources: { thrower: THROWS }, calls: 'thrower', bad: true },
  {
    name: 'all three together',
    sources: { crasher: CRASHES, leaker: LEAKS, thrower: THROWS },
    calls: 'thrower',
    bad: true,
  },
]

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const text = 'x'.repeat(2_048)

class Http {
  private readonly agent = new Agent({ keepAlive: true })
  private readonly url: string
  private readonly headers: Record<string, string>

  constructor(system: TestSystem) {
    const { url, token_file } = JSON.parse(system.root.read('runtime/http.json')) as Record<string, string>
    this.url = String(url)
    const token = system.root.read(`runtime/${String(token_file).split('/').pop()}`).trim()
    this.headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  }

  call(api: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', agent: this.agent, headers: this.headers }
      const asked = request(`${this.url}/api/services/${api}/call`, options, (response) => {
        response.resume()
        const { statusCode } = response
        response.on('end', () => (statusCode === 200 ? resolve() : reject(new Error(String(statusCode)))))
      })
      asked.on('error', reject)
      asked.end(JSON.stringify({ method: 'now', args: [text] }))
    })
  }
}

interface Window {
  ms: Record<Way, number[]>
  failed: number
}

const emptyWindow = (): Window => ({
  ms: { 'at once': [], 'over a turn': [], 'with a wait': [], 'over HTTP': [] },
  failed: 0,
})

/** One call; the milliseconds it took, less those it was asked to wait. */
async function callOnce(good: Good, api: string, way: Way, http: Http): Promise<number> {
  const wait = Math.random() * WAIT_MS_MAX
  const since = performance.now()
  if (way === 'at once') await good.now(text)
  else if (way === 'over a turn') await good.turn(text)
  else if (way === 'over HTTP') await http.call(api)
  else {
    await good.wait(wait)
    return performance.now() - since - wait
  }
  return performance.now() - since
}

async function callSteadily(system: TestSystem, api: string, until: number, http: Http, into: Window): Promise<void> {
  const good = system.getApi<Good>(api)
  await pause(Math.random() * pauseMs())
  while (performance.now() < until) {
    const way = wayOf(Math.random())
    await callOnce(good, api, way, http).then(
      (ms) => into.ms[way].push(ms),
      () => into.failed++,
    )
    await pause(pauseMs())
  }
}

const nowhere = async (): Promise<string> => {
  if (shared.neighborIsBad) throw new Error('not today')
  return ''
}

/** As often as a good service is called, by as many. */
async function callNeighbor(turn: () => Promise<string>, until: number): Promise<void> {
  await pause(Math.random() * pauseMs())
  while (performance.now() < until) {
    await turn().catch(() => undefined)
    await pause(pauseMs())
  }
}

async function measure(system: TestSystem, { calls }: Neighbor, isBad: boolean, http: Http): Promise<Window> {
  const window = emptyWindow()
  shared.neighborIsBad = isBad
  const until = performance.now() + WINDOW_MS
  const callers = Array.from({ length: SERVICES * CALLERS }, (_, index) =>
    callSteadily(system, `good${index % SERVICES}`, until, http, window),
  )
  const thrower = calls === 'thrower' ? system.getApi<Good>('thrower') : undefined
  const turn = thrower === undefined ? nowhere : () => thrower.turn(text)
  if (calls !== undefined) for (let index = 0; index < CALLERS; index++) callers.push(callNeighbor(turn, until))
  await Promise.all(callers)
  shared.neighborIsBad = false
  await pause(BETWEEN_MS)
  return window
}

const errorsOf = async (system: TestSystem, names: string[]): Promise<number> =>
  (await Promise.all(names.map((name) => system.show(name)))).reduce((sum, { errors }) => sum + errors, 0)

async function rowsOf(neighbor: Neighbor): Promise<string[][]> {
  const files: Record<string, string> = {
    'modules/good.ts': GOOD,
    'configs/http.yml': 'prog: services/http\nport: 0\n',
  }
  for (const [name, source] of Object.entries(neighbor.sources)) {
    files[`modules/${name}.ts`] = source
    files[`configs/${name}.yml`] = 'restart: {max: 100000, pause_ms: 400, pause_ms_max: 400}'
  }
  for (let index = 0; index < SERVICES; index++) files[`configs/good${index}.yml`] = 'prog: good'
  const system = await startSystem(files)
  const http = new Http(system)
  for (let index = 0; index < WARM_UP_WINDOWS; index++) await measure(system, neighbor, index % 2 === 1, http)
  const names = Object.keys(neighbor.sources)
  const before = await errorsOf(system, names)
  const [quiet, bad]: [Window[], Window[]] = [[], []]
  for (let pair = 0; pair < PAIRS; pair++)
    for (const isBad of pair % 2 === 0 ? [false, true] : [true, false])
      (isBad ? bad : quiet).push(await measure(system, neighbor, isBad, http))
  const errors = (await errorsOf(system, names)) - before
  await system.stop()
  if (errors > 0 !== neighbor.bad) throw new Error(`the neighbor (${neighbor.name}) made ${errors} errors`)
  const failed = [...quiet, ...bad].reduce((sum, window) => sum + window.failed, 0)
  const perSecond = errors / ((PAIRS * WINDOW_MS) / 1_000)
  return [undefined, ...WAYS].map((way) => rowOf(neighbor.name, way, perSecond, failed, quiet, bad))
}

/** Of one way of calling, or of all. */
function rowOf(name: string, way: Way | undefined, errors: number, failed: number, quiet: Window[], bad: Window[]) {
  const sides = [quiet, bad].map((side) =>
    side.map(({ ms }) => (way === undefined ? WAYS.flatMap((one) => ms[one]) : ms[way])),
  )
  const [alone = Number.NaN, beside = Number.NaN] = sides.map((side) => percentile(side.flat(), 0.99))
  const drawn = spread(sides)
  const calls = String(sides.flat(2).length)
  const ratios = [`${round(beside / alone)} ×`, `${round(percentile(drawn, 0.05))}–${round(percentile(drawn, 0.95))} ×`]
  const first = way === undefined ? [`**${name}**`, round(errors, 0), String(failed), 'all'] : ['', '', '', way]
  return [...first, calls, round(alone, 3), round(beside, 3), ...ratios]
}

/** The ratio of as many pairs, drawn from those there are. Only the slow calls of a window can be among its slowest. */
function spread(sides: number[][][]): number[] {
  const slow = sides.map((side) =>
    side.map((ms) => ({
      ms: Float64Array.from(ms)
        .sort()
        .slice(-Math.ceil(ms.length / 8)),
      count: ms.length,
    })),
  )
  return Array.from({ length: DRAWS }, () => {
    const chosen = Array.from({ length: PAIRS }, () => Math.floor(Math.random() * PAIRS))
    const [alone = Number.NaN, beside = Number.NaN] = slow.map((side) => {
      const windows = chosen.map((pair) => side[pair] as (typeof side)[number])
      const all = Float64Array.from(windows.flatMap(({ ms }) => [...ms])).sort()
      const count = windows.reduce((sum, one) => sum + one.count, 0)
      return all[all.length - Math.ceil(count / 100)]
    })
    return beside / alone
  })
}

const rows: string[][] = []
for (const neighbor of NEIGHBORS.filter(({ name }) => name.includes(ONLY))) rows.push(...(await rowsOf(neighbor)))
const head = ['neighbor', 'its errors a bad second', 'failed', 'calls', 'of them', 'p99 ms quiet', 'bad', 'ratio']
console.log(`### ${SERVICES} good services beside a bad one, ${PAIRS} pairs of windows (${machine()})\n`)
console.log(table([...head, 'nine of ten draws'], rows))
process.exit(0)
