/** The way of a proposal: judged, decided on by a person, applied whole, undone byte for byte; and what is refused. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { LedgerEntry } from '../../../modules/contracts/ledger.ts'
import type { RolloutsApi } from '../../../modules/contracts/proposals.ts'
import { rejection } from '../../support/system.ts'
import { answering, edit, moduleOf, ROLLOUTS, startGate, TOKEN, WINDOW_MS, type Gate } from './gate.ts'

const SHOP = 'modules/shop.mjs'
const NEW = answering(1, 'new')
const said = (entries: LedgerEntry[]): string[] => entries.map(({ action, outcome }) => `${action} ${outcome}`)

let gate: Gate
beforeEach(async () => {
  gate = await startGate()
})
afterEach(() => gate.stop())

const word = (): Promise<string> => gate.system.getApi<{ word(): string }>('shop').word()
const codeOf = async (work: Promise<unknown>): Promise<string> => (await rejection(work)).code

it('a change of code waits for a person, with all he needs to decide; approved, it is live', async () => {
  const before = gate.root.read(SHOP)
  const proposed = await gate.propose(SHOP, NEW, { cost_usd: 0.02 })
  expect(proposed).toMatchObject({ id: 'c1', state: 'waiting', verdict: { tier: 'HUMAN_REVIEW', altitude: 'code' } })
  expect(gate.root.read(SHOP)).toBe(before)
  const approval = await gate.approvals.show(String(proposed.approval_id))
  expect(approval).toMatchObject({
    state: 'pending',
    target: 'shop',
    confirm_twice: true,
    cost_usd: 0.02,
    evidence: { files: [SHOP], services: [{ service: 'shop', change: 'reload', in_flight: 0 }] },
  })
  expect(approval.diff).toContain("+  word() { return 'new' }")
  const live = await gate.approve(proposed)
  expect(live).toMatchObject({ state: 'watching', approved_by: 'ada', touches: ['shop'], generations: { shop: 2 } })
  expect(gate.root.read(SHOP)).toBe(NEW)
  expect(await word()).toBe('new')
})

it('Aetherra 33: undo writes the exact bytes back, and they run; a second undo and one of nothing say so', async () => {
  const before = gate.root.read(SHOP)
  const { id } = await gate.approve(await gate.propose(SHOP, NEW))
  const undone = await gate.rollouts.undo(id, { by: 'ada', reason: 'not now' })
  expect(undone).toMatchObject({ state: 'undone', message: 'ada took it back: not now' })
  expect(gate.root.read(SHOP)).toBe(before)
  expect(await word()).toBe('old')
  const again = await rejection(gate.rollouts.undo(id, { by: 'ada' }))
  expect(again).toMatchObject({ code: 'proposal_not_live' })
  expect(again.message).toContain('ada took it back')
  expect(await codeOf(gate.rollouts.undo('c99', { by: 'ada' }))).toBe('proposal_missing')
  expect(said(await gate.entries(id))).toEqual([
    'change_proposed pending',
    'change_applied pending',
    'change_live ok',
    'change_undone pending',
    'change_undone ok',
  ])
})

it('what was changed after it is not overwritten by an undo', async () => {
  const { id } = await gate.approve(await gate.propose(SHOP, NEW))
  gate.root.write(SHOP, answering(1, 'mine'))
  await gate.system.live('shop', 3)
  expect(await codeOf(gate.rollouts.undo(id, { by: 'ada' }))).toMatch(/file_changed|proposal_not_live/)
  expect(await gate.until(id, 'stale')).toMatchObject({ state: 'stale' })
  expect(gate.root.read(SHOP)).toContain('mine')
})

it('NEVER is refused at the proposal, and on record; no other path gets round it', async () => {
  for (const path of [
    'run.ts',
    'modules/control/policy/index.ts',
    './configs/../configs/policy.yml',
    'test/x.test.ts',
  ]) {
    const refused = await gate.propose(path, 'x: 1\n')
    expect(refused).toMatchObject({ state: 'refused', verdict: { tier: 'NEVER' }, approval_id: null })
    expect(said(await gate.entries(refused.id))).toEqual(['change_proposed refused'])
  }
  expect(gate.root.read('configs/policy.yml')).toBe('prog: control/policy\n')
  expect(await gate.approvals.list()).toEqual([])
})

it('NEVER at approval, and at persist: a rule that came since stops what waited', async () => {
  const proposed = await gate.propose(SHOP, NEW)
  gate.root.write('configs/policy.yml', `prog: control/policy\nrules: [{name: no_shop, tier: NEVER, path: ${SHOP}}]\n`)
  await gate.system.live('policy', 2)
  expect(await gate.approve(proposed)).toMatchObject({ state: 'refused' })
  expect(gate.root.read(SHOP)).toBe(answering(5))
  const entries = await gate.entries(proposed.id)
  expect(entries.at(-1)).toMatchObject({ action: 'change_refused', reason: expect.stringContaining('no_shop') })
})

it('AROS 37: a file that moved on makes it stale: 409 at the approval, and nothing is written', async () => {
  const proposed = await gate.propose(SHOP, NEW)
  gate.root.write(SHOP, answering(1, 'mine'))
  expect(await codeOf(gate.approve(proposed))).toBe('approval_stale')
  expect(await gate.until(proposed.id, 'stale')).toMatchObject({ message: expect.stringContaining(SHOP) })
  expect(gate.root.read(SHOP)).toContain('mine')
  expect(await codeOf(gate.propose(SHOP, NEW, { edits: [edit(SHOP, NEW, 'other')] }))).toBe('file_changed')
})

it('only what was approved is applied, and only by its approval', async () => {
  const proposed = await gate.propose(SHOP, NEW)
  const rollouts = gate.system.getApi('rollouts') as unknown as {
    resume(payload: unknown, approval: unknown): Promise<unknown>
  }
  const { action } = await gate.approvals.show(String(proposed.approval_id))
  expect(await codeOf(rollouts.resume(action.payload, { id: proposed.approval_id }))).toBe('proposal_not_approved')
  expect(await codeOf(rollouts.resume(action.payload, { id: 'made-up' }))).toBe('approval_missing')
  expect(await codeOf(rollouts.resume({ proposal: 'c9' }, {}))).toBe('proposal_missing')
  expect(gate.root.read(SHOP)).toBe(answering(5))
})

it('of several modules one is refused: all bytes go back, and nothing changed for callers', async () => {
  gate.root.write('configs/depot.yml', '')
  gate.root.write('modules/depot.mjs', answering(1, 'depot'))
  await gate.system.live('depot')
  const broken = moduleOf(`init() { throw new Error('no stock') }\n  word() { return 'never' }`)
  const proposed = await gate.propose(SHOP, NEW, {
    edits: [edit(SHOP, NEW, gate.hashOf(SHOP)), edit('modules/depot.mjs', broken, gate.hashOf('modules/depot.mjs'))],
  })
  const failed = await gate.approve(proposed)
  expect(failed).toMatchObject({ state: 'failed' })
  expect(failed.message).toContain('no stock')
  const { outcome } = await gate.approvals.show(String(proposed.approval_id))
  expect(outcome).toMatchObject({ ok: false, value: { code: 'proposal_failed' } })
  expect(gate.root.read(SHOP)).toBe(answering(5))
  expect(gate.root.read('modules/depot.mjs')).toBe(answering(1, 'depot'))
  expect(await word()).toBe('old')
  expect((await gate.system.show('shop')).stale).toBe(false)
})

it('a new module and its config land together, and go together', async () => {
  const proposed = await gate.propose('modules/till.mjs', answering(1, 'till'), {
    service: 'till',
    edits: [edit('modules/till.mjs', answering(1, 'till'), null), edit('configs/till.yml', 'description: new\n', null)],
  })
  expect(await gate.approve(proposed)).toMatchObject({ state: 'watching', touches: ['till'], generations: { till: 1 } })
  expect(await gate.system.getApi<{ word(): string }>('till').word()).toBe('till')
  await gate.rollouts.undo(proposed.id, { by: 'ada' })
  for (const path of ['modules/till.mjs', 'configs/till.yml'])
    expect(existsSync(join(gate.root.path, path))).toBe(false)
  expect(Object.keys(gate.system.kernel.status().services)).not.toContain('till')
})

it('rejected and expired requests are shown so', async () => {
  const first = await gate.propose(SHOP, NEW)
  await gate.approvals.reject(String(first.approval_id), { by: 'ada', token: TOKEN, reason: 'too risky' })
  expect(await gate.until(first.id, 'rejected')).toMatchObject({ message: 'ada said no: too risky' })
  const second = await gate.propose(SHOP, answering(2, 'other'))
  gate.clock.skip(8 * 86_400_000)
  expect(await gate.until(second.id, 'expired')).toMatchObject({ message: 'nobody decided in time' })
})

it('the same proposal twice is one, with one question to a person', async () => {
  const first = await gate.propose(SHOP, NEW)
  expect(await gate.propose(SHOP, NEW)).toMatchObject({ id: first.id, occurrences: 2, approval_id: first.approval_id })
  expect(await gate.approvals.list()).toHaveLength(1)
  const keyed = await gate.propose(SHOP, answering(2), { key: 'idea' })
  expect((await gate.propose(SHOP, answering(3), { key: 'idea' })).id).toBe(keyed.id)
})

it('who says he is a person shows the token; a person needs no approval, and no way round NEVER', async () => {
  const rollouts = gate.rollouts
  const input = {
    origin: 'human' as const,
    actor: 'ada',
    service: 'shop',
    title: 'mine',
    intent: 'mine',
    edits: [edit(SHOP, NEW, gate.hashOf(SHOP))],
  }
  expect(await codeOf(rollouts.submit(input))).toBe('operator_only')
  expect(await codeOf(rollouts.submit(input, { token: 'guess' }))).toBe('operator_only')
  expect(await rollouts.submit(input, { token: TOKEN })).toMatchObject({ state: 'watching', approval_id: null })
  const bad = { ...input, edits: [edit('configs/policy.yml', '', gate.hashOf('configs/policy.yml'))] }
  expect(await rollouts.submit(bad, { token: TOKEN })).toMatchObject({ state: 'refused' })
})

it('what cannot be read is refused with the reason, and nothing is recorded', async () => {
  const rollouts = gate.rollouts
  const cases: [Partial<Parameters<RolloutsApi['submit']>[0]>, string][] = [
    [{ edits: [] }, 'bad_arguments'],
    [{ origin: 'robot' as never }, 'bad_arguments'],
    [{ edits: [edit(SHOP, NEW, null), edit(SHOP, NEW, null)] }, 'bad_arguments'],
    [{ edits: [edit(SHOP, gate.root.read(SHOP), gate.hashOf(SHOP))] }, 'bad_arguments'],
    [{ edits: [edit(SHOP, 'x'.repeat(1_100_000), gate.hashOf(SHOP))] }, 'bad_arguments'],
    [{ edits: [edit('../outside.ts', NEW, null)] }, 'path_outside'],
  ]
  for (const [more, code] of cases) expect(await codeOf(gate.propose(SHOP, NEW, more))).toBe(code)
  expect(await rollouts.list()).toEqual({ proposals: [] })
  expect(await codeOf(rollouts.show('c1'))).toBe('proposal_missing')
  expect(await codeOf(rollouts.undo('x', { by: 'ada' }))).toBe('proposal_missing')
})

it('more than may be open are refused', async () => {
  gate.root.write('configs/rollouts.yml', `${ROLLOUTS}open_max: 1\n`)
  await gate.system.live('rollouts', 2)
  await gate.propose(SHOP, NEW)
  expect(await codeOf(gate.propose(SHOP, answering(2)))).toBe('proposals_full')
})

it('Aetherra 35: too many taken back pause new ones of the system, and never a way back or a person', async () => {
  gate.root.write('configs/rollouts.yml', `${ROLLOUTS}restores_max: 1\npause_ms: ${100 * WINDOW_MS}\n`)
  await gate.system.live('rollouts', 2)
  // nobody calls it: that is no success
  const { id } = await gate.approve(await gate.propose(SHOP, NEW))
  const restored = gate.until(id, 'restored')
  await vi.waitFor(() =>
    gate.rollouts.show(id).then(({ state }) => {
      gate.clock.skip(WINDOW_MS)
      expect(state).toBe('restored')
    }),
  )
  await restored
  expect(await codeOf(gate.propose(SHOP, NEW))).toBe('changes_paused')
  const own = { origin: 'human' as const, actor: 'ada', service: 'shop', title: 'mine', intent: 'mine' }
  const mine = await gate.rollouts.submit({ ...own, edits: [edit(SHOP, NEW, gate.hashOf(SHOP))] }, { token: TOKEN })
  expect(mine.state).toBe('watching')
  expect(await gate.rollouts.undo(mine.id, { by: 'ada' })).toMatchObject({ state: 'undone' })
  gate.clock.skip(101 * WINDOW_MS)
  expect(await gate.propose(SHOP, answering(2))).toMatchObject({ state: 'waiting' })
})

it('without the ledger nothing is proposed, nor applied', async () => {
  gate.root.write('configs/ledger.yml', 'prog: control/ledger\nentry_bytes_max: 50\n')
  await gate.system.live('ledger', 2)
  expect(await codeOf(gate.propose(SHOP, NEW))).toBe('ledger_entry_invalid')
  expect(await gate.rollouts.list()).toEqual({ proposals: [] })
})

it('a frozen system takes no proposals of its own, and what was approved waits; ways back stay open', async () => {
  const live = await gate.approve(await gate.propose(SHOP, NEW))
  gate.root.write('configs/box.yml', '')
  gate.root.write('modules/box.mjs', answering(1, 'box'))
  await gate.system.live('box')
  const waiting = await gate.propose('modules/box.mjs', answering(2, 'next'), { service: 'box' })
  gate.root.write('runtime/FREEZE', 'self\n')
  gate.system.switchboard.frozen = 'self'
  expect(await codeOf(gate.propose('modules/box.mjs', answering(3)))).toBe('frozen')
  expect(await gate.approve(waiting)).toMatchObject({ state: 'queued', message: expect.stringContaining('frozen') })
  expect(await gate.rollouts.undo(live.id, { by: 'ada' })).toMatchObject({ state: 'undone' })
  expect(await word()).toBe('old')
  gate.root.remove('runtime/FREEZE')
  gate.system.switchboard.frozen = 'none'
  expect(await gate.until(waiting.id, 'watching')).toMatchObject({ state: 'watching' })
})
