/** A model's tool call at the gate: what it changes waits for a person, and is then done exactly so, and once. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ApprovalsApi } from '../../../modules/contracts/approvals.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { rejection, startSystem } from '../../support/system.ts'
import { approvalOf, codeOf, startGate, type Gate } from '../gate-system.ts'

const SPY = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  ran = 0
  getAspect(name) {
    if (name !== 'tool') return undefined
    return {
      bump: tool({ description: 'Counts.', params: z.object({ by: z.number().default(1) }), run: ({ by }) => ({ ran: this.ran += by }) }),
      read: tool({ description: 'Reads.', params: z.object({}), read_only: true, run: () => ({ ran: this.ran }) }),
    }
  }
}
`
const EDIT = { service: 'loop', set: { speed: 2 } }
const speed = (): string => /speed: (\d)/.exec(gate.root.read('configs/loop.yml'))?.[1] ?? ''
const actions = async (): Promise<string[]> =>
  (await gate.entries()).map(({ action, outcome }) => `${action} ${outcome}`)

let gate: Gate
beforeEach(async () => {
  gate = await startGate({ 'configs/spy.yml': '', 'modules/spy.ts': SPY })
})
afterEach(() => gate.stop())

it('what a model wants changed waits, with its diff; approved, it is done once and its outcome is told', async () => {
  const asked = await gate.asModel('config_edit', EDIT)
  expect(asked).toMatchObject({ error: { code: 'tool_waits', hint: expect.stringContaining('mm approve') as string } })
  const id = approvalOf(asked)
  expect(await gate.ask('GET', `/api/approvals/${id}`)).toMatchObject({
    body: { state: 'pending', target: 'loop', actor: 'assistant', diff: 'configs/loop.yml: speed 1 → 2' },
  })
  expect(speed()).toBe('1')
  const { status, body } = await gate.approve(id)
  expect([status, body.state, body.outcome]).toMatchObject([
    200,
    'approved',
    { ok: true, value: { changed: ['speed'] } },
  ])
  expect(speed()).toBe('2')
  expect(gate.root.read('configs/loop.yml')).toContain('# of the loop')
  expect((await gate.approve(id)).body.error?.code).toBe('approval_decided')
  expect(await actions()).toEqual([
    'policy_decided HUMAN_REVIEW',
    'approval_requested pending',
    'approval_approved approved',
    'tool_call_started ok',
    'approval_done ok',
  ])
})

it("the same call from a person's own hand is not judged", async () => {
  expect(await gate.asPerson('config_edit', EDIT)).toMatchObject({ status: 200 })
  expect(speed()).toBe('2')
  expect(await gate.entries()).toEqual([])
})

it('a name proves nothing: without the token, a call is the system’s own', async () => {
  const invoke = (options: object): Promise<unknown> =>
    gate.ask('POST', '/api/services/tools/call', { method: 'invoke', args: ['config_edit', EDIT, options] })
  const refused = (code: string): object => ({ body: { result: { error: { code } } } })
  expect(await invoke({ caller: 'http' })).toMatchObject(refused('tool_waits'))
  expect(await invoke({ caller: 'http', operator: 'a guess' })).toMatchObject(refused('operator_only'))
  expect(await invoke({ caller: 'assistant', permit: 'a guess' })).toMatchObject(refused('tool_refused'))
  expect(speed()).toBe('1')
})

it('asked for again it is the same request; rejected, the model is told why, until that has run out', async () => {
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  expect(approvalOf(await gate.asModel('config_edit', EDIT))).toBe(id)
  expect(approvalOf(await gate.asModel('config_edit', { ...EDIT, set: { speed: 3 } }))).not.toBe(id)
  expect((await gate.deny(id, '')).body.error?.code).toBe('approval_reason')
  expect((await gate.deny(id, 'too fast')).body.state).toBe('rejected')
  expect(await gate.asModel('config_edit', EDIT)).toMatchObject({
    error: { code: 'tool_refused', message: expect.stringContaining('too fast') as string },
  })
  gate.skip(8 * 86_400_000)
  expect(approvalOf(await gate.asModel('config_edit', EDIT))).not.toBe(id)
})

it('what has changed since it was looked at cannot be approved', async () => {
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  gate.root.write('configs/loop.yml', 'prog: other\nspeed: 5\n')
  expect(await gate.approve(id)).toMatchObject({ status: 409, body: { error: { code: 'approval_stale' } } })
  expect((await gate.ask<{ state: string }>('GET', `/api/approvals/${id}`)).body.state).toBe('pending')
  expect(speed()).toBe('5')
})

it('a standing approval lets the like through, and on record', async () => {
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  await gate.approve(id, { scope: 'service', expires_in_ms: 3_600_000 })
  expect(codeOf(await gate.asModel('config_edit', { ...EDIT, set: { speed: 3 } }))).toBe('success')
  expect(speed()).toBe('3')
  expect((await gate.entries()).at(-1)).toMatchObject({ action: 'tool_call_allowed', resource: 'loop' })
  gate.skip(3_700_000)
  expect(codeOf(await gate.asModel('config_edit', { ...EDIT, set: { speed: 4 } }))).toBe('tool_waits')
})

it('what never happens does not happen because it was approved before it became so', async () => {
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  await gate.policy("rules: [{name: hands_off, tier: NEVER, path: 'configs/loop*'}]\n")
  const { body } = await gate.approve(id)
  expect(body.outcome).toMatchObject({ ok: false, value: { code: 'tool_refused' } })
  expect(JSON.stringify(body.outcome)).toContain('hands_off')
  expect(speed()).toBe('1')
})

it('only what was approved is run by the method that runs it', async () => {
  const policy = gate.getApi<{ run_parked(payload: object, approval: object): unknown }>('policy')
  const payload = { tool: 'config_edit', params: EDIT, caller: 'assistant' }
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  expect((await rejection(policy.run_parked(payload, { id }))).code).toBe('operator_only')
  await gate.approve(id)
  expect((await rejection(policy.run_parked(payload, { id }))).code).toBe('operator_only')
  expect((await rejection(policy.run_parked(payload, { id: 'none' }))).code).toBe('approval_missing')
})

it('a call that had begun when the process ended is not made again', async () => {
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  const { body } = await gate.approve(id)
  await gate.kernel.stop('test', 2_000)
  const file = `${gate.root.path}/runtime/control/approvals.db`
  const connection = await openDatabase(file, 1_000)
  const cut = JSON.stringify({ ...body, outcome: null })
  connection.prepare('UPDATE approvals SET done = 0, record = ? WHERE id = ?').run([cut, id])
  connection.close()
  const again = await startSystem(gate.root)
  const approvals = again.getApi<ApprovalsApi>('approvals')
  await expect
    .poll(async () => (await approvals.show(id)).outcome)
    .toMatchObject({ ok: false, value: { code: 'approval_interrupted' } })
  await again.kernel.stop('test', 2_000)
})

it('in the strict profile each call waits that does not say it only reads', async () => {
  expect(codeOf(await gate.asModel('spy_bump', {}))).toBe('success')
  await gate.policy('profile: strict\n')
  const waits = await gate.asModel('spy_bump', { by: 5 })
  expect(await gate.asModel('spy_read', {})).toMatchObject({ value: { ran: 1 } })
  expect((await gate.approve(approvalOf(waits))).body.outcome).toEqual({ ok: true, value: { ran: 6 } })
})

it('with its ledger broken the gate is closed and says so, and serving goes on', async () => {
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  const ledger = await openDatabase(`${gate.root.path}/runtime/control/ledger.db`, 1_000)
  ledger.prepare(`UPDATE entries SET text = replace(text, 'assistant', 'somebody') WHERE sequence = 1`).run([])
  ledger.close()
  expect(await gate.verify()).toMatchObject({ valid: false, at: 1, fault: 'altered' })
  expect(await gate.asModel('config_edit', EDIT)).toMatchObject({
    error: { code: 'tool_hook_failed', message: expect.stringContaining('nothing is recorded') as string },
  })
  expect((await gate.approve(id)).body.error?.code).toBe('ledger_broken')
  expect(speed()).toBe('1')
  expect(await gate.asModel('spy_read', {})).toMatchObject({ value: { ran: 0 } })
  expect(codeOf(await gate.asModel('filesystem_write_file', { path: 'notes.txt', content: 'x' }))).toBe('success')
})
