/** Proposed changes from outside: over HTTP and from the command line, with the roots' files. AROS 25, 27; GRACE 20, 24. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Proposal } from '../../../modules/contracts/proposals.ts'
import { shortHash } from '../../../modules/lib/hash.ts'
import { mmHere } from '../../support/cli.ts'
import { startGate, type Gate } from '../gate-system.ts'

const FILES = {
  'configs/control/rollouts.yml': 'api: rollouts\nwindow_ms: 3600000\nsamples_min: 20\ncheck_ms: 20\nsettle_ms: 0\n',
  'configs/history.yml': 'prog: services/history\n',
}
const LOOP = 'configs/loop.yml'
const OTHER = 'modules/other.ts'

let gate: Gate
beforeEach(async () => {
  gate = await startGate(FILES)
})
afterEach(() => gate.stop())

const mm = (...args: string[]) => mmHere(gate.root.path, ...args)
const propose = (path: string, text: string, more: object = {}) =>
  gate.ask<Proposal>('POST', '/api/changes', {
    origin: 'self',
    actor: 'improver',
    service: 'loop',
    title: `change ${path}`,
    intent: 'make it better',
    edits: [{ path, base_hash: shortHash(gate.root.read(path)), text }],
    ...more,
  })
const loopWith = (limit: number): string => gate.root.read(LOOP).replace(/retry_limit: \d+/, `retry_limit: ${limit}`)

it('AROS 27: with autonomy semi, of an AUTO and a HUMAN change only the AUTO one is on disk; by default both wait', async () => {
  const waiting = await propose(LOOP, loopWith(11))
  expect(waiting.body).toMatchObject({ state: 'waiting' })
  await gate.deny(String(waiting.body.approval_id))
  await gate.policy('profile: dev\n')
  const auto = await propose(LOOP, loopWith(12))
  expect(auto.body).toMatchObject({ state: 'watching', verdict: { tier: 'AUTO_APPROVE' }, approval_id: null })
  const human = await propose(OTHER, 'export class Module { n = 1 }\n')
  expect(human.body).toMatchObject({ state: 'waiting', verdict: { tier: 'HUMAN_REVIEW' } })
  expect(gate.root.read(LOOP)).toContain('retry_limit: 12')
  expect(gate.root.read(OTHER)).toBe('export class Module {}\n')
})

it('AROS 28: steps of the system are measured from what a person approved last, so that they do not add up', async () => {
  await gate.policy('profile: dev\n')
  const first = await propose(LOOP, loopWith(12), { verify: { samples_min: 20 } })
  expect(first.body.state).toBe('watching')
  // nobody calls it: it is taken back; and the distance is the same as before
  const back = await gate.ask<Proposal>('POST', `/api/changes/${first.body.id}/undo`, { by: 'ada' })
  expect(back.body.state).toBe('undone')
  const again = await propose(LOOP, loopWith(12), { key: 'again' })
  expect(again.body).toMatchObject({ state: 'watching' })
  const second = await propose(LOOP, loopWith(14))
  expect(second.body).toMatchObject({ state: 'waiting', verdict: { rule: 'loosened_far' } })
})

it('AROS 25: NEVER is refused and recorded, and no file changes', async () => {
  const refused = await propose('configs/control/rollouts.yml', 'api: rollouts\nsamples_min: 1\n')
  expect(refused.body).toMatchObject({ state: 'refused', verdict: { tier: 'NEVER', rule: 'gate_config' } })
  expect(gate.root.read('configs/control/rollouts.yml')).toBe(FILES['configs/control/rollouts.yml'])
  const entries = await gate.entries()
  expect(entries.at(-1)).toMatchObject({ action: 'change_proposed', outcome: 'refused', cycle: refused.body.id })
})

it('GRACE 20: pending is applied only after somebody approved it; unknown ids and wrong input are 4xx', async () => {
  const { body } = await propose(OTHER, 'export class Module { n = 1 }\n')
  expect((await gate.approve(String(body.approval_id))).body.state).toBe('pending')
  expect((await gate.approve(String(body.approval_id), { note: 'looked at it' })).body.state).toBe('approved')
  expect((await gate.ask<Proposal>('GET', `/api/changes/${body.id}`)).body).toMatchObject({
    state: 'watching',
    approved_by: 'ada',
  })
  expect(gate.root.read(OTHER)).toContain('n = 1')
  expect(await gate.ask('GET', '/api/changes/c99')).toMatchObject({
    status: 404,
    body: { error: { code: 'proposal_missing' } },
  })
  expect(await gate.ask('POST', '/api/changes/c99/undo')).toMatchObject({ status: 404 })
  expect((await gate.ask('GET', '/api/changes?state=odd')).status).toBe(400)
  expect((await propose(OTHER, 'x', { edits: [] })).status).toBe(400)
  expect((await propose(OTHER, 'x', { edits: [{ path: OTHER, base_hash: 'other', text: 'x' }] })).status).toBe(409)
})

it('mm changes lists them beside what happened, mm show change says all, mm undo takes one back', async () => {
  const before = gate.root.read(OTHER)
  const { body } = await propose(OTHER, 'export class Module { n = 1 }\n')
  const id = body.id
  expect((await mm('changes')).stdout).toMatch(new RegExp(`${id} +waiting +loop +change ${OTHER}: a person decides`))
  expect((await mm('show', 'change', id)).stdout).toMatch(
    /HUMAN_REVIEW by [\s\S]*\+export class Module \{ n = 1 \}[\s\S]*mm approve/,
  )
  await gate.approve(String(body.approval_id))
  await gate.approve(String(body.approval_id), { note: 'looked at it' })
  expect(JSON.parse((await mm('changes', '--proposed', '--json')).stdout)).toMatchObject([{ id, state: 'watching' }])
  const undone = await mm('undo', id, '--reason', 'not now')
  expect([undone.code, undone.stdout]).toEqual([0, `${id}  undone  loop: the bytes before it are back\n`])
  expect(gate.root.read(OTHER)).toBe(before)
  expect(await mm('undo', id)).toMatchObject({ code: 1, stderr: expect.stringContaining('not now') as string })
  expect(await mm('undo', 'c99')).toMatchObject({ code: 1, stderr: expect.stringContaining('no proposal') as string })
  expect((await mm('show', 'thing', id)).code).toBe(2)
  expect((await mm('show', 'loop')).stdout).toContain('configs/loop.yml')
})

it('a person’s own needs nobody; the token of a program does not make it one', async () => {
  const own = await propose(OTHER, 'export class Module { n = 2 }\n', { origin: 'human' })
  expect(own.body).toMatchObject({ origin: 'human', state: 'watching', approval_id: null })
})
