/** What the health of the loop counts as its own: what it proposed, and what the self-improver did because it asked. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CADENCE, SHOP, startLoop, type Loop } from './loop.ts'
import { domainOf } from './made.ts'

const IMPROVER = `export class Module {
  start() { return { id: 'i1', state: 'running' } }
}
`
const RULE = `altitudes: [tuning, config, code]
rules: [{name: bad, conditions: [{metric: test.slow, comparator: gt, threshold: 1}], severity: warning, altitudes: [code]}]
`
const FAILING = {
  api: 'shop',
  state: 'live',
  role: 'productive',
  calls: 10,
  errors: 4,
  p95_s: null,
  calls_to: [],
} as const

let loop: Loop
beforeEach(async () => {
  loop = await startLoop(CADENCE + RULE, {
    'configs/self-improver.yml': 'prog: improver\n',
    'modules/improver.mjs': IMPROVER,
  })
  const domains = [JSON.parse(JSON.stringify(domainOf('all', { services: [{ ...FAILING, calls_to: [] }] }))) as never]
  loop.tell({ values: { 'test.slow': 2 }, domains })
  await loop.cycle()
})
afterEach(() => loop.stop())

/** As the self-improver submits what an improvement has come to; live, and taken back by a person. */
async function undone(parent: string, speed: number): Promise<void> {
  const hash = 'a hash'
  const lineage = { provider: 'p', model: 'm', prompt_hash: hash, response_hash: hash, parent }
  const text = SHOP.replace('speed: 10', `speed: ${speed}`)
  const { id } = await loop.approve(await loop.propose('configs/shop.yml', text, { lineage }))
  await loop.until(id, 'watching')
  await loop.rollouts.undo(id, { by: 'ada' })
}

it('a change that the loop asked the self-improver for is its own, and what others asked for is not', async () => {
  const nothing = { directive_success_rate: null, rollback_rate: null }
  await undone('i7', 11)
  expect(await loop.meta.health()).toMatchObject(nothing)
  await undone('i1', 12)
  expect(await loop.meta.health()).toMatchObject({ directive_success_rate: 0, rollback_rate: 1 })
})

it('the ledger says what was asked for, for whom and why', async () => {
  const [asked] = await loop.lines('improvement_asked')
  expect(asked).toMatchObject({
    cycle: 'meta-loop 1',
    resource: 'service:shop',
    origin: 'self',
    payload: { improvement: 'i1', rule: 'bad', service: 'shop' },
  })
})
