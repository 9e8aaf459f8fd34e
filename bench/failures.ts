/**
 * How long nothing else is answered because a service failed: by a call that rejects, by a timer that throws late, and by
 * a service that is started anew. Each failure is made between calls of 50 other services, so that its code is as cold as
 * in life, and measured from the turn of the event loop in which it begins to the next one (a start anew takes several:
 * all of them, and the longest). Kinds take turns, and medians are told: of a thousand failures most meet no other process.
 * `more` is beside the same without an error. What a start waited for a processor is not counted.
 * Run: npm run bench -- failures [rounds] [starts anew]
 */
import { startSystem, type TestSystem } from '../test/support/system.ts'
import { createWaits, machine, median, percentile, round, table } from './support.ts'

const ROUNDS = Number(process.argv[2] ?? 500)
const STARTS = Number(process.argv[3] ?? 150)
/** The first ones run code that nothing has run before. */
const WARM = 0.2
const SERVICES = 50
/** A turn that is shorter has done nothing but wait. */
const TURN_US = 60
/** Turns after the end of the old version: what follows it. */
const TURNS_AFTER = 3

const GOOD = `import { createHash } from 'node:crypto'
export class Module {
  async work(text: string): Promise<string> {
    await new Promise((resolve) => setImmediate(resolve))
    return createHash('sha256').update(text).digest('hex')
  }
}
`
const BAD = `export class Module {
  async later(fails: boolean) { if (fails) throw new Error('not today') }
  atOnce(fails: boolean) { if (fails) throw new Error('not today') }
  timer(fails: boolean, began: () => void) {
    setTimeout(() => {
      began()
      if (fails) throw new Error('a forgotten timer')
    }, 1)
  }
}
`
const CRASHES = `export class Module {
  run() { return new Promise((_resolve, reject) => { this.end = reject }) }
  crash() { this.end(new Error('the loop crashed')) }
}
`
type Bad = {
  later(fails: boolean): Promise<void>
  atOnce(fails: boolean): Promise<void>
  timer(fails: boolean, began: () => void): Promise<void>
}

const text = 'x'.repeat(2_048)
const ignore = (): void => {}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function othersWork(system: TestSystem): Promise<void> {
  const calls = Array.from({ length: SERVICES }, (_, index) =>
    system.getApi<{ work(text: string): Promise<string> }>(`good${index}`).work(text),
  )
  await Promise.all(calls)
  await pause(1)
}

/** Begins something at the begin of a turn, and says when that was. */
type Begin = (fails: boolean, began: () => void) => void

/** Microseconds until the next turn. */
const untilNextTurn = (begin: Begin, fails: boolean): Promise<number> =>
  new Promise((resolve) => {
    let since = 0
    const began = (): void => {
      since = performance.now()
      setImmediate(() => resolve((performance.now() - since) * 1_000))
    }
    begin(fails, began)
  })

async function failures(system: TestSystem): Promise<string[][]> {
  const bad = system.getApi<Bad>('bad')
  const nowhere = async (fails: boolean): Promise<void> => {
    if (fails) throw new Error('not today')
  }
  const call = (what: (fails: boolean) => Promise<void>): Begin => {
    return (fails, began) => {
      setTimeout(() => {
        began()
        what(fails).catch(ignore)
      }, 1)
    }
  }
  const kinds = new Map<string, Begin>([
    ['a rejected promise where no service is', call(nowhere)],
    ['a call: an `async` method throws', call((fails) => bad.later(fails))],
    ['a call: a plain method throws', call((fails) => bad.atOnce(fails))],
    ['a timer throws', (fails, began) => void bad.timer(fails, began)],
  ])
  const times = new Map([...kinds.keys()].map((name) => [name, { good: [] as number[], bad: [] as number[] }]))
  for (let done = 0; done < ROUNDS; done++) {
    for (const [name, begin] of kinds) {
      await othersWork(system)
      times.get(name)?.good.push(await untilNextTurn(begin, false))
      await othersWork(system)
      times.get(name)?.bad.push(await untilNextTurn(begin, true))
    }
  }
  const { errors } = await system.show('bad')
  if (errors !== 3 * ROUNDS) throw new Error(`${errors} errors were counted of ${3 * ROUNDS}`)
  return [...times].map(([name, { good, bad: failed }]) => {
    const [without, withError] = [good, failed].map((all) => median(all.slice(ROUNDS * WARM))) as [number, number]
    return [name, round(without, 1), round(withError, 1), round(withError - without, 1)]
  })
}

async function startsAnew(system: TestSystem): Promise<string[]> {
  const crashes = system.getApi<{ crash(): Promise<void> }>('crashes')
  const waits = createWaits()
  const now = (): number => performance.now() - waits()
  let ended = 0
  system.kernel.events.on('service.drained', () => ended++)
  const all: number[] = []
  const longest: number[] = []
  for (let started = 1; started <= STARTS; started++) {
    for (let beats = 0; beats < 3; beats++) await othersWork(system)
    crashes.crash().catch(ignore)
    const turns: number[] = []
    let since = now()
    for (let left = TURNS_AFTER; left > 0; left -= ended >= started ? 1 : 0) {
      await turn()
      const at = now()
      if ((at - since) * 1_000 > TURN_US) turns.push((at - since) * 1_000)
      since = at
    }
    all.push(turns.reduce((sum, one) => sum + one, 0))
    longest.push(Math.max(0, ...turns))
  }
  const of = (values: number[], share: number): string => round(percentile(values.slice(STARTS * WARM), share), 0)
  return [of(all, 0.5), of(all, 0.9), of(longest, 0.5), of(longest, 0.9)]
}

const files: Record<string, string> = {
  'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {late_errors_max: 100000}\n',
  'configs/bad.yml': '',
  'modules/bad.ts': BAD,
  'configs/crashes.yml': 'restart: {max: 100000, pause_ms: 5, pause_ms_max: 5}',
  'modules/crashes.ts': CRASHES,
  'modules/good.ts': GOOD,
}
for (let index = 0; index < SERVICES; index++) files[`configs/good${index}.yml`] = 'prog: good'
const system = await startSystem(files)
const rows = await failures(system)
const starts = await startsAnew(system)
await system.stop()
console.log(`### What a failure takes from the others, ${ROUNDS} of each (${machine()})\n`)
console.log(table(['failure', 'without an error µs', 'with it µs', 'more'], rows))
console.log(`\n${STARTS} starts anew of a small service that failed, µs:\n`)
console.log(table(['all turns p50', 'p90', 'the longest p50', 'p90'], [starts]))
process.exit(0)
