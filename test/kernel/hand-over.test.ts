/** State on its way to the next version: what goes wrong leaves the incumbent serving with its state. */
import { afterEach, expect, it } from 'vitest'
import { underCalls } from '../support/load.ts'
import { createRoot } from '../support/root.ts'
import { startSystem, type TestSystem } from '../support/system.ts'
import { zoo, zooSource, type Counter } from '../support/zoo.ts'

let system: TestSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

const GOOD = zooSource('counter')
const HAND_OVER = 'return { total: this.#total }'
const TAKE_OVER = 'this.#total = (state as { total: number }).total'

/** The counter in another version, with one piece of it replaced. */
const counterWith = (version: number, piece: string, by: string): string => {
  const source = zooSource('counter', version)
  if (!source.includes(piece)) throw new Error(`the counter has no ${piece}`)
  return source.replace(piece, by)
}

/** A counter whose first version hands over in its own way, with 7 in it. */
async function start(source = GOOD): Promise<TestSystem> {
  system = await startSystem({ ...zoo('counter'), 'modules/counter.ts': source })
  await system.getApi<Counter>('counter').add(7)
  return system
}

const BAD_HAND_OVERS: [name: string, by: string, code: string, reason: RegExp][] = [
  ['throws', `throw new Error('not now')`, 'hand_over_failed', /handOver threw: not now/],
  ['returns a Promise', 'return Promise.resolve({ total: 1 })', 'hand_over_failed', /Promise/],
  ['returns a rejected Promise', `return Promise.reject(new Error('no'))`, 'hand_over_failed', /Promise/],
  ['gives a function', 'return { total: () => 1 }', 'hand_over_not_cloneable', /could not be cloned/],
]

it.each(BAD_HAND_OVERS)('a handOver that %s: the incumbent serves on with its state, and says why', async (...bad) => {
  const [, by, code, reason] = bad
  const running = await start(GOOD.replace(HAND_OVER, by))
  const counter = running.getApi<Counter>('counter')
  let acknowledged = 7
  const { failed } = await underCalls(
    4,
    async () => {
      await counter.add(1)
      acknowledged++
    },
    async () => {
      running.root.write('modules/counter.ts', zooSource('counter', 2))
      const result = await running.reload('counter')
      expect(result).toMatchObject({ ok: false, generation: 1, from: 1, deferred: false, failed_calls: 0 })
      expect(result.error).toMatchObject({ code, file: 'modules/counter.ts' })
      expect(result.error?.message).toMatch(reason)
    },
  )
  expect(failed).toEqual([])
  expect([await counter.version(), await counter.get()]).toEqual([1, acknowledged])
  expect(await running.show('counter')).toMatchObject({
    state: 'live',
    generation: 1,
    stale: true,
    last_error: { code },
  })
})

const BAD_TAKE_OVERS: [name: string, source: string, reason: RegExp][] = [
  ['throws', counterWith(2, TAKE_OVER, `throw new Error('not mine')`), /takeOver threw: not mine/],
  [
    'knows no such version of the state',
    counterWith(2, `if (fromVersion !== '1')`, `if (fromVersion !== '2')`),
    /takeOver threw: nothing is known of the counter of version 1/,
  ],
  [
    'is asynchronous',
    counterWith(
      2,
      'takeOver(state: unknown, fromVersion: string): void',
      'async takeOver(state: unknown, fromVersion: string)',
    ),
    /Promise/,
  ],
]

it.each(BAD_TAKE_OVERS)('a takeOver that %s: the incumbent serves on with its state', async (_name, source, reason) => {
  const running = await start()
  const counter = running.getApi<Counter>('counter')
  let acknowledged = 7
  const { failed } = await underCalls(
    4,
    async () => {
      await counter.add(1)
      acknowledged++
    },
    async () => {
      running.root.write('modules/counter.ts', source)
      const result = await running.reload('counter')
      expect(result).toMatchObject({ ok: false, generation: 1, error: { code: 'hand_over_failed' }, failed_calls: 0 })
      expect(result.error?.message).toMatch(reason)
    },
  )
  expect(failed).toEqual([])
  expect([await counter.version(), await counter.get()]).toEqual([1, acknowledged])
  running.root.write('modules/counter.ts', zooSource('counter', 3))
  await running.live('counter', 2)
  expect([await counter.version(), await counter.get()]).toEqual([3, acknowledged])
})

it('a failed hand-over starts the tasks of the incumbent again', async () => {
  const bad = zooSource('steps').replace('return { next: this.#next }', `throw new Error('no')`)
  system = await startSystem({ ...zoo('steps'), 'modules/steps.ts': bad })
  const running = system
  running.root.write('modules/steps.ts', zooSource('steps', 2))
  expect(await running.reload('steps')).toMatchObject({ ok: false, error: { code: 'hand_over_failed' } })
  const steps = running.getApi<{ next(): number }>('steps')
  const next = await steps.next()
  await expect.poll(() => steps.next()).toBeGreaterThan(next)
  const seen = await running.getApi<{ list(prefix: string): string[] }>('journal').list('step ')
  expect(seen).toEqual(seen.map((_, index) => `step ${index + 1}`))
})

it('the next version is told the version of the state, and gets a copy of it', async () => {
  const source = (version: string, more: string): string => `
export class Module {
  static version = '${version}'
  list: string[] = []
  add(text: string) { this.list.push(text); return this.list }
  ${more}
}`
  system = await startSystem({
    'configs/m.yml': '',
    'modules/m.ts': source('2026-01', 'handOver() { return { list: this.list } }'),
  })
  const m = system.getApi<{ add(text: string): string[] }>('m')
  const held = await m.add('one')
  system.root.write(
    'modules/m.ts',
    source(
      '2',
      'takeOver(state: { list: string[] }, from: string) { this.list = [...state.list, from]; state.list.push("x") }',
    ),
  )
  const result = await system.reload('m')
  expect(result).toMatchObject({ ok: true, state: 'carried', generation: 2 })
  expect(await m.add('two')).toEqual(['one', '2026-01', 'two'])
  expect(held).toEqual(['one'])
})

it.each([
  ['the new version takes nothing', GOOD, counterWith(2, 'takeOver(', 'takenOver(')],
  ['the old version hands nothing over', counterWith(1, 'handOver():', 'handedOver():'), zooSource('counter', 2)],
])('%s: the reload goes through, and says that the state is lost', async (_name, before, after) => {
  const running = await start(before)
  running.root.write('modules/counter.ts', after)
  const result = await running.reload('counter')
  expect(result).toMatchObject({ ok: true, state: 'lost', generation: 2 })
  expect(await running.getApi<Counter>('counter').get()).toBe(0)
})

it('services of one group: one hand-over fails, and both go on with their state', async () => {
  const sharing = (more: string): string => `
import { helper } from './helper.ts'
export class Module {
  n = 0
  add() { return ++this.n }
  get() { return this.n }
  shared() { return helper }
  handOver() { return this.n }
  ${more}
}`
  const root = createRoot({
    'configs/x.yml': '',
    'configs/y.yml': '',
    'modules/helper.ts': 'export const helper = 1',
    'modules/x.ts': sharing('takeOver(n: number) { this.n = n }'),
    'modules/y.ts': sharing('takeOver(n: number) { if (helper === 2) throw new Error("no"); this.n = n }'),
  })
  system = await startSystem(root)
  const running = system
  interface Sharing {
    add(): number
    get(): number
    shared(): number
  }
  const [x, y] = [running.getApi<Sharing>('x'), running.getApi<Sharing>('y')]
  await Promise.all([x.add(), y.add(), y.add()])
  root.write('modules/helper.ts', 'export const helper = 2')
  const results = await Promise.all([running.reload('x'), running.reload('y')])
  for (const result of results) expect(result).toMatchObject({ ok: false, error: { code: 'hand_over_failed' } })
  expect([await x.get(), await y.get(), await x.shared(), await y.shared()]).toEqual([1, 2, 1, 1])
  const live = ['x', 'y'].map((api) => running.live(api, 2))
  root.write('modules/helper.ts', 'export const helper = 3')
  await Promise.all(live)
  expect([await x.get(), await y.get(), await x.shared(), await y.shared()]).toEqual([1, 2, 3, 3])
})

/** Keeps lists, and tells how long it takes to go through them, as a share of what lists it makes itself take. */
const LISTS = `export class Module {
  lists = Array.from({ length: 200 }, (_, index) => Array.from({ length: 64 }, (__, at) => (at * index) % 3))
  handOver() { return { lists: this.lists } }
  takeOver({ lists }) { this.lists = lists }
  cost() {
    const own = this.lists.map((list) => { const made = []; for (const item of list) made.push(item); return made })
    const best = (lists) => Math.min(...Array.from({ length: 9 }, () => {
      const since = performance.now()
      for (const list of lists) structuredClone(list)
      return performance.now() - since
    }))
    best(own)
    return best(this.lists) / best(own)
  }
}
`

it('state that was handed over is as quick to work with as it was', async () => {
  system = await startSystem({ 'configs/lists.yml': '', 'modules/lists.mjs': LISTS })
  system.root.write('modules/lists.mjs', `${LISTS}// again\n`)
  expect(await system.reload('lists')).toMatchObject({ ok: true, state: 'carried' })
  expect(await system.getApi<{ cost(): number }>('lists').cost()).toBeLessThan(1.7)
})
