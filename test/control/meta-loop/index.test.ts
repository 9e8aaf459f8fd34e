/** The loop from outside: what it proposes at which autonomy, what it never does, what a reload keeps, what it answers. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { LedgerApi } from '../../../modules/contracts/ledger.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { rejection } from '../../support/system.ts'
import { CADENCE, KNOBS, SHOP, startLoop, UNRELIABLE, type Loop } from './loop.ts'

let loop: Loop
beforeEach(async () => {
  loop = await startLoop()
})
afterEach(() => loop.stop())

const shop = (): string => loop.root.read('configs/shop.yml')
const BOTH = { ...UNRELIABLE, values: { ...UNRELIABLE.values, 'test.slow': 2 } }

it("what the policy lets through is applied, what is a person's waits, and the comments of the file stay", async () => {
  loop.tell(BOTH)
  const cycle = await loop.cycle()
  expect(cycle).toMatchObject({ status: 'completed', identity: 'approved', applied: ['c1'], pending: ['c2'] })
  expect(cycle.changes.map(({ key, old, new: next, tier }) => [key, old, next, tier])).toEqual([
    ['harness.retry_limit', 10, 12, 'AUTO_APPROVE'],
    ['speed', 10, 11, 'HUMAN_REVIEW'],
  ])
  expect(shop()).toBe(SHOP.replace('10', '12'))
  const { pending } = parse(loop.root.read('runtime/control/pending-reviews.yml')) as { pending: object[] }
  expect(pending).toMatchObject([{ proposal: 'c2', occurrences: 1 }])
  expect((await loop.meta.status()).pending_approvals).toBe(1)
  await loop.approve(await loop.rollouts.show('c2'))
  expect(shop()).toContain('retry_limit: 12')
})

it('by default everything it would change waits for a person', async () => {
  loop.root.write('configs/policy.yml', 'prog: control/policy\n')
  await loop.system.reload('policy')
  loop.tell(BOTH)
  expect(await loop.cycle()).toMatchObject({ identity: 'approved', applied: [], pending: ['c1', 'c2'] })
  expect(shop()).toBe(SHOP)
  await loop.approve(await loop.rollouts.show('c1'))
  expect(shop()).toBe(SHOP.replace('10', '12'))
})

it('while the system is frozen it looks and proposes nothing', async () => {
  loop.system.switchboard.frozen = 'self'
  loop.tell(BOTH)
  expect(await loop.cycle()).toMatchObject({
    status: 'completed',
    findings: [{ rule: 'slow_shop' }],
    changes: [],
    proposals: [],
    notes: ['the system is frozen: nothing is proposed'],
  })
  loop.system.switchboard.frozen = 'none'
  expect(await loop.cycle()).toMatchObject({ proposals: ['c1', 'c2'] })
})

it('what a person said no to is not asked again, until its time is over', async () => {
  loop.tell({ values: { 'test.slow': 2 } })
  await loop.cycle()
  const { approval_id } = await loop.rollouts.show('c1')
  await loop.approvals.reject(String(approval_id), {
    by: 'ada',
    token: loop.root.read('runtime/token').trim(),
    reason: 'no',
  })
  await loop.until('c1', 'rejected')
  loop.clock.skip(5 * 3_600_000)
  expect((await loop.cycle()).pending).toEqual([])
  loop.clock.skip(8 * 86_400_000)
  expect((await loop.cycle()).pending).toEqual(['c2'])
})

it("a goal's threshold, edited, holds in the next cycle, without a new version", async () => {
  expect((await loop.cycle()).scores?.below_threshold).toEqual([])
  const { generation } = await loop.system.show('meta-loop')
  await loop.configure(`${CADENCE}goals: {G4_capable: {threshold: 0.95}}\n`)
  expect((await loop.cycle()).scores?.below_threshold).toEqual(['G4_capable'])
  expect((await loop.system.show('meta-loop')).generation).toBe(generation)
})

it('a config that makes no sense is refused, and the one before it holds', async () => {
  for (const text of ['cadence: {mode: hasty}', 'goals: {G7: {}}', 'rules: [{name: x}]', 'thresholds: {no_rule: 1}'])
    expect([text, await loop.configure(`${text}\n`).catch(() => 'refused')]).toEqual([text, 'refused'])
  expect(await loop.cycle()).toMatchObject({ status: 'completed' })
})

it('a new version goes on with what the one before knew', async () => {
  await loop.meta.abort('before it began')
  await loop.meta.away(true)
  expect(await loop.system.kernel.reload('meta-loop')).toMatchObject({ ok: true })
  expect(await loop.meta.status()).toMatchObject({ cadence_mode: 'aggressive' })
  expect(await loop.cycle()).toMatchObject({ number: 1, status: 'aborted', reason: 'before it began' })
  expect(await loop.cycle()).toMatchObject({ number: 2, status: 'completed' })
})

it('a ledger that takes nothing ends a cycle before it has looked', async () => {
  loop.root.remove('configs/ledger.yml')
  await loop.system.event('service.stopped', ({ api }) => api === 'ledger')
  const cycle = await loop.cycle()
  expect(cycle).toMatchObject({ status: 'failed', snapshot: null, steps_completed: 0 })
  expect(cycle.reason).toContain('cannot be recorded')
})

const LEDGER = 'prog: control/ledger\n'
const outcomes = async (): Promise<string[]> =>
  (await loop.system.getApi<LedgerApi>('ledger').cycles()).map(({ cycle, outcome }) => `${cycle} ${outcome}`)

it('what the ledger took no line of is told to it before the next cycle', async () => {
  loop.tell({ holds: true })
  const begins = loop.system.event('told.begins')
  const cycle = loop.cycle()
  await begins
  const stopped = loop.system.event('service.stopped', ({ api }) => api === 'ledger')
  loop.root.remove('configs/ledger.yml')
  await stopped
  loop.tell({ holds: false })
  expect(await cycle).toMatchObject({ number: 1, status: 'completed' })
  const running = loop.system.event('service.live', ({ api }) => api === 'ledger')
  loop.root.write('configs/ledger.yml', LEDGER)
  await running
  expect(await outcomes()).toEqual(['meta-loop 1 running'])
  await loop.cycle()
  expect(await outcomes()).toEqual(['meta-loop 2 completed', 'meta-loop 1 completed'])
})

it('a process that ends between the row of a cycle and its line in the ledger leaves neither out, and none twice', async () => {
  await loop.cycle()
  const append = async (action: string, outcome: string): Promise<unknown> =>
    loop.system.getApi<LedgerApi>('ledger').append({
      actor: 'meta-loop',
      origin: 'self',
      action,
      resource: 'service:meta-loop',
      outcome,
      cycle: 'meta-loop 2',
    })
  await append('cycle_begun', 'running')
  const database = await openDatabase(join(loop.root.path, 'runtime/control/meta-loop.db'), 1_000)
  // As the file stands at the two points at which nothing more can be done: the first is told already, the second is not.
  database.prepare('UPDATE attempts SET open = 2').run([])
  database
    .prepare(
      `INSERT INTO attempts (number, trigger, started_at, status, open, record)
       SELECT 2, trigger, started_at, status, 2, json_set(record, '$.number', 2) FROM attempts`,
    )
    .run([])
  database.close()
  await loop.restart()
  expect(await outcomes()).toEqual(['meta-loop 2 completed', 'meta-loop 1 completed'])
  await loop.restart()
  expect((await loop.lines('cycle_ended')).map(({ cycle }) => cycle)).toEqual(['meta-loop 1', 'meta-loop 2'])
})

it('is asked only for what it knows', async () => {
  expect((await rejection(loop.meta.trigger({ trigger: 'whim' as never }))).code).toBe('trigger_unknown')
  expect((await rejection(loop.meta.signal({ source: 'x', priority: 'banana' as never }))).code).toBe('signal_invalid')
  expect((await rejection(loop.meta.away('yes' as never))).code).toBe('bad_arguments')
  expect((await rejection(loop.meta.brief(Number.NaN))).code).toBe('bad_arguments')
  expect((await loop.meta.cycles()).cycles).toEqual([])
})

it('says in eight lines at most what happened, with the numbers of the log', async () => {
  const since = loop.clock.now()
  loop.tell(BOTH)
  await loop.cycle()
  loop.tell({ fails: true })
  await loop.cycle()
  const { lines } = await loop.meta.brief(since)
  expect(lines.length).toBeLessThanOrEqual(8)
  expect(lines[0]).toContain('2 attempts at a cycle (1 failed, 1 completed)')
  expect(lines[1]).toContain('2 proposals changed (1 waiting, 1 watching)')
  expect(lines[2]).toBe('1 wait for you: c2')
  expect((await loop.meta.brief(loop.clock.now() + 1)).lines[0]).toContain('0 attempts')
})

it('answers what the rules say now without a cycle', async () => {
  expect(await loop.meta.findings()).toEqual({ snapshot: null, findings: [], silent: [] })
  loop.tell({ values: { 'test.slow': 2 } })
  await loop.cycle()
  const { findings, silent, snapshot } = await loop.meta.findings()
  expect([snapshot, findings]).toEqual(['s1', []])
  expect(silent).toContainEqual({ rule: 'slow_shop', reason: 'pending' })
  await loop.configure(CADENCE + KNOBS.replace('slow_shop', 'slower_shop'))
  expect((await loop.meta.rules()).custom.map(({ name }) => name)).toEqual(['slower_shop'])
})
