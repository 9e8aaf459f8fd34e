/** The pure parts of the pages of what decides: stages, patches, decisions and questions in words. */
import { expect, it } from 'vitest'
import { PROPOSAL_STATES } from '../../../modules/contracts/proposals.ts'
import { lineDiff } from '../../../modules/lib/line-diff.ts'
import { GROUPS, isIn, stagesOf, type Group } from '../../../web/src/pages/changes/stages.ts'
import { faultOf as wishFault } from '../../../web/src/pages/changes/wish.ts'
import { bodyOf, decisionCommand, toldOf, type Approval, type Said } from '../../../web/src/pages/inbox/words.ts'
import {
  changeOf,
  faultOf,
  NOTHING,
  PRESETS,
  questionCommand,
  valueAt,
  type Asked,
} from '../../../web/src/pages/policy/asked.ts'
import { patchFiles } from '../../../web/src/parts/patch-lines.ts'

it('every state of a change has one place on its way: done before it, open behind it', () => {
  for (const state of PROPOSAL_STATES) {
    const kinds = stagesOf(state).map(({ is }) => is)
    expect([state, kinds.join(' ')]).toEqual([
      state,
      expect.stringMatching(/^done( done)*( open)?( (now|stopped))?( open)*$/),
    ])
    expect(kinds).toHaveLength(6)
  }
  expect(stagesOf('confirmed').map(({ is }) => is)).toEqual(Array(6).fill('done'))
  expect(stagesOf('restored').at(-1)).toEqual({ name: 'restored', is: 'stopped' })
})

it('a stale change stands where it was when its file changed, as far as that is known', () => {
  const at = (reached?: { approved_by: string | null; live_at: number | null }): string | undefined =>
    stagesOf('stale', reached).find(({ is }) => is === 'stopped')?.name
  expect(at()).toBe('approved')
  expect(at({ approved_by: null, live_at: null })).toBe('approved')
  expect(at({ approved_by: 'ada', live_at: null })).toBe('live')
  expect(at({ approved_by: 'ada', live_at: 1 })).toBe('verified')
})

it('every state is in exactly one group, and in all', () => {
  const groups = (Object.keys(GROUPS) as Group[]).filter((group) => group !== 'all')
  for (const state of PROPOSAL_STATES) {
    expect([state, groups.filter((group) => isIn(group, state)).length]).toEqual([state, 1])
    expect(isIn('all', state)).toBe(true)
  }
})

it('a patch of several files is taken apart, with the numbers its lines have', () => {
  const before = Array.from({ length: 20 }, (_, at) => `line ${at + 1}`).join('\n')
  const { patch } = lineDiff(before, before.replace('line 10', 'line ten').replace('line 11', '--- not a file'))
  const text = `--- a/modules/a.ts\n+++ b/modules/a.ts\n${patch}\n--- /dev/null\n+++ b/new.yml\n@@ -0,0 +1,1 @@\n+prog: a`
  const [first, second, ...more] = patchFiles(text)
  expect(more).toEqual([])
  expect(first).toMatchObject({ path: 'modules/a.ts', is: 'changed', added: 2, removed: 2 })
  expect(first?.lines).toContainEqual({ kind: 'out', text: 'line 10', number: 10 })
  expect(first?.lines).toContainEqual({ kind: 'in', text: '--- not a file', number: 11 })
  expect(first?.lines).toContainEqual({ kind: 'same', text: 'line 14', number: 14 })
  expect(second).toMatchObject({ path: 'new.yml', is: 'new', lines: [{ kind: 'in', text: 'prog: a', number: 1 }] })
  expect(patchFiles('configs/loop.yml: speed 1 → 2')).toMatchObject([
    { path: undefined, lines: [{ kind: 'note', text: 'configs/loop.yml: speed 1 → 2' }] },
  ])
})

it('a line taken out that begins as the name of a file does is a line', () => {
  const [file, ...more] = patchFiles('--- a/x\n+++ b/x\n@@ -3,3 +3,3 @@\n same\n--- old\n+++ new\n last\n')
  expect(more).toEqual([])
  expect(file).toMatchObject({ path: 'x', added: 1, removed: 1 })
  expect(file?.lines).toEqual([
    { kind: 'note', text: '⋯' },
    { kind: 'same', text: 'same', number: 3 },
    { kind: 'out', text: '-- old', number: 4 },
    { kind: 'in', text: '++ new', number: 4 },
    { kind: 'same', text: 'last', number: 5 },
  ])
})

const SAID: Said = { reason: ' looks "right" ', scope: 'service', hours: '8' }
const NOTHING_SAID: Said = { reason: '', scope: 'once', hours: '24' }

it('a decision is the same over HTTP and on the command line', () => {
  expect(bodyOf(true, SAID)).toEqual({
    approved: true,
    by: 'operator',
    note: 'looks "right"',
    scope: 'service',
    expires_in_ms: 28_800_000,
  })
  expect(bodyOf(false, SAID)).toEqual({ approved: false, by: 'operator', note: 'looks "right"' })
  expect(bodyOf(true, NOTHING_SAID)).toEqual({ approved: true, by: 'operator' })
  const command = (isApproved: boolean, said: Said): string => decisionCommand('a1', isApproved, said).text
  expect(command(true, SAID)).toBe(`mm approve a1 --reason 'looks "right"' --scope service --for 8`)
  expect(command(true, NOTHING_SAID)).toBe('mm approve a1')
  expect(command(false, NOTHING_SAID)).toBe("mm deny a1 --reason '…'")
})

it('what came of a decision is said: once confirmed, done, failed, refused', () => {
  const approval = { title: 'Two', action: { service: 'rollouts' }, outcome: null } as unknown as Approval
  const told = (change: Partial<Approval>) => toldOf({ ...approval, ...change })
  expect(told({ state: 'pending' })).toMatchObject({ tone: 'warn', text: 'Confirmed once: Two' })
  const value = { proposal: 'c1', state: 'watching', message: 'live' }
  expect(told({ state: 'approved', outcome: { ok: true, value } })).toMatchObject({
    tone: 'good',
    detail: 'c1 is watching: live',
  })
  expect(told({ state: 'approved', outcome: { ok: false, value: { code: 'x', message: 'no' } } })).toMatchObject({
    tone: 'bad',
    detail: 'no',
  })
  expect(told({ state: 'rejected' })).toMatchObject({ tone: 'info', text: 'Rejected: Two' })
})

it('a question is asked only when it is one, and means the same as its command', () => {
  const value: Asked = { ...NOTHING, path: 'configs/shop.yml', key: 'a.b', value: '3', actor: 'ada' }
  expect(changeOf(value, 2)).toEqual({ kind: 'value', file: 'configs/shop.yml', key: 'a.b', new: 3, old: 2 })
  expect(changeOf({ ...value, value: 'three' })).toEqual({
    kind: 'value',
    file: 'configs/shop.yml',
    key: 'a.b',
    new: 'three',
  })
  expect(questionCommand(value)?.text).toBe('mm policy check configs/shop.yml a.b=3 --actor ada')
  const tool: Asked = { ...NOTHING, kind: 'tool', tool: 'filesystem_read_file', params: '{"path": "a", "n": 1}' }
  expect(questionCommand(tool)?.text).toBe('mm policy check --tool filesystem_read_file path=a n=1')
  expect(faultOf({ ...tool, params: '[1]' })).toBe('Parameters are a JSON object.')
  expect(faultOf(NOTHING)).toBe('Name the config and the key.')
  for (const { asked } of PRESETS) expect(faultOf({ ...NOTHING, ...asked })).toBeUndefined()
  const values = [{ key: 'a', value: { b: [1] } }] as unknown as Parameters<typeof valueAt>[0]
  expect(valueAt(values, 'a.b')).toEqual([1])
  expect(valueAt(values, 'a.c.d')).toBeUndefined()
})

it('a wish is whole before a model is asked', () => {
  const wish = { service: 'shop', goal: 'be quicker', provider: '', budget: '', tries: '' }
  expect(wishFault(wish, ['shop'])).toBeUndefined()
  expect(wishFault({ ...wish, service: 'shoe' }, ['shop'])).toBe('There is no service shoe.')
  expect(wishFault({ ...wish, budget: '-1' }, ['shop'])).toBe('The budget is a number of dollars.')
  expect(wishFault({ ...wish, tries: '1.5' }, ['shop'])).toBe('Answers are a whole number.')
})
