/** Rows of GRACE: events, the ledger, and what each impact asks of a person; driven from outside. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Impact } from '../../../modules/contracts/policy.ts'
import type { EventCounts, SignedEventsApi } from '../../../modules/contracts/signed-events.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { readEvents } from '../../support/sse.ts'
import { approvalOf, codeOf, signed, startGate, type Gate } from '../gate-system.ts'

const TALKS = `export class Module {
  constructor(kernel) { this.kernel = kernel }
  say(types) { for (const type of types) this.kernel.events.emit(type, {}) }
}
`
const HEARS = (work: string): string => `export class Module {
  heard = []
  constructor(kernel) { kernel.events.on('decision.*', ({ type }) => { this.heard.push(type); ${work} }) }
  all() { return this.heard }
}
`
const EDIT = { service: 'loop', set: { speed: 2 } }

let gate: Gate
afterEach(() => gate.stop())

const counts = async (): Promise<EventCounts> => gate.getApi<SignedEventsApi>('events').counts()
const post = (event: object): Promise<{ status: number; body: { error?: { code: string; message: string } } }> =>
  gate.ask('POST', '/api/events', event)

it('GRACE 1: who subscribes to all, to a family or to one name gets those and no others', async () => {
  gate = await startGate({ 'configs/talks.yml': '', 'modules/talks.mjs': TALKS })
  const address = { port: Number(new URL(gate.url).port), token: gate.token }
  const readers = await Promise.all(
    ['*', 'decision.*', 'decision.made', 'meta.*'].map((pattern) =>
      readEvents({ ...address, query: `?subscribe=${pattern},talk.end` }),
    ),
  )
  const said = ['decision.made', 'decision.kept', 'decisive', 'meta', 'meta.x', 'metadata.x']
  await gate.getApi<{ say(types: string[]): void }>('talks').say([...said, 'talk.end'])
  await Promise.all(readers.map((reader) => reader.until(({ type }) => type === 'talk.end')))
  const heard = readers.map(({ events }) => events.map(({ type }) => type).filter((type) => said.includes(type)))
  for (const reader of readers) reader.close()
  expect(heard).toEqual([said, ['decision.made', 'decision.kept'], ['decision.made'], ['meta.x']])
})

it('GRACE 2: one that throws or never comes back neither stops nor delays the others', async () => {
  gate = await startGate({
    'configs/talks.yml': '',
    'modules/talks.mjs': TALKS,
    'configs/bad.yml': '',
    'modules/bad.mjs': HEARS(`throw new Error('bad')`),
    'configs/slow.yml': '',
    'modules/slow.mjs': HEARS('return new Promise(() => undefined)'),
    'configs/z-good.yml': '',
    'modules/z-good.mjs': HEARS(''),
  })
  await gate.getApi<{ say(types: string[]): void }>('talks').say(['decision.a', 'decision.b'])
  for (const api of ['bad', 'slow', 'z-good'])
    expect([api, await gate.getApi<{ all(): string[] }>(api).all()]).toEqual([api, ['decision.a', 'decision.b']])
})

it('GRACE 3: a wrong signature, an unknown signer, a repetition and an old event are refused, on record', async () => {
  gate = await startGate()
  const good = signed('probe', { type: 'task_failed' })
  expect((await post(good)).status).toBe(200)
  const refused: [object, RegExp][] = [
    [good, /seen before/],
    [{ ...signed('probe', { type: 'task_failed' }), payload: { more: 1 } }, /wrong signature/],
    [{ ...signed('rumor', { type: 'task_failed' }), source: 'probe' }, /wrong signature/],
    [{ ...signed('probe', { type: 'task_failed' }), source: 'nobody' }, /unknown signer/],
    [{ ...signed('probe', { type: 'task_failed' }), source: 'constructor' }, /unknown signer/],
    [signed('probe', { type: 'task_failed', time: Date.now() - 3_600_000 }), /too old/],
  ]
  for (const [event, reason] of refused) {
    const { status, body } = await post(event)
    expect([status, body.error]).toMatchObject([403, { code: 'event_refused', message: expect.stringMatching(reason) }])
  }
  const entries = await gate.entries('action=event_refused')
  expect(entries.map(({ reason }) => reason)).toEqual([
    'seen_before',
    'wrong_signature',
    'wrong_signature',
    'unknown_signer',
    'unknown_signer',
    'too_old',
  ])
  expect(await counts()).toMatchObject({ taken: 1, kept: 1, refused: { wrong_signature: 2 } })
})

it('GRACE 4: a source that is trusted too little is blocked, with the reason on record, and counted', async () => {
  gate = await startGate()
  expect(await post(signed('rumor', { type: 'alert' }))).toMatchObject({ status: 403 })
  expect(await post(signed('probe', { type: 'alert' }))).toMatchObject({ status: 200, body: { trust: 0.9 } })
  expect(await gate.entries('action=event_refused')).toMatchObject([
    { actor: 'rumor', resource: 'event:alert', outcome: 'refused', reason: 'insufficient_trust' },
  ])
  expect((await counts()).refused).toEqual({ insufficient_trust: 1 })
})

it('GRACE 5: events of a higher priority overtake those that wait', async () => {
  gate = await startGate()
  const events = gate.getApi<SignedEventsApi>('events')
  const types = ['task_failed', 'task_failed', 'alert', 'decision.made', 'alert']
  await Promise.all(types.map((type, n) => events.publish(signed('probe', { type, payload: { n } }))))
  const sent = gate.kernel.events.since(0).filter(({ type }) => type.startsWith('signed.'))
  expect(sent.map(({ type, data }) => [type, (data['payload'] as { n: number }).n])).toEqual([
    ['signed.decision.made', 3],
    ['signed.alert', 2],
    ['signed.alert', 4],
    ['signed.task_failed', 0],
    ['signed.task_failed', 1],
  ])
})

it('GRACE 6: whatever is done to the ledger, the first entry that is not what was written is named', async () => {
  gate = await startGate()
  for (let n = 0; n < 6; n++) await gate.asModel('config_edit', { service: 'loop', set: { speed: n + 2 } })
  expect(await gate.verify()).toMatchObject({ valid: true, entries: 12 })
  const file = join(gate.root.path, 'runtime/control/ledger.db')
  const copy = 'CREATE TABLE kept AS SELECT sequence, text, hash FROM entries'
  const back = ['DELETE FROM entries', 'INSERT INTO entries (sequence, text, hash) SELECT * FROM kept']
  const set = (path: string, value: string, at: number): string =>
    `UPDATE entries SET text = json_set(text, '$.${path}', ${value}) WHERE sequence = ${at}`
  const swapped = (at: number): string =>
    `UPDATE entries SET (text, hash) = (SELECT text, hash FROM kept WHERE sequence = ${10 - at}) WHERE sequence = ${at}`
  const cases: [string[], number, string][] = [
    [[set('actor', `'ada'`, 3)], 3, 'altered'],
    [[set('time', '1', 4)], 4, 'altered'],
    [[set('subsystem', `'other'`, 5)], 5, 'altered'],
    [[set('outcome', `'AUTO_APPROVE'`, 1)], 1, 'altered'],
    [[set('payload.rule', `'other'`, 7)], 7, 'altered'],
    [['DELETE FROM entries WHERE sequence = 6'], 6, 'missing'],
    [['DELETE FROM entries WHERE sequence > 9'], 10, 'cut'],
    [['DELETE FROM entries WHERE sequence = 1', 'UPDATE entries SET sequence = 1 WHERE sequence = 2'], 1, 'altered'],
    [[2, 8].map((at) => swapped(at)), 2, 'altered'],
  ]
  const connection = await openDatabase(file, 1_000)
  connection.prepare(copy).run([])
  for (const [statements, at, fault] of cases) {
    for (const one of statements) connection.prepare(one).run([])
    expect([statements[0], await gate.verify()]).toMatchObject([statements[0], { valid: false, at, fault }])
    for (const one of back) connection.prepare(one).run([])
  }
  connection.close()
  expect(await gate.verify()).toMatchObject({ valid: true, entries: 12 })
})

it('GRACE 7: entries appended at once stand in one chain without a gap', async () => {
  gate = await startGate()
  const entry = { actor: 'ada', origin: 'human', action: 'tried', resource: 'x', outcome: 'ok' }
  const heads = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      gate.ask<{ result: { sequence: number } }>('POST', '/api/services/ledger/call', {
        method: 'append',
        args: [{ ...entry, payload: { n } }],
      }),
    ),
  )
  const sequences = heads.map(({ body }) => body.result.sequence).sort((a, b) => a - b)
  expect(sequences).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
  expect(await gate.verify()).toMatchObject({ valid: true, entries: 20 })
})

it('GRACE 8: what cannot be recorded is not done, and is said; when it can, it is', async () => {
  gate = await startGate()
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  const head = join(gate.root.path, 'runtime/control/ledger.head')
  const kept = gate.root.read('runtime/control/ledger.head')
  // A folder in the place of the file stands for a disk that takes no more.
  rmSync(head)
  mkdirSync(join(head, 'full'), { recursive: true })
  expect((await gate.approve(id)).status).toBeGreaterThanOrEqual(400)
  expect(codeOf(await gate.asModel('config_edit', { ...EDIT, set: { speed: 3 } }))).toBe('tool_hook_failed')
  expect(gate.root.read('configs/loop.yml')).toContain('speed: 1')
  expect(codeOf(await gate.asModel('filesystem_list_files', {}))).toBe('success')
  rmSync(head, { recursive: true })
  gate.root.write('runtime/control/ledger.head', kept)
  expect((await gate.approve(id)).body).toMatchObject({ state: 'approved', outcome: { ok: true } })
  expect(gate.root.read('configs/loop.yml')).toContain('speed: 2')
  expect(await gate.verify()).toMatchObject({ valid: true })
})

it('GRACE 19: the greater the impact, the more a person has to do with it', async () => {
  gate = await startGate()
  const file = (path: string, text?: string): object => ({ kind: 'file', path, operation: 'modify', text })
  const config = file('configs/loop.yml', `# a note\n${gate.root.read('configs/loop.yml')}`)
  const tuning = { kind: 'value', file: 'configs/loop.yml', key: 'harness.retry_limit', old: 10, new: 11 }
  const rows: [production: boolean, change: object, impact: Impact, tier: string, notice: boolean, twice: boolean][] = [
    [true, file('notes.txt', 'x'), 'MINIMAL', 'AUTO_APPROVE', false, false],
    [true, tuning, 'LOW', 'AUTO_APPROVE', true, false],
    [false, config, 'MODERATE', 'AUTO_APPROVE', true, false],
    [true, config, 'MODERATE', 'HUMAN_REVIEW', false, false],
    [false, { kind: 'grant', service: 'loop', grant: 'database.query' }, 'HIGH', 'HUMAN_REVIEW', false, false],
    [false, file('modules/loop.ts', 'x'), 'CRITICAL', 'HUMAN_REVIEW', false, true],
  ]
  for (const [production, change, impact, tier, notice, confirm_twice] of rows) {
    await gate.policy(`autonomy: full\nproduction: ${production}\n`)
    expect(await gate.check(change as never)).toMatchObject({ impact, tier, notice, confirm_twice })
  }
})

it('GRACE 20: what waits is done after a person approved it by name; rejected, expired or unknown, nothing changes', async () => {
  gate = await startGate()
  const before = gate.root.read('configs/loop.yml')
  const ask = async (speed: number): Promise<string> =>
    approvalOf(await gate.asModel('config_edit', { service: 'loop', set: { speed } }))
  const [rejected, expired] = [await ask(2), await ask(3)]
  expect((await gate.deny(rejected)).body.state).toBe('rejected')
  gate.skip(8 * 86_400_000)
  expect(await gate.approve(expired)).toMatchObject({ status: 409, body: { error: { code: 'approval_expired' } } })
  expect((await gate.approve('none')).status).toBe(404)
  expect((await gate.approve(await ask(4), { by: ' ' })).status).toBe(400)
  expect(gate.root.read('configs/loop.yml')).toBe(before)
  expect((await gate.approve(await ask(4), { by: 'ada' })).body).toMatchObject({ decided_by: 'ada', state: 'approved' })
  expect(gate.root.read('configs/loop.yml')).toContain('speed: 4')
})

it('GRACE 22: a change stands in the ledger as it was wanted, judged, approved and done, with who and why', async () => {
  gate = await startGate()
  const id = approvalOf(await gate.asModel('config_edit', EDIT))
  await gate.approve(id, { note: 'it is slow' })
  const told = (await gate.entries()).map(({ actor, action, outcome, reason }) => [actor, action, outcome, reason])
  const why = 'no direction is known for speed'
  expect(told).toEqual([
    ['assistant', 'policy_decided', 'HUMAN_REVIEW', `unknown_key: ${why}`],
    ['assistant', 'approval_requested', 'pending', why],
    ['ada', 'approval_approved', 'approved', 'it is slow'],
    ['assistant', 'tool_call_started', 'ok', 'config_edit, as it was approved'],
    ['policy', 'approval_done', 'ok', undefined],
  ])
  expect((await gate.entries(`resource=approval:${id}`)).length).toBe(4)
})
