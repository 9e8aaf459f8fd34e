/** The gate from the command line: what waits, deciding, what would be allowed, and the record of it. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { approvalOf, startGate, type Gate } from '../control/gate-system.ts'
import { mmHere } from '../support/cli.ts'
import type { CommandResult } from '../support/process.ts'

const EDIT = { service: 'loop', set: { speed: 2 } }
const CODE = { path: 'modules/other.ts', content: 'export class Module { n = 1 }\n' }

let gate: Gate
beforeEach(async () => {
  gate = await startGate()
})
afterEach(() => gate.stop())

const mm = (...args: string[]): Promise<CommandResult> => mmHere(gate.root.path, ...args)
const out = async (...args: string[]): Promise<string> => (await mm(...args)).stdout

it('what waits is listed and shown, and approving does it', async () => {
  expect(await out('approvals')).toBe('nothing waits for a decision\n')
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  expect(await out('approvals')).toMatch(new RegExp(`${id} +assistant +MODERATE .*config_edit`))
  expect(await out('approvals', id)).toMatch(/state +pending[\s\S]*configs\/loop.yml: speed 1 → 2/)
  const done = await mm('approve', id)
  expect([done.code, done.stdout]).toMatchObject([0, expect.stringMatching(/^approved and done: assistant would call/)])
  expect(gate.root.read('configs/loop.yml')).toContain('speed: 2 # of the loop')
  expect(await mm('approve', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('approved already') as string,
  })
})

it('a critical one is confirmed twice, the second time with a reason', async () => {
  const id = approvalOf(await gate.asModel('filesystem_write_file', CODE))
  expect(await out('approve', id)).toMatch(/^confirmed once: [\s\S]*--reason/)
  expect(gate.root.read('modules/other.ts')).not.toContain('n = 1')
  expect(await mm('approve', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('written reason') as string,
  })
  expect((await mm('approve', id, '--reason', 'looked at it')).code).toBe(0)
  expect(gate.root.read('modules/other.ts')).toBe(CODE.content)
  expect(await out('ledger', 'tail', '--action', 'approval_approved')).toMatch(/approval_approved .*looked at it/)
})

it('one is denied with a reason; unknown ones and wrong words are refused', async () => {
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  expect((await mm('deny', id)).code).toBe(2)
  expect(await out('deny', id, '--reason', 'no')).toMatch(/^rejected: /)
  expect((await mm('approve', 'nothing')).code).toBe(1)
  expect((await mm('approve', id, '--scope', 'everything')).code).toBe(2)
  expect((await mm('approve', id, '--for', 'ever')).code).toBe(2)
  expect(gate.root.read('configs/loop.yml')).toContain('speed: 1')
})

it('what would be allowed, and which rule says so', async () => {
  expect(await mm('policy', 'check', 'configs/control/policy.yml')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^NEVER +gate_config/) as string,
  })
  expect(await out('policy', 'check', 'modules/new.ts')).toMatch(/^HUMAN_REVIEW /)
  expect(await out('policy', 'check', '--tool', 'filesystem_read_file', 'path=notes.txt')).toMatch(/^AUTO_APPROVE /)
  expect(await out('policy', 'show')).toMatch(/autonomy +supervised[\s\S]*profile +standard/)
  await gate.policy('profile: dev\n')
  expect(await out('policy', 'check', 'configs/loop.yml', 'harness.retry_limit=12')).toMatch(/^AUTO_APPROVE /)
  expect(await out('policy', 'explain', 'configs/loop.yml', 'harness.retry_limit=13')).toMatch(
    /^HUMAN_REVIEW by loosened_far[\s\S]*autonomy\/autonomy_semi/,
  )
  expect((await mm('policy', 'check')).code).toBe(2)
  expect((await mm('policy', 'check', 'configs/loop.yml', 'nothing')).code).toBe(2)
})

it('the ledger is read, checked, written out, and says when it is not what was written', async () => {
  expect(await out('ledger', 'tail')).toBe('nothing has been recorded yet\n')
  expect(await out('ledger', 'evolution')).toBe('no cycle has been recorded yet\n')
  const ledger = gate.getApi<{ append(entry: object): object }>('ledger')
  const entry = { actor: 'loop', origin: 'self', resource: 'service:loop' }
  for (const [cycle, outcome] of [
    ['7', 'failed'],
    ['8', 'ok'],
  ] as const) {
    await ledger.append({ ...entry, action: 'cycle_started', outcome: 'ok', cycle })
    await ledger.append({ ...entry, action: 'cycle_ended', outcome, cycle })
  }
  const exported = (await out('ledger', 'export')).trim().split('\n')
  expect(exported.map((line) => (JSON.parse(line) as { sequence: number }).sequence)).toEqual([1, 2, 3, 4])
  expect(await out('ledger', 'evolution')).toMatch(/8 .*ok +3–4 .*cycle_started → cycle_ended\n7 .*failed +1–2/)
  expect((await out('ledger', 'evolution', '--jsonl')).trim().split('\n')).toHaveLength(2)
  expect((await out('ledger', 'replay', '7')).split('\n')).toHaveLength(3)
  expect((await mm('--json', 'ledger', 'replay', '9')).stderr).toContain('cycle_unknown')
  expect(await mm('ledger', 'verify')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^4 entries/) as string })
  gate.root.write('runtime/control/ledger.head', '{}')
  expect(await mm('ledger', 'verify')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('head_altered') as string,
  })
})

it('AROS clients see what waits, approve and reject it', async () => {
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  const other = approvalOf(await gate.asModel('config_edit', { ...EDIT, set: { 'harness.retry_limit': 14 } }))
  const { body } = await gate.ask<{ pending: object[]; count: number }>('GET', '/api/meta-loop/pending-approvals')
  expect(body.count).toBe(2)
  expect(body.pending).toContainEqual({
    change_id: other,
    section: 'harness',
    key: 'retry_limit',
    old_value: 10,
    new_value: 14,
    reason: expect.any(String) as string,
    status: 'pending_review',
    created_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
  })
  const post = (way: string, given: object = {}): Promise<object> => gate.ask('POST', `/api/meta-loop/${way}`, given)
  expect(await post(`approve/${other}`)).toEqual({ status: 200, body: { status: 'approved', change_id: other } })
  expect(gate.root.read('configs/loop.yml')).toContain('retry_limit: 14')
  expect(await post(`approve/${other}`)).toMatchObject({ status: 409 })
  expect(await post('approve/none')).toMatchObject({ status: 404 })
  expect(await post(`approve/${id}`)).toMatchObject({ status: 409, body: { error: { code: 'approval_stale' } } })
  expect(await post(`reject/${id}`)).toMatchObject({ status: 400, body: { error: { code: 'approval_reason' } } })
  expect(await post(`reject/${id}`, { reason: 'old' })).toMatchObject({ body: { status: 'rejected' } })
  const last = approvalOf(await gate.asModel('config_edit', { service: 'loop', remove: ['speed'] }))
  await gate.policy('autonomy: locked\n')
  expect(await post(`approve/${last}`)).toMatchObject({ status: 409, body: { error: { code: 'approval_failed' } } })
})
