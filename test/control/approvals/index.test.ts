/** Parked actions: decided once, by an operator, on record first; done exactly as they were parked, also after a restart. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Approval, ApprovalRequest, ApprovalsApi, Decision } from '../../../modules/contracts/approvals.ts'
import type { LedgerApi } from '../../../modules/contracts/ledger.ts'
import type { Handle } from '../../../modules/contracts/module.ts'
import type { Clock } from '../../../modules/contracts/seams.ts'
import { realClock } from '../../../modules/lib/clock.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { createRoot, type TestRoot } from '../../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../../support/system.ts'

const TOKEN = 'the token of this test, long enough'
const DOER = `export class Module {
  constructor(kernel, config) { this.config = config; this.done = [] }
  apply(payload, approval) {
    if (payload === 'bad') throw Object.assign(new Error('it has changed since'), { code: 'file_changed', hint: 'look' })
    this.done.push({ payload, id: approval.id })
    return { applied: payload }
  }
  handOver() { return this.done }
  takeOver(done) { this.done = done }
  all() { return this.done }
}
`
const REQUEST: ApprovalRequest = {
  class: 'config_change',
  target: 'loop',
  title: 'raise the limit',
  actor: 'improver',
  action: { service: 'doer', method: 'apply', payload: { to: 12 } },
}
const BY: Decision = { by: 'ada', token: TOKEN }

let root: TestRoot
let system: TestSystem
let approvals: Handle<ApprovalsApi>
let doer: Handle<{ all(): { payload: unknown; id: string }[] }>
let skippedMs: number
const clock: Clock = { ...realClock, now: () => realClock.now() + skippedMs }

async function start(): Promise<void> {
  system = await startSystem(root, { clock })
  approvals = system.getApi<ApprovalsApi>('approvals')
  doer = system.getApi('doer')
}
const actions = async (): Promise<string[]> =>
  (await system.getApi<LedgerApi>('ledger').read()).map(({ action, actor }) => `${action} ${actor}`)
const codeOf = async (work: Promise<unknown>): Promise<string> => (await rejection(work)).code

beforeEach(async () => {
  skippedMs = 0
  root = createRoot({
    'configs/approvals.yml': 'prog: control/approvals\n',
    'configs/ledger.yml': 'prog: control/ledger\n',
    'configs/doer.yml': '',
    'modules/doer.mjs': DOER,
    'runtime/token': `${TOKEN}\n`,
  })
  await start()
})
afterEach(() => system.stop())

it('what is approved is done, with what was parked, and every step is on record', async () => {
  const { id, state, expires_at, asked_at } = await approvals.request(REQUEST)
  expect(state).toBe('pending')
  expect(expires_at - asked_at).toBe(7 * 86_400_000)
  expect(await doer.all()).toEqual([])
  const done = await approvals.approve(id, { ...BY, reason: 'looks right' })
  expect(done).toMatchObject({
    state: 'approved',
    decided_by: 'ada',
    outcome: { ok: true, value: { applied: { to: 12 } } },
  })
  expect(await doer.all()).toEqual([{ payload: { to: 12 }, id }])
  expect(await actions()).toEqual(['approval_requested improver', 'approval_approved ada', 'approval_done doer'])
  expect(await approvals.show(id)).toEqual(done)
})

it('of many deciders one wins, and the action is done once', async () => {
  const { id } = await approvals.request(REQUEST)
  const decided = await Promise.allSettled([
    approvals.approve(id, BY),
    approvals.reject(id, { ...BY, by: 'bob', reason: 'no' }),
    approvals.approve(id, { ...BY, by: 'eve' }),
  ])
  expect(decided.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  expect(await codeOf(approvals.approve(id, BY))).toBe('approval_decided')
  expect(await doer.all()).toHaveLength(1)
  expect(await actions()).toEqual(['approval_requested improver', 'approval_approved ada', 'approval_done doer'])
})

it('a rejection needs a reason, and nothing is done', async () => {
  const { id } = await approvals.request(REQUEST)
  expect(await codeOf(approvals.reject(id, BY))).toBe('approval_reason')
  expect(await approvals.reject(id, { ...BY, reason: 'too much' })).toMatchObject({ state: 'rejected', outcome: null })
  expect(await doer.all()).toEqual([])
})

it('only an operator decides', async () => {
  const { id } = await approvals.request(REQUEST)
  for (const token of ['', 'wrong', undefined as unknown as string])
    expect(await codeOf(approvals.approve(id, { by: 'ada', token }))).toBe('operator_only')
  expect(await codeOf(approvals.approve(id, { ...BY, by: ' ' }))).toBe('bad_arguments')
  expect(await approvals.show(id)).toMatchObject({ state: 'pending' })
  expect(await codeOf(approvals.show('nothing'))).toBe('approval_missing')
})

it('a critical one is confirmed twice, the second time with a reason', async () => {
  const { id } = await approvals.request({ ...REQUEST, confirm_twice: true, impact: 'CRITICAL' })
  expect(await approvals.approve(id, BY)).toMatchObject({ state: 'pending', confirmed_by: 'ada' })
  expect(await codeOf(approvals.approve(id, BY))).toBe('approval_reason')
  expect(await approvals.approve(id, { ...BY, reason: 'measured' })).toMatchObject({
    state: 'approved',
    outcome: { ok: true },
  })
})

it('nobody in time: it expires, and cannot be decided any more', async () => {
  const { id } = await approvals.request({ ...REQUEST, expires_in_ms: 1_000 })
  skippedMs = 2_000
  expect(await approvals.list({ state: 'pending' })).toEqual([])
  expect(await codeOf(approvals.approve(id, BY))).toBe('approval_expired')
  expect(await doer.all()).toEqual([])
  expect(await actions()).toEqual(['approval_requested improver', 'approval_expired approvals'])
})

it('asked twice with one key, it is one request', async () => {
  const { id } = await approvals.request({ ...REQUEST, key: 'loop@abc' })
  expect((await approvals.request({ ...REQUEST, key: 'loop@abc' })).id).toBe(id)
  expect(await approvals.list()).toHaveLength(1)
})

it('a standing approval lets the like through until it ends, on record, and never what is confirmed twice', async () => {
  const { id } = await approvals.request(REQUEST)
  await approvals.approve(id, { ...BY, scope: 'service', expires_in_ms: 60_000 })
  expect(await approvals.request(REQUEST)).toMatchObject({ state: 'approved', decided_by: `approval ${id}` })
  expect(await approvals.request({ ...REQUEST, target: 'other' })).toMatchObject({ state: 'pending' })
  expect(await approvals.request({ ...REQUEST, confirm_twice: true })).toMatchObject({ state: 'pending' })
  skippedMs = 61_000
  expect(await approvals.request(REQUEST)).toMatchObject({ state: 'pending' })
})

it('an action that fails has been decided: its error is the outcome', async () => {
  const { id } = await approvals.request({ ...REQUEST, action: { ...REQUEST.action, payload: 'bad' } })
  const { outcome, state } = await approvals.approve(id, BY)
  expect(state).toBe('approved')
  expect(outcome).toMatchObject({ ok: false, value: { code: 'file_changed' } })
})

it('pending ones outlive a restart; what was approved and not done is done then, once', async () => {
  const pending = await approvals.request(REQUEST)
  const decided = await approvals.approve((await approvals.request(REQUEST)).id, BY)
  await system.kernel.stop('test', 2_000)
  const file = `${root.path}/runtime/control/approvals.db`
  const connection = await openDatabase(file, 1_000)
  const cut: Approval = { ...decided, outcome: null }
  connection.prepare('UPDATE approvals SET done = 0, record = ? WHERE id = ?').run([JSON.stringify(cut), cut.id])
  connection.close()
  await start()
  await expect.poll(() => doer.all()).toMatchObject([{ id: decided.id }])
  await expect.poll(async () => (await approvals.show(decided.id)).outcome).toMatchObject({ ok: true })
  expect(await approvals.approve(pending.id, BY)).toMatchObject({ outcome: { ok: true } })
  expect(await doer.all()).toHaveLength(2)
})

it('without its record nothing is decided', async () => {
  const { id } = await approvals.request(REQUEST)
  const ledger = await openDatabase(`${root.path}/runtime/control/ledger.db`, 1_000)
  ledger.prepare(`UPDATE entries SET text = replace(text, 'improver', 'somebody') WHERE sequence = 1`).run([])
  ledger.close()
  expect(await system.getApi<LedgerApi>('ledger').verify()).toMatchObject({ valid: false, at: 1 })
  expect(await codeOf(approvals.approve(id, BY))).toBe('ledger_broken')
  expect(await approvals.show(id)).toMatchObject({ state: 'pending' })
  expect(await doer.all()).toEqual([])
})

it('more than may wait are refused', async () => {
  root.write('configs/approvals.yml', 'prog: control/approvals\npending_max: 1\n')
  await system.reload('approvals')
  await approvals.request(REQUEST)
  expect(await codeOf(approvals.request(REQUEST))).toBe('approvals_full')
  expect(await codeOf(approvals.request({ ...REQUEST, title: '' }))).toBe('bad_arguments')
})
