/** What becomes of a proposal when the process ends in the middle, when its service is reloaded, and when the way back fails. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Proposal } from '../../../modules/contracts/proposals.ts'
import type { GoingBack } from '../../../modules/control/rollouts/store.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { rejection } from '../../support/system.ts'
import { answering, edit, startGate, UNTIMED, WINDOW_MS, type Gate } from './gate.ts'

const SHOP = 'modules/shop.mjs'
const BOX = 'modules/box.mjs'
const NEW = answering(1, 'new')
const BACK: GoingBack = { to: 'restored', reason: 'worse', by: 'rollouts', origin: 'system' }

let gate: Gate
beforeEach(async () => {
  gate = await startGate({
    ...UNTIMED,
    'configs/box.yml': '',
    [BOX]: answering(1, 'box'),
  })
})
afterEach(() => gate.stop())

const both = async (): Promise<Proposal> =>
  gate.approve(
    await gate.propose(SHOP, NEW, {
      edits: [edit(SHOP, NEW, gate.hashOf(SHOP)), edit(BOX, NEW, gate.hashOf(BOX))],
    }),
  )

/** As a process leaves it that is killed: its file says this, and the disk that. */
async function leave(proposal: Proposal, record: Partial<Proposal>, going_back: GoingBack | null): Promise<void> {
  await gate.system.kernel.stop('test', 2_000)
  const file = await openDatabase(join(gate.root.path, 'runtime/control/rollouts.db'), 1_000)
  const sql = `UPDATE proposals SET state = ?, open = 1, record = ?, inside = json_set(inside, '$.going_back', json(?)) WHERE number = 1`
  const left = { ...proposal, ...record }
  file.prepare(sql).run([left.state, JSON.stringify(left), JSON.stringify(going_back)])
  file.close()
}

it('what waits can be approved after a restart, and what is live is watched and can be undone', async () => {
  const waiting = await gate.propose(BOX, NEW, { service: 'box' })
  const live = await gate.approve(await gate.propose(SHOP, NEW))
  await gate.restart()
  expect(await gate.rollouts.show(waiting.id)).toMatchObject({ state: 'waiting' })
  expect(await gate.approve(waiting)).toMatchObject({ state: 'watching' })
  expect(await gate.rollouts.show(live.id)).toMatchObject({ state: 'watching', before: live.before })
  expect(await gate.rollouts.undo(live.id, { by: 'ada' })).toMatchObject({ state: 'undone' })
  expect(gate.root.read(SHOP)).toBe(answering(5))
})

it('AROS 35: what was half written when the process was killed goes back whole at the next start', async () => {
  const proposal = await both()
  await leave(proposal, { state: 'applying' }, null)
  gate.root.write(BOX, answering(1, 'box'))
  await gate.restart()
  expect(await gate.until(proposal.id, 'failed')).toMatchObject({ message: 'the process ended while it was applied' })
  expect([gate.root.read(SHOP), gate.root.read(BOX)]).toEqual([answering(5), answering(1, 'box')])
  expect(await gate.system.getApi<{ word(): string }>('shop').word()).toBe('old')
})

it('a way back that was begun is gone to its end', async () => {
  const proposal = await both()
  await leave(proposal, {}, BACK)
  gate.root.write(SHOP, answering(5))
  await gate.restart()
  expect(await gate.until(proposal.id, 'restored')).toMatchObject({ message: 'worse' })
  expect(gate.root.read(BOX)).toBe(answering(1, 'box'))
})

it('GRACE 25: a way back that fails is urgent, freezes what the system proposes, and is tried until it works', async () => {
  const proposal = await both()
  await leave(proposal, {}, BACK)
  rmSync(join(gate.root.path, BOX))
  mkdirSync(join(gate.root.path, BOX))
  await gate.restart()
  const { data } = await gate.system.happened('proposal.alarm')
  expect(data).toMatchObject({ id: proposal.id, priority: 'urgent' })
  expect(existsSync(join(gate.root.path, 'runtime/FREEZE'))).toBe(true)
  expect((await rejection(gate.propose(SHOP, answering(2)))).code).toBe('frozen')
  rmSync(join(gate.root.path, BOX), { recursive: true })
  gate.root.write(BOX, NEW)
  await gate.until(proposal.id, 'restored')
  expect([gate.root.read(SHOP), gate.root.read(BOX)]).toEqual([answering(5), answering(1, 'box')])
  expect((await gate.entries(proposal.id)).map(({ action }) => action)).toContain('change_stuck')
})

it('a reload of the service itself, under load, loses nothing of what is measured', async () => {
  const stopTraffic = gate.traffic()
  await gate.calls(60)
  const { id } = await gate.approve(await gate.propose(SHOP, `// the same\n${answering(5)}`))
  await gate.calls(60)
  const { error } = await gate.system.reload('rollouts')
  expect(error).toBeNull()
  gate.clock.skip(WINDOW_MS)
  expect(await gate.until(id, 'confirmed')).toMatchObject({ verifications: [{ round: 1 }] })
  await stopTraffic()
})
