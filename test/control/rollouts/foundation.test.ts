/** Proposals that build on others: when they are applied, and in what order they go back. SynthOrg 35. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Proposal, ProposalInput } from '../../../modules/contracts/proposals.ts'
import { rejection } from '../../support/system.ts'
import { answering, startGate, TOKEN, UNTIMED, WINDOW_MS, type Gate } from './gate.ts'

const SHOP = 'modules/shop.mjs'
const BOX = 'modules/box.mjs'

let gate: Gate
beforeEach(async () => {
  gate = await startGate({
    ...UNTIMED,
    'configs/box.yml': '',
    [BOX]: answering(1, 'box'),
  })
})
afterEach(() => gate.stop())

const codeOf = async (work: Promise<unknown>): Promise<string> => (await rejection(work)).code

/** Of `shop`, live and kept for good. */
async function confirmed(word: string, more: Partial<ProposalInput> = {}): Promise<Proposal> {
  const stop = gate.traffic()
  await gate.calls(60)
  const { id } = await gate.approve(await gate.propose(SHOP, answering(5, word), more))
  await gate.calls(60)
  gate.clock.skip(WINDOW_MS)
  const kept = await gate.until(id, 'confirmed')
  await stop()
  return kept
}

it('SynthOrg 35: what builds on a change goes back before it, and where it cannot, nothing goes back', async () => {
  const first = await confirmed('one')
  const second = await confirmed('two', { builds_on: [first.id] })
  const third = await confirmed('three', { builds_on: [second.id] })
  gate.root.write(SHOP, answering(5, 'mine'))
  expect(await codeOf(gate.rollouts.undo(first.id, { by: 'ada' }))).toBe('file_changed')
  expect(gate.root.read(SHOP)).toBe(answering(5, 'mine'))
  gate.root.write(SHOP, answering(5, 'three'))
  expect(await gate.rollouts.undo(first.id, { by: 'ada' })).toMatchObject({ state: 'undone' })
  expect(gate.root.read(SHOP)).toBe(answering(5))
  const message = `ada took it back: ${first.id}, which it builds on, is taken back`
  for (const { id } of [second, third]) expect(await gate.rollouts.show(id)).toMatchObject({ state: 'undone', message })
  const backs = async ({ id }: Proposal): Promise<number[]> =>
    (await gate.entries(id)).filter(({ action }) => action === 'change_undone').map(({ sequence }) => sequence)
  const inOrder = [...(await backs(third)), ...(await backs(second)), ...(await backs(first))]
  expect(inOrder).toHaveLength(6)
  expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b))
})

it('what builds on a change that is still measured waits for its verdict, and is refused when that goes back', async () => {
  const first = await gate.approve(await gate.propose(SHOP, answering(1, 'one')))
  const proposed = await gate.propose(BOX, answering(1, 'two'), { service: 'box', builds_on: [first.id] })
  const waits = await gate.approve(proposed)
  expect(waits).toMatchObject({ state: 'queued', message: `${first.id}, which it builds on, is watching` })
  await gate.rollouts.undo(first.id, { by: 'ada' })
  expect(await gate.until(waits.id, 'refused')).toMatchObject({ message: `${first.id}, which it builds on, is undone` })
  expect([gate.root.read(SHOP), gate.root.read(BOX)]).toEqual([answering(5), answering(1, 'box')])
})

it('what builds on nothing that is there is refused at once', async () => {
  expect(await codeOf(gate.propose(BOX, answering(1, 'two'), { builds_on: ['c99'] }))).toBe('proposal_missing')
  const { id, approval_id } = await gate.propose(SHOP, answering(1, 'one'))
  await gate.approvals.reject(String(approval_id), { by: 'ada', reason: 'no', token: TOKEN })
  await gate.until(id, 'rejected')
  expect(await codeOf(gate.propose(BOX, answering(1, 'two'), { builds_on: [id] }))).toBe('proposal_not_live')
})
