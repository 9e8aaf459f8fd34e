/**
 * What a sandbox costs: a call beside those of a worker thread and of QuickJS in one run, many calls at once, an isolate's
 * start and memory, what creating and ending thousands leaves behind, and how late a limit comes.
 * Run: npm run bench -- sandbox [cycles]
 */
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { getQuickJS } from 'quickjs-emscripten'
import { SANDBOX_LIMITS } from '../modules/contracts/sandbox.ts'
import type { Guest, GuestLimits, GuestPlace } from '../modules/contracts/sandbox.ts'
import { realClock } from '../modules/lib/clock.ts'
import { createEngine } from '../modules/sandbox/engine/index.ts'
import { packageRoot } from '../test/support/root.ts'
import { machine, median, percentile, round, table } from './support.ts'

const ROUNDS = 9
const CALLS = 500
const MANY = 20_000
const AT_ONCE = 64
const BOOTS = 500
const WIDE_BOOTS = 100
const CYCLES = Number(process.argv[2] ?? 10_000)
const KILLS = 20

const engine = createEngine({ clock: realClock })
const over = { code: 'stopped', message: 'over', hint: '' }

const PLAIN = `export class Module {
  add(a: number, b: number) { return a + b }
  spin() { for (;;); }
  native() { return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }
}`
const ZOD = `import { z } from 'zod'
export const configSchema = z.object({ a: z.number().default(1) })
export class Module { add(a: number, b: number) { return a + b } }`
/** Asks for much of zod, as the module of a form with many kinds of fields would. */
const WIDE = ZOD.replace(
  'a: z.number().default(1)',
  `a: z.string().min(1).email(), b: z.array(z.enum(['a', 'b'])).optional(), c: z.union([z.number().int(), z.boolean()]),
  d: z.record(z.string(), z.any()), e: z.iso.datetime(), f: z.discriminatedUnion('k', [z.object({ k: z.literal('x') })]).nullable()`,
)

async function open(place: GuestPlace, text = PLAIN, limits: Partial<GuestLimits> = {}): Promise<Guest> {
  const program = {
    owner: { service: 'bench', generation: 1 },
    entry: '/bench/main.ts',
    texts: { '/bench/main.ts': text },
    packages: ['zod'],
    packageFolders: [packageRoot],
  }
  const events = { ask: () => Promise.reject(new Error('nobody')), told: () => undefined, closed: () => undefined }
  const guest = await place.open(program, { ...SANDBOX_LIMITS, cpu_share: 1, ...limits }, events)
  await guest.ask('construct', { config: {} })
  return guest
}

const call = (guest: Guest, method: string, ...args: unknown[]): Promise<unknown> =>
  guest.ask('call', { aspect: 'default', method, args })

type Add = (a: number, b: number) => Promise<unknown>

/** The least that a thread and its caller can do: a message there, a message back, a promise by number. */
function threadAdd(): { add: Add; end: () => void } {
  const code = `const { parentPort } = require('node:worker_threads')
parentPort.on('message', ({ id, method, args }) => parentPort.postMessage({ id, value: { add: (a, b) => a + b }[method](...args) }))`
  const worker = new Worker(code, { eval: true })
  const waiting = new Map<number, (value: unknown) => void>()
  let last = 0
  worker.on('message', ({ id, value }: { id: number; value: unknown }) => {
    waiting.get(id)?.(value)
    waiting.delete(id)
  })
  const add: Add = (...args) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage({ id: last, method: 'add', args })
    })
  return { add, end: () => void worker.terminate() }
}

async function quickAdd(): Promise<Add> {
  const context = (await getQuickJS()).newContext()
  context.evalCode('globalThis.add = (text) => { const [a, b] = JSON.parse(text); return JSON.stringify(a + b) }')
  const fn = context.getProp(context.global, 'add')
  return async (...args) => {
    const text = context.newString(JSON.stringify(args))
    const result = context.unwrapResult(context.callFunction(fn, context.undefined, text))
    const value: unknown = JSON.parse(context.getString(result))
    text.dispose()
    result.dispose()
    return value
  }
}

async function awaited(add: Add, count: number): Promise<number> {
  const since = performance.now()
  for (let index = 0; index < count; index++) await add(index, 1)
  return ((performance.now() - since) * 1_000) / count
}

async function atOnce(add: Add): Promise<number> {
  let left = MANY
  const since = performance.now()
  const lane = async (): Promise<void> => {
    while (left-- > 0) await add(1, 2)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return MANY / ((performance.now() - since) / 1_000)
}

async function calls(): Promise<void> {
  const [inline, child] = [engine.inline(), await engine.startProcess({ rss_mb_max: 1_024 })]
  const [near, far] = [await open(inline), await open(child)]
  const thread = threadAdd()
  const ways: [name: string, add: Add][] = [
    ['worker_threads', thread.add],
    ['QuickJS in this thread', await quickAdd()],
    ['isolate, `inline`', (...args) => call(near, 'add', ...args)],
    ['isolate in its process', (...args) => call(far, 'add', ...args)],
  ]
  const us = new Map<string, number[]>(ways.map(([name]) => [name, []]))
  const many = new Map<string, number[]>(ways.map(([name]) => [name, []]))
  for (const [, add] of ways) await awaited(add, 2_000)
  for (let index = 0; index < ROUNDS; index++) {
    for (const [name, add] of index % 2 === 0 ? ways : [...ways].reverse()) {
      us.get(name)?.push(await awaited(add, CALLS))
      many.get(name)?.push(await atOnce(add))
    }
  }
  const base = median(us.get('worker_threads') ?? [])
  const rows = ways.map(([name]) => {
    const middle = median(us.get(name) ?? [])
    return [name, round(middle), round(middle / base), String(Math.round(median(many.get(name) ?? [])))]
  })
  console.log(`## A call into a sandbox (${machine()})\n`)
  console.log(table(['where', 'round trip, µs', '× worker_threads', `calls/s, ${AT_ONCE} at once`], rows))
  thread.end()
  for (const place of [inline, child]) place.kill(over)
}

const rssOf = (pid: number): number => (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4_096) / 1e6

async function boots(): Promise<void> {
  const rows: string[][] = []
  for (const [name, text, count] of [
    ['plain module', PLAIN, BOOTS],
    ['with zod', ZOD, BOOTS],
    ['with zod, a dozen kinds of fields', WIDE, WIDE_BOOTS],
  ] as const) {
    const place = await engine.startProcess({ rss_mb_max: 8_192 })
    const pid = place.pid ?? 0
    await (await open(place, text)).close()
    const before = rssOf(pid)
    const ms: number[] = []
    for (let index = 0; index < count; index++) {
      const since = performance.now()
      await open(place, text)
      ms.push(performance.now() - since)
    }
    rows.push([
      name,
      String(count),
      round(median(ms)),
      round(percentile(ms, 0.95)),
      round((rssOf(pid) - before) / count),
    ])
    place.kill(over)
  }
  console.log('\n## Isolates that stand side by side\n')
  console.log(table(['what', 'isolates', 'start, ms', 'p95', 'MB each'], rows))
}

async function cycles(): Promise<void> {
  const place = await engine.startProcess({ rss_mb_max: 4_096 })
  const pid = place.pid ?? 0
  const rows: string[][] = []
  const step = Math.max(1, Math.floor(CYCLES / 10))
  let before = { child: rssOf(pid), here: rssOf(process.pid) }
  for (let index = 1; index <= CYCLES; index++) {
    const guest = await open(place)
    await call(guest, 'add', 1, 2)
    await guest.close()
    if (index % step !== 0) continue
    const now = { child: rssOf(pid), here: rssOf(process.pid) }
    const grown = (of: 'child' | 'here'): string => round(((now[of] - before[of]) * 1_000) / step)
    rows.push([String(index), round(now.child), grown('child'), round(now.here), grown('here')])
    before = now
  }
  place.kill(over)
  console.log(`\n## ${CYCLES} isolates created, called and ended, MB\n`)
  console.log(table(['cycles', 'child', '+ per 1000', 'this process', '+ per 1000'], rows))
}

async function kills(): Promise<void> {
  const limit = 200
  const late = { spin: [] as number[], native: [] as number[], back: [] as number[] }
  let spare = await engine.startProcess({ rss_mb_max: 1_024 })
  for (let index = 0; index < KILLS; index++) {
    for (const method of ['spin', 'native'] as const) {
      const place = spare
      const guest = await open(place, PLAIN, { cpu_ms: limit })
      if (method === 'native') spare = await engine.startProcess({ rss_mb_max: 1_024 })
      const since = performance.now()
      const ended = (await call(guest, method).catch(() => performance.now())) as number
      late[method].push(ended - since - limit)
      if (method === 'spin') continue
      await call(await open(spare), 'add', 1, 2)
      late.back.push(performance.now() - ended)
    }
  }
  spare.kill(over)
  console.log(`\n## How late a limit of ${limit} ms comes, ms (${KILLS} each)\n`)
  const row = (name: string, of: readonly number[]): string[] => [name, round(median(of)), round(percentile(of, 0.95))]
  const rows = [
    row('a loop in JavaScript: its isolate ends', late.spin),
    row('a native loop: its process ends', late.native),
    row('from that to a good call of the next version, on a warm spare', late.back),
  ]
  console.log(table(['what', 'median', 'p95'], rows))
}

await calls()
await boots()
await kills()
await cycles()
process.exit(0)
