/** R19: a thousand recorded calls on a candidate, under load on the version that serves, which notices nothing of it. */
import { afterEach, expect, it } from 'vitest'
import type { RecordingsApi } from '../../modules/contracts/recordings.ts'
import { random, underCalls } from '../support/load.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const CALLS = 1_000

const SHOP = `export class Module {
  constructor(kernel) { this.stock = kernel.getApi('stock'); this.made = 0 }
  price({ count, code }) { if (count === 0) throw Object.assign(new Error('none'), { code: 'nothing_ordered' }); return { total: count * 7, code } }
  async order(item, count) { const left = await this.stock.left(item); return { item, ordered: Math.min(left, count), left } }
  names(list) { return list.map((one) => one.toUpperCase()).sort() }
  instances() { return ++this.made }
}
`

const running: TestSystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.stop()
})

interface Shop {
  price(order: { count: number; code: string }): { total: number }
  order(item: string, count: number): Promise<object>
  names(list: string[]): string[]
}

async function record(): Promise<{ system: TestSystem; recordings: RecordingsApi }> {
  const system = await startSystem({
    'configs/recordings.yml': 'prog: services/recordings\n',
    'configs/shop.yml': `record: {calls: all, keep: ${CALLS}}\n`,
    'modules/shop.ts': SHOP,
    'configs/stock.yml': '',
    'modules/stock.ts':
      'export class Module { asked = 0; left(item) { this.asked++; return item.length * 3 } times() { return this.asked } }',
  })
  running.push(system)
  const shop = system.getApi<Shop>('shop')
  const { between } = random(19)
  for (let n = 0; n < CALLS; n++) {
    const size = between(1, 40)
    if (n % 3 === 0) await shop.price({ count: between(0, 5), code: 'x'.repeat(size * 100) }).catch(() => undefined)
    else if (n % 3 === 1) await shop.order(`item ${size}`, between(1, 99))
    else await shop.names(Array.from({ length: size }, (_, at) => `name ${at}`))
  }
  return { system, recordings: system.getApi<RecordingsApi>('recordings') as unknown as RecordingsApi }
}

it('equal code answers each of them alike; the version that serves and what it calls are untouched', async () => {
  const { system, recordings } = await record()
  expect(await recordings.list('shop')).toMatchObject({ total: CALLS })
  const asked = await system.getApi('stock')['times']?.()
  const before = await system.show('shop')
  const { failed } = await underCalls(
    4,
    (caller, n) => system.getApi<Shop>('shop').price({ count: caller + 1, code: String(n) }),
    async () => {
      expect(await recordings.replay('shop')).toMatchObject({
        verdict: 'equal',
        differences: [],
        skipped: { redacted: 0 },
      })
    },
  )
  expect(failed).toEqual([])
  const after = await system.show('shop')
  expect([after.generation, after.source_hash, after.errors]).toEqual([1, before.source_hash, before.errors])
  expect(await system.getApi('stock')['times']?.()).toBe(asked)
  expect(await system.getApi('shop')['instances']?.()).toBe(1)
})

it('each of five defects is named, by its kind and its method, and nothing else is', async () => {
  const { system, recordings } = await record()
  const defects: [from: string, to: string, kind: string, method: string][] = [
    ['count * 7', 'count * 7 + (count === 3 ? 1 : 0)', 'result', 'price'],
    ["code: 'nothing_ordered'", "code: 'no_count'", 'error', 'price'],
    ['if (count === 0) throw', 'if (count < 0) throw', 'succeeds', 'price'],
    [
      'list.map((one)',
      'list.map((one, at) => { if (at > 30) throw new Error("too many"); return one }).map((one)',
      'fails',
      'names',
    ],
    ['this.stock.left(item)', 'this.stock.left(item + " ")', 'unanswered', 'order'],
  ]
  for (const [from, to, kind, method] of defects) {
    system.root.write('modules/candidate.ts', SHOP.replace(from, to))
    const { verdict, calls, equal, differences } = await recordings.replay('shop', { against: 'modules/candidate.ts' })
    expect([verdict, calls, differences.map((one) => [one.kind, one.method])]).toEqual([
      'different',
      CALLS,
      [[kind, method]],
    ])
    expect(equal + (differences[0]?.count ?? 0)).toBe(CALLS)
  }
})
