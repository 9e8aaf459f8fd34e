/** The checks of a change: what each refuses, in words, and what goes through all of them. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { DeclaredChange } from '../../../modules/contracts/proposals.ts'
import { startGate, type GateSystem } from './gate-system.ts'

const SHOP = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  orders = 0
  constructor(kernel) { this.store = kernel.getApi('store') }
  price(item, count) {
    if (count < 0) throw new Error('count is negative')
    let total = 0
    for (let n = 0; n < count; n++) total += item.cents
    return { total, count }
  }
  async stock(name) { return { name, left: await this.store.left(name) } }
  order(item) { this.orders++; return { number: this.orders, id: Math.random(), item } }
  sorted(list) { return [...list].sort((a, b) => a - b) }
  handOver() { return { orders: this.orders } }
  takeOver(state) { this.orders = state.orders }
  getAspect(name) {
    if (name === 'tool') return { price: tool({ description: 'price', params: z.object({ cents: z.number(), count: z.number().optional() }), run: ({ cents, count }) => this.price({ cents }, count ?? 1) }) }
    return undefined
  }
}
`
let system: GateSystem

beforeAll(async () => {
  system = await startGate({
    'configs/shop.yml': 'record: {calls: all, keep: 50}\n',
    'modules/shop.ts': SHOP,
    'configs/store.yml': '',
    'modules/store.ts': 'export class Module { left(name) { return name.length } take(name) { return name } }',
  })
  type Shop = Record<'price' | 'stock' | 'order' | 'sorted', (...args: unknown[]) => unknown>
  const shop = system.getApi<Shop>('shop')
  for (let n = 0; n < 30; n++) {
    await shop.price({ cents: n * 10 }, n % 7)
    await shop.stock(`thing ${n % 5}`)
    await shop.order({ name: 'x', n })
    await shop.sorted([3, n, 1])
  }
  await Promise.resolve(shop.price({ cents: 1 }, -1)).catch(() => undefined)
})

afterAll(() => system.stop())

const changed = (from: string, to: string): string => {
  if (!SHOP.includes(from)) throw new Error(`the source has no ${from}`)
  return SHOP.replace(from, to)
}
const FASTER = changed(
  'let total = 0\n    for (let n = 0; n < count; n++) total += item.cents\n',
  'const total = item.cents * Math.max(0, Math.ceil(count))\n',
)

it('a change that keeps what others see goes through all checks', async () => {
  const { passed, evidence } = await system.check('modules/shop.ts', FASTER)
  expect(evidence.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect([passed, evidence.at(-1)?.check]).toEqual([true, 'endurance'])
})

const SIXTH_FREE = changed('return { total, count }', 'if (count > 5) total -= item.cents\n    return { total, count }')
const FROM_SIX: DeclaredChange = {
  method: 'price',
  when: [{ at: '1', is: 'above', value: 5 }],
  reason: 'the sixth is free',
}

it.each<[string, DeclaredChange[], string]>([
  ['nowhere', [], 'counterexample'],
  ['elsewhere', [{ ...FROM_SIX, method: 'sorted' }], 'counterexample'],
  ['nearly everywhere', [{ ...FROM_SIX, when: [{ at: '1', is: 'above', value: 0 }] }], 'say more narrowly'],
])('what answers otherwise and says so %s is refused', async (_where, changes, says) => {
  const { evidence } = await system.improver.check([system.edit('modules/shop.ts', SIXTH_FREE)], { changes })
  const message = expect.stringContaining(says) as unknown as string
  expect(evidence.at(-1)).toMatchObject({ check: 'replay', outcome: 'failed', message })
})

it('what a change says it answers otherwise is shown to a person, and the rest has to be as before', async () => {
  const edit = system.edit('modules/shop.ts', SIXTH_FREE)
  const { passed, evidence } = await system.improver.check([edit], { changes: [FROM_SIX] })
  expect(evidence.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect(passed).toBe(true)
  const replay = evidence.find(({ check }) => check === 'replay')
  expect(replay?.message).toMatch(/4 otherwise, where the change says so, as price\(.*, 6\): `total` was/)
})

it.each([
  ['policy', 'modules/control/policy/judge.ts', 'export const x = 1\n', /NEVER by the rule `gate`/],
  ['policy', 'run.ts', '', /NEVER by the rule `bootloader`/],
  ['policy', 'modules/control/self-improver/gate.ts', '', /NEVER by the rule `gate`/],
  ['scan', 'modules/shop.ts', 'export class Module {', /modules\/shop.ts:1/],
  ['load', 'modules/shop.ts', `import './gone.ts'\n${SHOP}`, /gone\.ts/],
  ['scan', 'modules/shop.ts', `import { exec } from 'node:child_process'\n${SHOP}`, /child_process/],
  ['scan', 'modules/shop.ts', changed('this.orders++;', 'this.orders++; globalThis.seen = item;'), /globalThis/],
  ['scan', 'modules/shop.ts', changed('this.store.left(name)', 'this.store.take(name)'), /store\.take/],
  [
    'load',
    'modules/shop.ts',
    changed('constructor(kernel) {', "constructor(kernel) { throw new Error('no');"),
    /does not start/,
  ],
  [
    'load',
    'modules/shop.ts',
    changed('handOver() {', 'run() { return Promise.reject(new Error("tired")) }\n handOver() {'),
    /tired/,
  ],
  [
    'load',
    'modules/shop.ts',
    changed('handOver() {', 'shutdown() { throw new Error("stuck") }\n handOver() {'),
    /stuck/,
  ],
  ['contract', 'modules/shop.ts', changed('sorted(list)', 'ordered(list)'), /`sorted` is gone/],
  ['contract', 'modules/shop.ts', changed('count: z.number().optional()', 'count: z.number()'), /requires "count"/],
  ['contract', 'modules/shop.ts', changed('return { price: tool', 'return { cost: tool'), /tool `price` is gone/],
  ['contract', 'modules/shop.ts', SHOP.replace('takeOver(state)', 'takeIn(state)'), /takeOver\(\)` is gone/],
  ['replay', 'modules/shop.ts', changed('n < count', 'n <= count'), /counterexample: price\(.*`total` was/],
  [
    'replay',
    'modules/shop.ts',
    changed("if (count < 0) throw new Error('count is negative')", ''),
    /count is negative/,
  ],
  ['replay', 'modules/shop.ts', changed('[...list].sort', 'list.sort'), /sorted changes its arguments/],
  ['replay', 'modules/shop.ts', changed('this.orders++;', 'this.orders += 2;'), /`number` was/],
  [
    'replay',
    'modules/shop.ts',
    changed('this.orders++;', 'Array.prototype.extra = 1; this.orders++;'),
    /Array\.prototype\.extra/,
  ],
] as const)('%s refuses %s', async (check, path, text, says) => {
  const { passed, failed } = await system.check(path, text)
  expect([passed, failed?.check]).toEqual([false, check])
  expect(failed?.message).toMatch(says)
})

const BUSY = 'for (const end = Date.now() + 6; Date.now() < end; );'
it.each([
  [
    'made_calls',
    'a rare value',
    changed('let total = 0', 'let total = count > 500 ? 1 : 0'),
    /counterexample: price\(.*50\d/,
  ],
  ['made_calls', 'a rare name', changed('{ name, left:', '{ name: name === "teapot" ? "" : name, left:'), /teapot/],
  [
    'made_calls',
    'what it makes of another answer',
    changed('left: await this.store.left(name) }', 'left: Math.max(0, await this.store.left(name)) }'),
    /stock\(.*where store\.left\(.*\) is -/,
  ],
  [
    'endurance',
    'a drift that begins late',
    changed('this.orders++;', 'this.orders += this.orders > 900 ? 2 : 1;'),
    /order\(.*as call 9\d\d of a long run/,
  ],
  ['replay', 'slower', changed('let total = 0', `${BUSY} let total = 0`), /price takes \d/],
  ['hand_over', 'state lost', changed('return { orders: this.orders }', 'return { count: this.orders }'), /taken back/],
  [
    'hand_over',
    'state misread',
    changed('this.orders = state.orders', 'this.orders = Math.min(state.orders, 20)'),
    /took over/,
  ],
] as const)('%s refuses %s', async (check, _what, text, says) => {
  const { failed, evidence } = await system.check('modules/shop.ts', text)
  expect([failed?.check, failed?.message ?? evidence]).toEqual([check, expect.stringMatching(says)])
})

const children = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap').length

it('a change that is refused while more is begun leaves no process behind', async () => {
  // Where others answer otherwise: among the first calls that are made up.
  const text = changed('left: await this.store.left(name) }', 'left: Math.max(0, await this.store.left(name)) }')
  expect((await system.check('modules/shop.ts', text)).failed?.check).toBe('made_calls')
  await vi.waitFor(() => expect(children()).toBe(0), 10_000)
})

it('a line of log a call is no flood, however quickly calls are made here', async () => {
  const logs = changed('constructor(kernel) {', 'constructor(kernel) { this.log = kernel.log;').replace(
    'this.orders++;',
    "this.orders++; this.log.info('ordered');",
  )
  expect((await system.check('modules/shop.ts', logs)).failed).toBeUndefined()
})

it('what differs by chance is blamed on nobody, and a field more is no difference', async () => {
  const text = changed('id: Math.random()', 'id: Math.random() * 2, trace: Math.random()')
  expect(await system.check('modules/shop.ts', text)).toMatchObject({ passed: true })
})

it('what was judged is not on disk, and what serves is as before', async () => {
  expect(system.root.read('modules/shop.ts')).toBe(SHOP)
  const { source_hash, disk_hash } = await system.show('shop')
  expect(source_hash).toBe(disk_hash)
  expect(await system.show('shop')).toMatchObject({ state: 'live', stale: false, errors: 1 })
})

it('a file that has moved on is refused', async () => {
  const { evidence } = await system.improver.check([
    { path: 'modules/shop.ts', base_hash: '0000000000000000', text: FASTER },
  ])
  expect(evidence.at(-1)).toMatchObject({ check: 'base', outcome: 'failed' })
})
