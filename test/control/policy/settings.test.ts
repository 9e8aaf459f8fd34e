/** What an operator sets: a freeze, a profile, grants that grow; read anew as soon as it is saved. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Change, PolicySettings } from '../../../modules/contracts/policy.ts'
import { approvalOf, codeOf, startGate, type Gate } from '../gate-system.ts'

const TUNING: Change = { kind: 'value', file: 'configs/loop.yml', key: 'harness.retry_limit', old: 10, new: 11 }
const EDIT = { service: 'loop', set: { 'harness.retry_limit': 11 } }

let gate: Gate
beforeEach(async () => {
  gate = await startGate()
})
afterEach(() => gate.stop())

it('frozen, nothing of the system is changed, also what was approved; what reads goes through', async () => {
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  await gate.policy('profile: dev\n')
  gate.root.write('runtime/FREEZE', 'self\n')
  expect(await gate.check(TUNING)).toMatchObject({ tier: 'NEVER', rule: 'frozen' })
  expect(await gate.check(TUNING, { origin: 'human' })).toMatchObject({ tier: 'AUTO_APPROVE' })
  expect(codeOf(await gate.asModel('config_edit', EDIT))).toBe('tool_refused')
  expect((await gate.approve(id)).body.outcome).toMatchObject({ ok: false, value: { code: 'tool_refused' } })
  expect(codeOf(await gate.asModel('filesystem_list_files', {}))).toBe('success')
  gate.root.remove('runtime/FREEZE')
  expect(codeOf(await gate.asModel('config_edit', EDIT))).toBe('success')
})

it('a profile sets the keys that are not given, and what is given goes before it', async () => {
  const tierOf = async (text: string): Promise<string> => {
    await gate.policy(text)
    return (await gate.check(TUNING)).tier
  }
  expect(await tierOf('profile: standard\n')).toBe('HUMAN_REVIEW')
  expect(await tierOf('profile: dev\n')).toBe('AUTO_APPROVE')
  expect(await tierOf('profile: dev\nautonomy: supervised\n')).toBe('HUMAN_REVIEW')
  expect(await tierOf('profile: strict\nautonomy: semi\n')).toBe('AUTO_APPROVE')
  expect((await gate.check(TUNING)).notice).toBe(true)
  expect(await tierOf('profile: quiet\nautonomy: semi\n')).toBe('AUTO_APPROVE')
  expect((await gate.check(TUNING)).notice).toBe(false)
  gate.root.write('configs/control/policy.yml', 'api: policy\nprofile: reckless\n')
  expect((await gate.reload('policy')).error).toMatchObject({ code: 'config_invalid' })
  expect(await gate.check(TUNING)).toMatchObject({ tier: 'AUTO_APPROVE' })
})

it('a grant that grows waits at every level, however it is written', async () => {
  await gate.policy('autonomy: full\nproduction: false\n')
  const text = gate.root.read('configs/loop.yml')
  const ways: [string, object][] = [
    ['config_edit', { service: 'loop', set: { grants: ['database.query'] } }],
    ['filesystem_write_file', { path: 'configs/loop.yml', content: `${text}grants: [database.query]\n` }],
    [
      'filesystem_edit_file',
      { path: 'configs/loop.yml', old_text: 'speed: 1', new_text: 'sandbox: {memory_mb: 512}\nspeed: 1' },
    ],
  ]
  for (const [tool, params] of ways) {
    expect([tool, codeOf(await gate.asModel(tool, params))]).toEqual([tool, 'tool_waits'])
    const judged = (await gate.entries('action=policy_decided')).at(-1)
    const grants = ((judged?.payload?.['changes'] ?? []) as { grant?: string }[]).flatMap(({ grant = [] }) => grant)
    expect([tool, grants]).toEqual([tool, [expect.stringMatching(/^(grants|sandbox)/)]])
  }
  expect(gate.root.read('configs/loop.yml')).toBe(text)
})

it('what holds now can be asked: the profile, what the config says instead of it, and rules of one’s own', async () => {
  await gate.policy(
    "profile: strict\nautonomy: semi\nrules: [{name: not_the_reports, tier: NEVER, path: 'modules/reports/**'}]\n",
  )
  const { body } = await gate.ask<PolicySettings>('GET', '/api/policy')
  expect(body).toMatchObject({ profile: 'strict', autonomy: 'semi', review_calls: true, changes_per_hour_max: 10 })
  expect(body.rules).toEqual([{ name: 'not_the_reports', tier: 'NEVER', path: 'modules/reports/**' }])
  expect(body.profiles['strict']).toMatchObject({ autonomy: 'supervised' })
  expect(body.directions['harness.retry_limit']).toMatchObject({ tighter: 'lower' })
})
