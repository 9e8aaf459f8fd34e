/** Rows of AROS and GRACE: how often the loop may run, what it is told, what it remembers, and what it tells. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Cycle } from '../../../modules/contracts/meta-loop.ts'
import type { OperationEvent } from '../../../modules/contracts/meta-metrics.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { HEALTHY } from '../meta-loop/asked.ts'
import { CADENCE, KNOBS, RETRIED, startLoop, UNRELIABLE, type Loop } from '../meta-loop/loop.ts'
import { worked } from '../meta-loop/made.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const FROZEN = 'cadence: {mode: frozen}\n'

let loop: Loop
const begin = async (config: string): Promise<void> => {
  loop = await startLoop(config)
}
beforeEach(() => {
  loop = undefined as never
})
afterEach(() => loop.stop())

const sessions = (count: number): OperationEvent[] =>
  Array.from({ length: count }, () => ({
    bot_id: 'default',
    type: 'session_start',
    session_id: 's',
    data: {},
    at: loop.clock.now(),
  }))
const statusOf = ({ status, reason }: Cycle): string => `${status} ${reason ?? ''}`.trim()

it('AROS 12: five sessions after a change its verdict comes once, against what was stored when it went live', async () => {
  await begin(CADENCE + KNOBS)
  loop.tell({ ...UNRELIABLE, operation: worked({ ...HEALTHY, ...RETRIED, tokens_per_task: 10_000 }) })
  expect(await loop.cycle()).toMatchObject({ applied: ['c1'] })
  const pending = parse(loop.root.read('runtime/control/pending-evaluations.yml')) as object
  expect(pending).toMatchObject({ pending: [{ eval_id: 'e-c1', baseline: { tokens_per_task: 10_000 } }] })
  await loop.restart()
  // What is measured now is not what it is compared with.
  loop.tell({ operation: HEALTHY, since: worked({ tokens_per_task: 9_400 }), events: sessions(4) })
  expect((await loop.cycle()).queued_signals).toEqual([])
  loop.tell({ events: sessions(5) })
  const { queued_signals } = await loop.cycle()
  const payload = { verdict: 'CONFIRMED', old: 10_000, new: 9_400, policy_change: { cycle: 1, proposal: 'c1' } }
  expect(queued_signals).toMatchObject([{ source: 'policy_delta', payload }])
  expect((await loop.cycle()).queued_signals).toEqual([])
})

it('a change that was live before its cycle was written beside it is judged with its cycle', async () => {
  await begin(CADENCE + KNOBS)
  loop.tell({ ...UNRELIABLE, operation: worked({ ...HEALTHY, ...RETRIED, tokens_per_task: 10_000 }) })
  await loop.cycle()
  const database = await openDatabase(join(loop.root.path, 'runtime/control/meta-loop.db'), 1_000)
  database.prepare(`UPDATE evaluations SET record = json_set(record, '$.policy_change.cycle', null)`).run([])
  database.close()
  loop.tell({ operation: HEALTHY, since: worked({ tokens_per_task: 9_400 }), events: sessions(5) })
  const { queued_signals } = await loop.cycle()
  expect(queued_signals).toMatchObject([{ payload: { policy_change: { cycle: 1, proposal: 'c1' } } }])
})

it('AROS 13: the next cycle perceives what the last one committed, also after a restart', async () => {
  await begin(CADENCE + KNOBS)
  loop.tell(UNRELIABLE)
  const first = await loop.cycle()
  expect(first.last_commit).toBe(null)
  await loop.restart()
  const last = { cycle: 1, changes_applied: ['c1'], changes_pending_review: [], identity_verdict: 'approved' }
  expect(parse(loop.root.read('runtime/control/last-commit.yml'))).toMatchObject(last)
  expect((await loop.cycle()).last_commit).toMatchObject(last)
})

it('AROS 30: the fifth cycle in an hour, the 21st in a day and one too soon are throttled, after a restart too; failures count', async () => {
  await begin(FROZEN)
  expect(statusOf(await loop.cycle())).toBe('completed')
  loop.clock.skip(179_000)
  expect(statusOf(await loop.cycle())).toBe('throttled min interval not met')
  loop.clock.skip(2_000)
  loop.tell({ fails: true })
  for (let count = 0; count < 3; count++) {
    expect((await loop.cycle()).status).toBe('failed')
    loop.clock.skip(4 * MINUTE_MS)
  }
  await loop.restart()
  expect(statusOf(await loop.cycle())).toBe('throttled hourly limit reached')
  loop.tell({ fails: false })
  loop.clock.skip(HOUR_MS)
  for (let count = 0; count < 16; count++) {
    loop.clock.skip(HOUR_MS / 2)
    expect(statusOf(await loop.cycle())).toBe('completed')
  }
  loop.clock.skip(HOUR_MS)
  expect(statusOf(await loop.cycle())).toBe('throttled daily limit reached')
})

it('AROS 31: emergencies pass the interval and the hour, but the third in an hour is refused, and all of them count', async () => {
  await begin(FROZEN)
  await loop.cycle()
  expect(statusOf(await loop.cycle('emergency'))).toBe('completed')
  expect(statusOf(await loop.cycle('emergency'))).toBe('completed')
  expect(statusOf(await loop.cycle('emergency'))).toBe('throttled emergency limit reached')
  loop.clock.skip(4 * MINUTE_MS)
  expect(statusOf(await loop.cycle())).toBe('completed')
  loop.clock.skip(4 * MINUTE_MS)
  expect(statusOf(await loop.cycle())).toBe('throttled hourly limit reached')
})

it('AROS 32: cycles come every four hours, 30 minutes, or eight hours; frozen none, but one that is asked for', async () => {
  await begin('cadence: {mode: balanced}\n')
  const inMode = async (mode: string, ms: number): Promise<void> => {
    await loop.configure(`cadence: {mode: ${mode}}\n`)
    const before = loop.clock.now()
    loop.clock.skip(ms - 10_000)
    const ended = loop.ended()
    loop.clock.skip(11_000)
    expect(await ended).toMatchObject({ trigger: 'scheduled', status: 'completed' })
    expect((await loop.meta.cycles({ limit: 1 })).cycles[0]?.started_at).toBeGreaterThanOrEqual(before + ms)
  }
  await inMode('balanced', 4 * HOUR_MS)
  await inMode('aggressive', 30 * MINUTE_MS)
  await inMode('conservative', 8 * HOUR_MS)
  await loop.configure(`${FROZEN}watch: {check_ms: 20, interval_seconds: 300}\n`)
  const { length } = (await loop.meta.cycles()).cycles
  // Once the second is there, what followed the first has been decided.
  for (let count = 0; count < 2; count++) {
    const watched = loop.system.event('meta.watched')
    loop.clock.skip(100 * HOUR_MS)
    await watched
  }
  expect((await loop.meta.cycles()).cycles).toHaveLength(length)
  expect(await loop.cycle()).toMatchObject({ status: 'completed', trigger: 'manual' })
})

it('AROS 33: away makes it faster, over a restart; who comes back is told what the log says', async () => {
  await begin('cadence: {mode: balanced, min_interval_between_cycles_seconds: 0}\n' + KNOBS)
  expect(await loop.meta.away(true)).toEqual({ mode: 'aggressive', briefing: null })
  await loop.restart()
  expect(await loop.meta.status()).toMatchObject({ cadence_mode: 'aggressive' })
  loop.tell({ ...UNRELIABLE, values: { ...UNRELIABLE.values, 'test.slow': 2 } })
  const ended = loop.ended()
  loop.clock.skip(31 * MINUTE_MS)
  expect(await ended).toMatchObject({ trigger: 'scheduled', applied: ['c1'], pending: ['c2'] })
  loop.tell({ fails: true })
  expect((await loop.cycle()).status).toBe('failed')
  const { mode, briefing } = await loop.meta.away(false)
  expect(mode).toBe('balanced')
  const log = await loop.lines('cycle_ended')
  expect(briefing).toMatchObject({
    cycles_run: log.length,
    cycles_completed: log.filter(({ outcome }) => outcome === 'completed').length,
    decisions_made: 2,
    pending_reviews: 1,
  })
  expect(briefing?.recent_activity).toHaveLength(2)
})

it('AROS 34: an urgent signal is perceived by the next cycle, in the order of time; what has expired is counted', async () => {
  await begin(CADENCE)
  await loop.meta.signal({ source: 'first', ttl_s: 60 })
  loop.clock.skip(61_000)
  await loop.meta.signal({ source: 'second', priority: 'urgent', payload: { why: 'now' } })
  loop.clock.skip(1)
  await loop.meta.signal({ source: 'third' })
  const cycle = await loop.cycle()
  expect(cycle.queued_signals.map(({ source, priority }) => [source, priority])).toEqual([
    ['second', 'urgent'],
    ['third', 'normal'],
  ])
  expect(cycle.signals_expired).toBe(1)
  expect(await loop.cycle()).toMatchObject({ queued_signals: [], signals_expired: 0 })
})

it('AROS 36: what is no signal is set aside and told, and the others are read', async () => {
  await begin(CADENCE)
  loop.root.write('runtime/signals/000000000000001_broken.json', '{"source": "half')
  loop.root.write('runtime/signals/000000000000002_banana.json', '{"source": "x", "priority": "banana"}')
  await loop.meta.signal({ source: 'whole' })
  const told = loop.system.event('meta.signal_bad')
  const cycle = await loop.cycle()
  expect(cycle.queued_signals).toMatchObject([{ source: 'whole' }])
  expect(cycle.notes).toEqual(['2 signals could not be read'])
  expect((await told).data).toMatchObject({ file: '000000000000001_broken.json' })
  expect(loop.root.read('runtime/signals/bad/000000000000001_broken.json')).toBe('{"source": "half')
})

it('AROS 40: its status answers with why there are no scores when what is measured cannot be read', async () => {
  await begin(CADENCE)
  await loop.cycle()
  loop.tell({ operation_fails: true })
  const status = await loop.meta.status()
  expect(status).toMatchObject({ scores: null, scores_error: 'the database cannot be read', last_cycle: { number: 1 } })
  expect(status.line.length).toBeLessThanOrEqual(500)
})
