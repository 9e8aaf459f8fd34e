/** Rows of AROS: which changes go through, which wait, which never happen; driven from outside. */
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ApprovalRequest, ApprovalsApi } from '../../../modules/contracts/approvals.ts'
import type { FilesystemApi } from '../../../modules/contracts/services.ts'
import type { Tier } from '../../../modules/contracts/policy.ts'
import type { Json } from '../../../modules/contracts/seams.ts'
import { rejection } from '../../support/system.ts'
import { approvalOf, codeOf, signed, startGate, type Gate } from '../gate-system.ts'

const SEMI = 'autonomy: semi\nproduction: false\n'
const edit = (set: Record<string, Json>): object => ({ service: 'loop', set })
const retryLimit = (): number => Number(/retry_limit: ([\d.]+)/.exec(gate.root.read('configs/loop.yml'))?.[1])

let gate: Gate
beforeEach(async () => {
  gate = await startGate()
})
afterEach(() => gate.stop())

it('AROS 24: each value is classified by its own direction, from the value that was approved', async () => {
  const directions = 'directions: {harness.n: {tighter: neither}, critic.threshold: {tighter: neither}}\n'
  await gate.policy(SEMI + directions)
  const vectors: [string, Json, Json, Tier][] = [
    ['harness.retry_limit', 10, 12, 'AUTO_APPROVE'],
    ['harness.retry_limit', 10, 13, 'HUMAN_REVIEW'],
    ['harness.retry_limit', 3, 4, 'HUMAN_REVIEW'],
    ['harness.retry_limit', 5, 4, 'AUTO_APPROVE'],
    ['harness.retry_limit', 10, 0, 'HUMAN_REVIEW'],
    ['harness.retry_limit', null, 999_999, 'HUMAN_REVIEW'],
    ['meta_loop.drift_threshold', 0.5, 0.4, 'AUTO_APPROVE'],
    ['meta_loop.drift_threshold', 0.3, 9, 'HUMAN_REVIEW'],
    ['goals.success_rate', 0.9, 0.91, 'HUMAN_REVIEW'],
    ['cadence.mode', 'balanced', 'frozen', 'AUTO_APPROVE'],
    ['cadence.min_interval_between_cycles_seconds', 180, 150, 'AUTO_APPROVE'],
    ['cadence.min_interval_between_cycles_seconds', 180, 1, 'HUMAN_REVIEW'],
    ['harness.n', 0, 0.2, 'AUTO_APPROVE'],
    ['harness.n', 0, 0.3, 'HUMAN_REVIEW'],
    ['critic.threshold', 1, 0, 'HUMAN_REVIEW'],
    ['critic.enabled', true, false, 'NEVER'],
    ['permissions.human_review_required', true, false, 'NEVER'],
    ['meta_events.any', 1, 1, 'NEVER'],
    ['adversarial.any', 1, 1, 'NEVER'],
  ]
  for (const [key, old, next, tier] of vectors) {
    const verdict = await gate.check({ kind: 'value', file: 'configs/loop.yml', key, old, new: next })
    expect([key, old, next, verdict.tier]).toEqual([key, old, next, tier])
  }
})

it('AROS 25: what never happens is refused when it is proposed, written and approved, on record, and the file stays', async () => {
  await gate.policy('autonomy: full\nproduction: false\n')
  const { path } = gate.root
  symlinkSync(join(path, 'configs/control/policy.yml'), join(path, 'configs/harmless.yml'))
  symlinkSync(join(path, 'configs/control'), join(path, 'notes'))
  gate.root.write('run.ts', '// the bootloader\n')
  const targets = [
    'configs/control/policy.yml',
    'configs/harmless.yml',
    'notes/policy.yml',
    'modules/../configs/control/approvals.yml',
    'Configs/Control/Ledger.yml',
    'configs/control/ledger-v9.yml',
    'modules/control/policy/index.ts',
    'test/control/policy/index.test.ts',
    'run.ts',
    'runtime/control/ledger.db',
    'runtime/token',
  ]
  const before = gate.root.read('configs/control/policy.yml')
  for (const target of targets) {
    const params = { path: target, content: 'profile: dev\n' }
    expect([target, codeOf(await gate.asModel('filesystem_write_file', params))]).toEqual([target, 'tool_refused'])
    // A handle to the service that writes is no way round it.
    const files = gate.getApi<FilesystemApi>('filesystem')
    expect([target, (await rejection(files.write_file(target, 'x'))).code]).toEqual([target, 'path_protected'])
    // Nor is a person's yes to something that was parked past the policy.
    const payload = { tool: 'filesystem_write_file', params, caller: 'assistant' }
    const forged: ApprovalRequest = {
      class: 'x',
      target,
      title: 'a harmless note',
      actor: 'assistant',
      action: { service: 'policy', method: 'run_parked', payload },
    }
    const { id } = await gate.getApi<ApprovalsApi>('approvals').request(forged)
    expect((await gate.approve(id)).body.outcome).toMatchObject({ ok: false, value: { code: 'tool_refused' } })
  }
  expect(gate.root.read('configs/control/policy.yml')).toBe(before)
  expect(gate.root.read('run.ts')).toBe('// the bootloader\n')
  const refused = (await gate.entries('action=policy_decided&limit=1000')).filter(({ outcome }) => outcome === 'NEVER')
  expect(refused).toHaveLength(2 * targets.length)
  expect(await gate.verify()).toMatchObject({ valid: true })
})

it('AROS 26: a key or section nobody knows is for a person, also where its file is written anew', async () => {
  await gate.policy('autonomy: full\nproduction: false\n')
  for (const key of ['speed', 'harness.new_key', 'new_section.key', 'meta_loop.anything'])
    expect(codeOf(await gate.asModel('config_edit', edit({ [key]: 1.1 })))).toBe('tool_waits')
  const text = gate.root.read('configs/loop.yml')
  const write = (content: string): Promise<unknown> =>
    gate.asModel('filesystem_write_file', { path: 'configs/loop.yml', content }).then(codeOf)
  expect(await write(text.replace('speed: 1', 'speed: 1.1'))).toBe('tool_waits')
  expect(await write(`${text}grants: ['database.query']\n`)).toBe('tool_waits')
  expect(await write(`${text}critic: {enabled: false}\n`)).toBe('tool_refused')
  expect(await write(text.replace('retry_limit: 10', 'retry_limit: 11'))).toBe('success')
  expect(await write(`# a note\n${gate.root.read('configs/loop.yml')}`)).toBe('success')
})

it('AROS 27: of a change that goes through and one that waits only the first is on disk; by default both wait', async () => {
  const both = (): Promise<string[]> =>
    Promise.all(
      [edit({ 'harness.retry_limit': 11 }), edit({ speed: 2 })].map(async (one) =>
        codeOf(await gate.asModel('config_edit', one)),
      ),
    )
  const before = gate.root.read('configs/loop.yml')
  expect(await both()).toEqual(['tool_waits', 'tool_waits'])
  expect(gate.root.read('configs/loop.yml')).toBe(before)
  await gate.policy(SEMI)
  expect(await both()).toEqual(['success', 'tool_waits'])
  expect(gate.root.read('configs/loop.yml')).toBe(before.replace('retry_limit: 10', 'retry_limit: 11'))
})

it('AROS 28: changes that go through do not add up, also over a reload; a person sets a new beginning', async () => {
  await gate.policy(SEMI)
  const step = async (factor: number): Promise<void> => {
    const next = Math.round(retryLimit() * factor * 100) / 100
    await gate.asModel('config_edit', edit({ 'harness.retry_limit': next }))
  }
  for (let time = 0; time < 10; time++) await step(1.08)
  expect(retryLimit()).toBeGreaterThan(11)
  expect(retryLimit()).toBeLessThanOrEqual(12)
  await gate.policy(`${SEMI}# read anew\n`)
  for (let time = 0; time < 5; time++) await step(1.08)
  expect(retryLimit()).toBeLessThanOrEqual(12)
  for (let time = 0; time < 15; time++) await step(0.9)
  expect(retryLimit()).toBeGreaterThanOrEqual(5)
  const id = approvalOf(await gate.asModel('config_edit', edit({ 'harness.retry_limit': 20 })))
  expect((await gate.approve(id)).body.outcome).toMatchObject({ ok: true })
  expect(codeOf(await gate.asModel('config_edit', edit({ 'harness.retry_limit': 24 })))).toBe('success')
  expect(codeOf(await gate.asModel('config_edit', edit({ 'harness.retry_limit': 25 })))).toBe('tool_waits')
})

it('AROS 37: approving applies, keeps the type, records who; twice, stale and rejected ones are refused; goals take effect', async () => {
  const post = (way: string, body: object = {}): Promise<{ status: number }> =>
    gate.ask('POST', `/api/meta-loop/${way}`, body)
  const count = async (): Promise<number> =>
    (await gate.ask<{ count: number }>('GET', '/api/meta-loop/pending-approvals')).body.count
  const id = approvalOf(await gate.asModel('config_edit', edit({ 'goals.success_rate': 0.97, speed: 2 })))
  const other = approvalOf(await gate.asModel('config_edit', edit({ speed: 3 })))
  expect(await count()).toBe(2)
  expect(await post(`approve/${id}`, { by: 'ada' })).toMatchObject({ status: 200 })
  expect(gate.root.read('configs/loop.yml')).toMatch(/speed: 2 # of the loop[\s\S]*success_rate: 0\.97$/m)
  expect(await count()).toBe(1)
  expect((await gate.entries('action=approval_approved'))[0]).toMatchObject({ actor: 'ada', origin: 'human' })
  expect(await post(`approve/${id}`)).toMatchObject({ status: 409 })
  expect(await post(`approve/${other}`)).toMatchObject({ status: 409 })
  expect(await post(`reject/${other}`, { reason: 'stale' })).toMatchObject({
    status: 200,
    body: { status: 'rejected' },
  })
  expect(await post(`reject/${other}`, { reason: 'again' })).toMatchObject({ status: 409 })
  expect(await post('approve/none')).toMatchObject({ status: 404 })
  expect(await count()).toBe(0)
})

it('AROS 38: an unknown priority or type and a missing field are refused, and nothing is kept', async () => {
  const good = { type: 'task_failed', payload: { task_id: 't1' } }
  const post = (event: object): Promise<{ status: number; body: { error?: { code: string; message: string } } }> =>
    gate.ask('POST', '/api/events', event)
  const { payload: _payload, ...without } = signed('probe', good)
  for (const event of [
    { ...signed('probe', good), priority: 'banana' },
    without,
    { ...signed('probe', good), more: 1 },
    signed('probe', { ...good, priority: 'urgent' }),
  ])
    expect((await post(event)).status).toBe(400)
  expect((await post(signed('probe', { ...good, priority: 'urgent' }))).body.error?.code).toBe('event_invalid')
  const unknown = await post(signed('probe', { ...good, type: 'unknown_type' }))
  expect([unknown.status, unknown.body.error?.message]).toEqual([
    403,
    expect.stringMatching(/known are: task_failed, decision\.\*, alert$/),
  ])
  const read = (): Promise<unknown[]> => gate.getApi<{ read(): unknown[] }>('events').read()
  expect(await read()).toEqual([])
  expect((await post(signed('probe', good))).status).toBe(200)
  expect(await read()).toMatchObject([{ type: 'task_failed', source: 'probe', trust: 0.9, payload: { task_id: 't1' } }])
  expect(readFileSync(join(gate.root.path, 'runtime/control/events.key'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
})
