/** Rows of AROS: a cycle from perceiving to persisting, its bounds, its ways back, and what it leaves on the disk. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { LedgerApi } from '../../../modules/contracts/ledger.ts'
import type { OperationEvent } from '../../../modules/contracts/meta-metrics.ts'
import { worked } from '../meta-loop/made.ts'
import { CADENCE, KNOBS, SHOP, startLoop, UNRELIABLE, type Loop } from '../meta-loop/loop.ts'

let loop: Loop
beforeEach(async () => {
  loop = await startLoop()
})
afterEach(() => loop.stop())

const shop = (): string => loop.root.read('configs/shop.yml')

it('AROS 1: with healthy data a cycle goes through its six steps and leaves one row', async () => {
  const cycle = await loop.cycle()
  expect(cycle).toMatchObject({
    number: 1,
    status: 'completed',
    reason: null,
    steps_completed: 6,
    identity: 'no_changes',
  })
  expect(cycle.critic?.action).toBe('NO_ACTION')
  expect(cycle.scores?.below_threshold).toEqual([])
  expect((await loop.meta.cycles()).cycles).toEqual([cycle])
  expect(await loop.meta.status()).toMatchObject({ running: false, last_cycle: { number: 1, status: 'completed' } })
})

it('AROS 2: each attempt that finished, failed, was aborted or throttled is one line of the evolution log', async () => {
  await loop.cycle()
  loop.tell({ fails: true })
  expect(await loop.cycle()).toMatchObject({ status: 'failed', reason: 'perceive: the metrics are gone' })
  loop.tell({ fails: false })
  await loop.meta.abort('not now')
  expect(await loop.cycle()).toMatchObject({ status: 'aborted', reason: 'not now' })
  await loop.configure(KNOBS)
  expect(await loop.cycle()).toMatchObject({ status: 'throttled', number: 0 })
  const lines = await loop.system.getApi<LedgerApi>('ledger').cycles()
  expect(lines.map(({ outcome }) => outcome)).toEqual(['throttled', 'aborted', 'failed', 'completed'])
  expect((await loop.meta.cycles()).cycles).toHaveLength(4)
})

it('AROS 3: while a cycle runs another one is refused, and the first goes on', async () => {
  loop.tell({ take_ms: 200 })
  const first = loop.cycle()
  expect(await loop.cycle()).toMatchObject({ status: 'skipped', reason: 'cycle already running', number: 0 })
  expect(await first).toMatchObject({ status: 'completed', steps_completed: 6 })
  expect((await loop.meta.cycles()).cycles).toHaveLength(1)
})

it('AROS 4: aborted while a step runs, that step ends, nothing staged stays, and the next cycle is whole', async () => {
  loop.tell({ ...UNRELIABLE, take_ms: 200 })
  const taken = loop.system.event('told.begins')
  const running = loop.cycle()
  await taken
  expect(await loop.meta.abort('Ada says no')).toBe(true)
  expect(await running).toMatchObject({ status: 'aborted', reason: 'Ada says no', changes: [], proposals: [] })
  expect(shop()).toBe(SHOP)
  loop.tell({ take_ms: 0 })
  expect(await loop.cycle()).toMatchObject({ status: 'completed', applied: ['c1'] })
})

it('AROS 5: a step that takes too long ends the cycle, and what it answers later changes nothing', async () => {
  loop.tell({ ...UNRELIABLE, take_ms: 1_500 })
  await loop.configure(CADENCE.replace('}', ', per_step_timeout_seconds: 0.2}') + KNOBS)
  const began = performance.now()
  expect(await loop.cycle()).toMatchObject({
    status: 'failed',
    reason: 'perceive took longer than 200 ms',
    steps_completed: 0,
  })
  expect(performance.now() - began).toBeLessThan(1_200)
  await loop.system.event('told.taken')
  expect((await loop.meta.cycles()).cycles).toMatchObject([{ status: 'failed', snapshot: null, proposals: [] }])
  expect(shop()).toBe(SHOP)
})

it('AROS 6: all steps together have their time too', async () => {
  loop.tell({ ...UNRELIABLE, take_ms: 1_500 })
  await loop.configure(CADENCE.replace('}', ', total_cycle_timeout_seconds: 0.2}') + KNOBS)
  expect(await loop.cycle()).toMatchObject({ status: 'failed', reason: 'the cycle took too long, in perceive' })
  await loop.system.event('told.taken')
  expect(shop()).toBe(SHOP)
})

it('AROS 7: without any event it looks again twice at most, and proposes nothing', async () => {
  loop.tell({ operation: worked(), values: { 'performance.avg_success_rate': null } })
  const cycle = await loop.cycle()
  expect(cycle).toMatchObject({ status: 'completed', requeries: 2, proposals: [], steps_completed: 6 })
  expect(cycle.scores).toMatchObject({ aggregate: null, below_threshold: [] })
  expect(cycle.snapshot).toBe('s3')
})

it('AROS 8: what may never be changed is asked of the policy three times, then told once, urgently', async () => {
  const never = 'knobs: [{goal: G3_reliable, file: configs/shop.yml, key: meta_events.retries, direction: increase}]\n'
  loop.root.write('configs/shop.yml', `${SHOP}meta_events: {retries: 1}\n`)
  await loop.system.reload('shop')
  await loop.configure(CADENCE + never)
  loop.tell(UNRELIABLE)
  expect(await loop.cycle()).toMatchObject({
    status: 'completed',
    identity: 'rejected_never_permission',
    identity_rounds: 3,
    proposals: [],
    queued_signals: [],
  })
  await loop.configure(CADENCE)
  loop.tell({ operation: worked() })
  const { queued_signals } = await loop.cycle()
  expect(queued_signals).toMatchObject([{ source: 'engine_alert', priority: 'urgent', payload: { action: 'ALERT' } }])
})

it('AROS 8: what would change beside it waits for a person, though the policy would let it through', async () => {
  const text = `${SHOP}meta_events: {retries: 1}\n`
  loop.root.write('configs/shop.yml', text)
  await loop.system.reload('shop')
  await loop.configure(
    CADENCE + KNOBS.replace('key: speed', 'key: meta_events.retries').replace('factor: 1.1', 'add: 1'),
  )
  loop.tell({ ...UNRELIABLE, values: { ...UNRELIABLE.values, 'test.slow': 2 } })
  expect(await loop.cycle()).toMatchObject({
    identity: 'rejected_never_permission',
    identity_rounds: 3,
    changes: [{ key: 'harness.retry_limit', tier: 'HUMAN_REVIEW' }, { tier: 'NEVER' }],
    applied: [],
    pending: ['c1'],
  })
  expect(shop()).toBe(text)
  const { approval_id, verdict, ...proposal } = await loop.rollouts.show('c1')
  expect(verdict).toMatchObject({ tier: 'HUMAN_REVIEW', rule: 'asked_for_review', altitude: 'tuning' })
  const waiting = (await loop.approvals.list({ state: 'pending' })).map(({ id }) => id)
  expect(waiting).toEqual([approval_id])
  await loop.approve({ ...proposal, verdict, approval_id })
  expect(shop()).toBe(text.replace('10', '12'))
  const { last_commit } = await loop.cycle()
  expect(last_commit).toMatchObject({ cycle: 1, changes_applied: [], changes_pending_review: ['c1'] })
})

const event = (type: OperationEvent['type'], at: number, data = {}): OperationEvent => ({
  bot_id: 'default',
  type,
  session_id: null,
  data,
  at,
})
const MOSTLY_FAILED = [
  ...[1, 2].map((at) => event('task_complete', at)),
  ...[3, 4, 5].map((at) => event('task_failed', at)),
]
const FAR = KNOBS.replace('factor: 1.1', 'value: 20')

it('AROS 9: a change that loosens far fails its test when less than 60 % of the last tasks were done', async () => {
  await loop.configure(CADENCE + FAR)
  loop.tell({ values: { 'test.slow': 2 }, events: MOSTLY_FAILED })
  const failed = { passed: false, reason: 'loosening_with_low_success', success_rate: 0.4, sample_size: 5 }
  expect((await loop.cycle()).shadow_test).toEqual(failed)
  loop.tell({ events: [...MOSTLY_FAILED.slice(1), event('task_complete', 6), event('task_complete', 7)].slice(-5) })
  expect((await loop.cycle()).shadow_test).toMatchObject({ passed: false, success_rate: 0.4 })
  loop.tell({ events: [] })
  const none = { passed: true, reason: 'no_history', success_rate: null, sample_size: 0 }
  expect((await loop.cycle()).shadow_test).toEqual(none)
})

it('AROS 10: after a failed test the critic only tells, and nothing is applied or asked', async () => {
  await loop.configure(CADENCE + FAR)
  loop.tell({ ...UNRELIABLE, values: { ...UNRELIABLE.values, 'test.slow': 2 }, events: MOSTLY_FAILED })
  expect(await loop.cycle()).toMatchObject({
    status: 'completed',
    critic: { action: 'ALERT', confidence: 0.4, changes: [] },
    changes: [],
    identity: 'no_changes',
    proposals: [],
  })
  expect(shop()).toBe(SHOP)
})

it('AROS 11: a system that has drifted far is looked at once more from the beginning; then nothing changes, and a person is asked', async () => {
  await loop.configure(`${CADENCE}meta_loop: {drift_threshold: 0.1}\n${KNOBS}`)
  loop.tell(UNRELIABLE)
  expect(await loop.cycle()).toMatchObject({
    status: 'completed',
    drift_restart: true,
    snapshot: 's2',
    identity: 'rejected_high_drift',
    identity_rounds: 3,
    changes: [{ key: 'harness.retry_limit', tier: 'HUMAN_REVIEW' }],
    applied: [],
    pending: ['c1'],
  })
  expect(shop()).toBe(SHOP)
})
