/**
 * The policy as a service, driven from outside: what goes through at which autonomy, what never does however it is named,
 * and that a tool call is a change like any other.
 */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Handle } from '../../../modules/contracts/module.ts'
import type { Change, PolicyApi, PolicyQuestion, PolicyVerdict } from '../../../modules/contracts/policy.ts'
import type { ToolsApi } from '../../../modules/contracts/services.ts'
import { rejection, startSystem, type TestSystem } from '../../support/system.ts'

let system: TestSystem
let policy: Handle<PolicyApi>

const TUNING: Change = { kind: 'value', file: 'configs/loop.yml', key: 'harness.retry_limit', old: 10, new: 12 }
const LOOP = 'prog: other\nsetting: 10\n'
const CONFIG: Change = { kind: 'file', path: 'configs/loop.yml', operation: 'modify', text: `# a note\n${LOOP}` }
const CODE: Change = { kind: 'file', path: 'modules/loop.ts', operation: 'modify' }
const UNDO = [{ operation: 'restore_file' as const, target: 'it' }]

const ask = (changes: Change[], more: Partial<PolicyQuestion> = {}): Promise<PolicyVerdict> =>
  policy.check({ origin: 'self', actor: 'improver', changes, undo: UNDO, ...more })
const file = (path: string): Promise<PolicyVerdict> => ask([{ kind: 'file', path, operation: 'modify' }])

async function configure(text: string): Promise<void> {
  system.root.write('configs/policy.yml', `prog: control/policy\n${text}`)
  expect(await system.reload('policy')).toMatchObject({ error: null })
}

beforeEach(async () => {
  system = await startSystem({
    'configs/policy.yml': 'prog: control/policy\n',
    'configs/tools.yml': 'prog: services/tools\nhooks: [policy]\n',
    'configs/filesystem.yml': 'prog: services/filesystem\n',
    'configs/config.yml': 'prog: services/workshop/config\n',
    'configs/ledger.yml': 'prog: control/ledger\n',
    'configs/approvals.yml': 'prog: control/approvals\n',
    'configs/other-name.yml': 'api: events\nprog: other\n',
    'configs/loop.yml': LOOP,
    'modules/other.ts': 'export class Module {}\n',
    'modules/loop.ts': 'export class Module {}\n',
  })
  policy = system.getApi<PolicyApi>('policy')
})
afterEach(() => system.stop())

it('at the default, everything the system would change waits for a person', async () => {
  expect(await ask([TUNING])).toMatchObject({ tier: 'HUMAN_REVIEW', rule: 'autonomy_supervised', altitude: 'tuning' })
  expect(await ask([CODE])).toMatchObject({ tier: 'HUMAN_REVIEW', altitude: 'code', confirm_twice: true })
})

it('autonomy widens tuning, then config, and never code', async () => {
  await configure('autonomy: semi\nproduction: false\n')
  expect(await ask([TUNING])).toMatchObject({ tier: 'AUTO_APPROVE', impact: 'LOW', notice: true })
  expect(await ask([CONFIG])).toMatchObject({ tier: 'HUMAN_REVIEW', altitude: 'config' })
  await configure('autonomy: full\nproduction: false\n')
  expect(await ask([CONFIG])).toMatchObject({ tier: 'AUTO_APPROVE' })
  for (const change of [
    CODE,
    { kind: 'file', path: 'prompts/a.txt', operation: 'modify' },
    { kind: 'file', path: 'configs/new.yml', operation: 'create' },
    { kind: 'file', path: 'configs/meta-v2.yml', operation: 'create' },
    { kind: 'grant', service: 'loop', grant: 'database.query' },
  ] as Change[])
    expect(await ask([change])).toMatchObject({ tier: 'HUMAN_REVIEW' })
  await configure('autonomy: full\nproduction: true\n')
  expect(await ask([CONFIG])).toMatchObject({ tier: 'HUMAN_REVIEW', rule: 'impact_moderate' })
  await configure('autonomy: locked\n')
  expect(await ask([TUNING])).toMatchObject({ tier: 'NEVER', rule: 'autonomy_locked' })
})

it('of several changes the strictest holds', async () => {
  await configure('autonomy: semi\nproduction: false\n')
  expect(await ask([TUNING, { ...TUNING, new: 13 }])).toMatchObject({
    tier: 'HUMAN_REVIEW',
    rule: 'loosened_far',
  })
  const verdict = await ask([TUNING, { kind: 'file', path: 'run.ts', operation: 'modify' }])
  expect(verdict).toMatchObject({ tier: 'NEVER', rule: 'bootloader' })
  expect(verdict.reasons).toContainEqual(expect.objectContaining({ by: 'protected', change: 1 }))
})

it.each([
  ['run.ts', 'bootloader'],
  ['modules/kernel/kernel.ts', 'bootloader'],
  ['dist/run.js', 'bootloader'],
  ['modules/control/policy/judge.ts', 'gate'],
  ['modules/control/ledger.ts', 'gate'],
  ['configs/control/approvals-v2.yml', 'gate_config'],
  ['configs/policy.yml', 'gate_config'],
  ['test/control/policy/index.test.ts', 'evaluation'],
  ['bench/safe-evolve/corpus.json', 'evaluation'],
  ['package.json', 'build'],
  ['runtime/FREEZE', 'secrets'],
  ['runtime/secrets/key', 'secrets'],
  ['.env.local', 'secrets'],
  ['./modules/../run.ts', 'bootloader'],
  ['modules//control/./policy/judge.ts', 'gate'],
  [String.raw`modules\control\policy\judge.ts`, 'gate'],
  ['MODULES/Control/Policy/judge.ts', 'gate'],
  ['../elsewhere/file.ts', 'outside'],
  ['/etc/passwd', 'outside'],
  ['configs/other-name.yml', 'gate_config'],
])('%s is never changed by the system: %s', async (path, rule) => {
  await configure('autonomy: full\nproduction: false\n')
  expect(await file(path)).toMatchObject({ tier: 'NEVER', rule })
})

it('a link to what is protected is as protected', async () => {
  symlinkSync(join(system.root.path, 'configs', 'policy.yml'), join(system.root.path, 'configs', 'harmless.yml'))
  symlinkSync(join(system.root.path, 'runtime'), join(system.root.path, 'modules', 'data'))
  expect(await file('configs/harmless.yml')).toMatchObject({ tier: 'NEVER', rule: 'gate_config' })
  expect(await file('modules/data/secrets/new.txt')).toMatchObject({ tier: 'NEVER', rule: 'secrets' })
  expect(await file('modules/new/folder/a.ts')).toMatchObject({ tier: 'HUMAN_REVIEW' })
})

it('what says no way back, or one nobody can go, never happens', async () => {
  await configure('autonomy: semi\nproduction: false\n')
  expect(await ask([TUNING], { undo: [] })).toMatchObject({ tier: 'NEVER', rule: 'no_undo' })
  const undo = [{ operation: 'pray' as never, target: 'it' }]
  expect((await ask([TUNING], { undo })).message).toContain('pray')
})

it('a rule of the operator makes it stricter, at once, and never milder', async () => {
  const rules = `rules:
  - {name: not_the_loop, tier: NEVER, path: 'configs/loop*', message: hands off}
  - {name: keys, tier: HUMAN_REVIEW, key: 'harness.*', actor: improver}
`
  await configure(`autonomy: full\nproduction: false\n${rules}`)
  expect(await ask([CONFIG])).toMatchObject({ tier: 'NEVER', rule: 'not_the_loop', message: 'hands off' })
  const elsewhere: Change = { ...TUNING, file: 'configs/filesystem.yml' }
  expect(await ask([elsewhere])).toMatchObject({ tier: 'HUMAN_REVIEW', rule: 'keys' })
  expect(await ask([elsewhere], { actor: 'somebody' })).toMatchObject({ tier: 'AUTO_APPROVE' })
  const { error } = await (async () => {
    system.root.write('configs/policy.yml', 'prog: control/policy\nrules: [{name: x, tier: AUTO_APPROVE}]\n')
    return system.reload('policy')
  })()
  expect(error).toMatchObject({ code: 'config_invalid' })
})

it('who changes too often is stopped, also over a reload; asking does not count', async () => {
  await configure('autonomy: semi\nproduction: false\nchanges_per_hour_max: 3\n')
  const question: PolicyQuestion = { origin: 'self', actor: 'improver', changes: [TUNING], undo: UNDO }
  for (let time = 0; time < 5; time++) expect(await policy.check(question)).toMatchObject({ tier: 'AUTO_APPROVE' })
  for (let time = 0; time < 3; time++) expect(await policy.admit(question)).toMatchObject({ tier: 'AUTO_APPROVE' })
  expect(await policy.admit(question)).toMatchObject({ tier: 'NEVER', rule: 'rate' })
  await system.reload('policy')
  expect(await policy.admit(question)).toMatchObject({ tier: 'NEVER', rule: 'rate' })
  expect(await policy.admit({ ...question, actor: 'another' })).toMatchObject({ tier: 'AUTO_APPROVE' })
})

it('a tool call that writes is judged as that change, and one that reads goes through', async () => {
  const tools = system.getApi<ToolsApi>('tools')
  const write = (path: string): Promise<object> =>
    tools.invoke('filesystem_write_file', { path, content: 'x' }, { caller: 'assistant' })
  expect(await write('notes.txt')).not.toHaveProperty('error')
  expect(await write('modules/loop.ts')).toMatchObject({ error: { code: 'tool_waits' } })
  const edit = { service: 'loop', set: { setting: 11 } }
  expect(await tools.invoke('config_edit', edit)).toMatchObject({ error: { code: 'tool_waits' } })
  await configure('autonomy: full\nproduction: false\n')
  expect(await write('modules/control/policy/x.ts')).toMatchObject({ error: { code: 'tool_refused' } })
  await configure('autonomy: semi\nproduction: false\ndirections: {setting: {tighter: lower}}\n')
  expect(await tools.invoke('config_edit', edit)).not.toHaveProperty('error')
  const far = { service: 'loop', set: { setting: 14 } }
  expect(await tools.invoke('config_edit', far)).toMatchObject({ error: { code: 'tool_waits' } })
  expect(await tools.invoke('filesystem_list_files', { path: 'configs' })).not.toHaveProperty('error')
})

it('it says which rule would decide, in words; and what is no question is refused', async () => {
  const { text, verdict } = await policy.explain({ origin: 'self', actor: 'improver', changes: [CODE], undo: UNDO })
  expect(text.split('\n')[0]).toBe(`HUMAN_REVIEW by ${verdict.rule}: ${verdict.message}`)
  expect(text).toContain('autonomy/autonomy_supervised')
  expect((await rejection(policy.check({ origin: 'self', actor: 'x', changes: [] }))).code).toBe('bad_arguments')
})
