/** Snapshots and events of agents: taken once, kept over reloads and restarts, bounded, and without anybody's words. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ControlMetricsApi, OperationEvent } from '../../../modules/contracts/meta-metrics.ts'
import type { SignedEventsApi } from '../../../modules/contracts/signed-events.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { rejection, startSystem } from '../../support/system.ts'
import { GATE_FILES, signed, startGate } from '../gate-system.ts'
import { FILES, startMeasured, type Measured } from './measured.ts'

const SECRET = 'hunter2-my-dog-is-called-Rex'

let m: Measured
beforeEach(async () => {
  m = await startMeasured()
})
afterEach(() => m.stop())

const CONFIG = FILES['configs/control/metrics.yml'] ?? ''

async function configure(text: string): Promise<void> {
  m.system.root.write('configs/control/metrics.yml', CONFIG + text)
  expect(await m.system.reload('control/metrics')).toMatchObject({ error: null })
}

const record = (data: Record<string, unknown>, more: object = {}): Promise<unknown> =>
  m.metrics.record({ bot_id: 'default', type: 'task_complete', session_id: null, data, ...more })

it('a list is in the order of time; the latest is the one taken last, also after the clock was set back', async () => {
  for (const ms of [60_000, 60_000, -90_000]) {
    await m.take()
    m.clock.jump(ms)
  }
  const last = await m.take()
  expect((await m.metrics.list()).snapshots.map(({ id }) => id)).toEqual(['s3', 's2', 's4', 's1'])
  expect((await m.metrics.list({ until: last.at, limit: 2 })).snapshots.map(({ id }) => id)).toEqual(['s4', 's1'])
  expect(await m.metrics.latest()).toEqual(last)
})

it('a snapshot has an id that grows, stands as it was taken, and is found by its id and its time', async () => {
  const first = await m.take()
  m.clock.jump(60_000)
  const second = await m.take()
  expect([first.id, second.id]).toEqual(['s1', 's2'])
  expect(await m.metrics.show('s1')).toEqual(first)
  expect(await m.metrics.latest()).toEqual(second)
  expect((await m.metrics.list()).snapshots.map(({ id }) => id)).toEqual(['s2', 's1'])
  expect((await m.metrics.list({ until: first.at })).snapshots).toEqual([first])
  expect((await m.metrics.list({ since: second.at, limit: 5 })).snapshots).toEqual([second])
  expect((await rejection(m.metrics.show('s9'))).code).toBe('snapshot_missing')
  expect((await rejection(m.metrics.show(`s1' OR 1`))).code).toBe('snapshot_missing')
})

it('before the first there is none', async () => {
  expect(await m.metrics.latest()).toBeNull()
  expect(await m.metrics.list()).toEqual({ snapshots: [] })
})

it('a snapshot on the disk cannot be altered', async () => {
  const taken = await m.take()
  const connection = await openDatabase(join(m.system.root.path, 'runtime/control/metrics.db'), 1_000)
  expect(() => connection.prepare(`UPDATE snapshots SET text = '{}'`).run([])).toThrow('never altered')
  connection.close()
  expect(await m.metrics.show(taken.id)).toEqual(taken)
})

it('the history of a metric is in the order of time; a path that is not there names those that are', async () => {
  await m.take()
  await m.call('calc', 'add', 1, 2)
  m.clock.jump(1_000)
  const { at } = await m.take()
  const { points } = await m.metrics.history('performance.avg_success_rate')
  expect(points).toMatchObject([
    { snapshot: 's1', value: null, samples: 0 },
    { snapshot: 's2', value: 1, samples: 1 },
  ])
  expect((await m.metrics.history('performance.avg_success_rate', { since: at })).points).toHaveLength(1)
  const refused = await rejection(m.metrics.history('performance.avg_sucess_rate'))
  expect(refused.code).toBe('metric_unknown')
  expect(refused.message).toContain('performance.avg_success_rate')
  expect(refused.hint).toContain('stability.restarts')
})

it('Aetherra 22: as many arrive as were sent: they are counted on over a reload, and once', async () => {
  for (let n = 0; n < 3; n++) await m.call('calc', 'add', n, n)
  await m.emit('tool.called', { tool: 'a', status: 'success' })
  await m.system.reload('control/metrics')
  await m.system.live('control/metrics', 2)
  await m.call('calc', 'add', 4, 4)
  await m.emit('tool.called', { tool: 'a', status: 'success' })
  const { values } = await m.take()
  expect(values['performance.avg_success_rate']).toEqual({ value: 1, samples: 4 })
  expect(values['performance.latency_s_p95']?.samples).toBe(4)
  expect(values['operation.tool_call_count']?.value).toBe(2)
})

it('an event is counted once while two versions hear of it', async () => {
  m.system.root.write(
    'modules/control/stands_in.mjs',
    'export class Module { list() { return new Promise(() => {}) } }',
  )
  await m.system.live('rollouts', 2)
  const pending = m.take()
  await m.system.reload('control/metrics')
  const told = m.system.event('tool.called')
  await m.call('tools', 'invoke', 'calc_sum', {})
  await told
  expect((await m.system.show('control/metrics')).draining).toHaveLength(1)
  expect((await m.metrics.operation()).tool_call_count).toBe(1)
  await pending
})

it('snapshots, events and what was spent outlive the process', async () => {
  const cost = { usage: { input_tokens: 1, output_tokens: 1, cached_tokens: 0, cost_usd: 400 } }
  await m.emit('model.called', cost)
  await record({ tokens_consumed: 5 })
  const taken = await m.take()
  expect(taken.values['budget.days_until_exhausted']?.value).toBe(1)
  await m.system.kernel.stop('test', 2_000)
  const again = await startSystem(m.system.root)
  const metrics = again.getApi<ControlMetricsApi>('control/metrics')
  expect(await metrics.show('s1')).toEqual(taken)
  const next = await metrics.take()
  expect(next.id).toBe('s2')
  expect(next.values['budget.total_spend']?.value).toBeNull()
  expect(next.values['budget.days_until_exhausted']?.value).toBe(1)
  expect(next.values['operation.tokens_consumed']?.value).toBe(5)
  await again.kernel.stop('test', 2_000)
})

it('no text of an event is in any file, and equal texts stay equal', async () => {
  const data = {
    comment: SECRET,
    error_type: SECRET,
    task_id: SECRET,
    tool: SECRET,
    [SECRET]: 1,
    metric: { deep: SECRET },
  }
  await record(data, { type: 'task_failed', session_id: SECRET })
  await record({ comment: SECRET, error_type: 'timeout', unheard_of: 7 }, { session_id: SECRET })
  await m.emit('tool.called', { tool: SECRET, status: 'error', code: 'x', caller: SECRET })
  await m.emit('signed.human_feedback', { payload: { comment: SECRET, rating: 1 } })
  await m.take()
  const folder = join(m.system.root.path, 'runtime/control')
  const files = readdirSync(folder)
  expect(files).toContain('metrics.db-wal')
  for (const file of files) expect([file, readFileSync(join(folder, file)).includes('hunter2')]).toEqual([file, false])
  const { events } = await m.metrics.recorded({ types: ['task_complete', 'task_failed'] })
  const [complete, failed] = events as [OperationEvent, OperationEvent]
  expect(complete.session_id).toBe(failed.session_id)
  expect(complete.data['comment']).toBe(failed.data['comment'])
  expect(complete.data['comment']).toMatch(/^[0-9a-f]{16}$/)
  expect(Object.keys(complete.data)).toEqual(['comment', 'error_type'])
  expect(complete.data['error_type']).toBe('timeout')
  expect(statSync(join(folder, 'metrics.key')).mode & 0o777).toBe(0o600)
})

it('a type of event that is not known is refused with those that are, and nothing is kept', async () => {
  const refused = await rejection(
    m.metrics.record({ bot_id: 'default', type: 'coffee' as never, session_id: null, data: {} }),
  )
  expect(refused.code).toBe('event_invalid')
  for (const type of ['tool_call', 'task_failed', 'policy_delta']) expect(refused.message).toContain(type)
  expect((await rejection(record({}, { bot_id: 'a b' }))).message).toContain('bot_id')
  expect((await rejection(m.metrics.recorded({ types: ['coffee' as never] }))).code).toBe('event_invalid')
  expect((await m.metrics.operation()).event_count).toBe(0)
})

it('what was recorded is given newest first, of the types that were asked for', async () => {
  await record({ retries: 1 })
  await record({}, { type: 'session_start' })
  m.clock.jump(1_000)
  const since = m.clock.now()
  await record({ retries: 2 })
  const all = (await m.metrics.recorded()).events
  expect(all.map(({ type, data }) => [type, data['retries']])).toEqual([
    ['task_complete', 2],
    ['session_start', undefined],
    ['task_complete', 1],
  ])
  expect((await m.metrics.recorded({ types: ['task_complete'], limit: 1 })).events).toEqual([all[0]])
  expect((await m.metrics.recorded({ since })).events).toHaveLength(1)
})

it('a task that says it failed has failed; a turn of a chat is a task, and its conversation a session', async () => {
  m.system.root.write('modules/agents/talker.mjs', TALKER)
  m.system.root.write('configs/talker.yml', 'prog: agents/talker\n')
  await m.system.live('talker')
  await record({ status: 'failed' })
  for (const status of ['done', 'done', 'parked', 'cut']) await m.call('talker', 'chat', { status })
  await m.call('talker', 'chat', { status: 'throws' })
  expect(await m.metrics.operation()).toMatchObject({
    task_count: 5,
    retry_count: 3,
    tokens_consumed: 90,
    error_count_by_type: { unknown: 1, cut: 1, provider_failed: 1 },
  })
  expect((await m.metrics.recorded({ types: ['session_start'] })).events).toHaveLength(1)
})

const TALKER = `
export class Module {
  async chat({ status }) {
    if (status === 'throws') throw Object.assign(new Error('away'), { code: 'provider_failed' })
    return { conversation_id: 'c1', status, answer: 'a secret', steps: [{ status: 'error' }, { status: 'success' }],
      usage: { input_tokens: 20, output_tokens: 10 } }
  }
}
`

it('the oldest go: snapshots by number and by age, events too', async () => {
  await configure('snapshots_max: 2\nevents_max: 3\nsnapshots_days: 3\nevents_days: 2\n')
  for (let n = 0; n < 5; n++) await record({ retries: n })
  expect(await m.metrics.operation()).toMatchObject({ task_count: 3, retry_count: 2 + 3 + 4 })
  for (let n = 0; n < 3; n++) await m.take()
  expect((await m.metrics.list()).snapshots.map(({ id }) => id)).toEqual(['s3', 's2'])
  m.clock.jump(4 * 86_400_000)
  await m.take()
  expect((await m.metrics.list()).snapshots.map(({ id }) => id)).toEqual(['s4'])
  expect((await m.metrics.recorded()).events).toEqual([])
})

it('no more events wait for the disk than the config says', async () => {
  await configure('waiting_max: 2\n')
  const sent = await Promise.allSettled([record({}), record({}), record({})])
  expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  expect((sent[2] as PromiseRejectedResult).reason).toMatchObject({ code: 'events_full' })
})

it('what the measuring itself asks is not measured', async () => {
  await m.says('rollouts', { list: { proposals: [] } })
  await m.take()
  m.past()
  for (let n = 0; n < 3; n++) await m.take()
  const { values, domains } = await m.take()
  expect(values['performance.agent_count']?.value).toBe(0)
  expect(values['errors.total_findings']?.value).toBe(0)
  const services = domains.flatMap((one) => one.services)
  expect(services.find(({ api }) => api === 'rollouts')?.calls).toBe(0)
  expect(services.find(({ api }) => api === 'ledger')).toMatchObject({ calls: 0, errors: 0 })
})

it('an organ that cannot answer while it is measured is no failure that anybody met', async () => {
  const failed = m.system.event('call.failed', ({ api }) => api === 'rollouts')
  await m.take()
  await failed
  expect((await m.value('telemetry.error_event_count')).value).toBe(0)
  await m.call('rollouts', 'list')
  await m.callWith({}, 'calc', 'fail')
  expect((await m.value('telemetry.error_event_count')).value).toBeGreaterThan(0)
})

it('where next to no time was spent, nobody knows where it went', async () => {
  const allow = async (ms: number): Promise<void> => {
    m.system.root.write('configs/control/metrics.yml', CONFIG.replace('busy_ms_min: 10', `busy_ms_min: ${ms}`))
    expect(await m.system.reload('control/metrics')).toMatchObject({ error: null })
  }
  await allow(600_000)
  await m.call('calc', 'wait', 20)
  expect((await m.value('budget.productive_ratio')).value).toBeNull()
  await allow(10)
  expect((await m.value('budget.productive_ratio')).value).toBeGreaterThan(0.5)
})

it('a snapshot that cannot be stored is not given out', async () => {
  const connection = await openDatabase(join(m.system.root.path, 'runtime/control/metrics.db'), 1_000)
  connection.prepare('DROP TABLE snapshots').run([])
  connection.close()
  expect((await rejection(m.take())).message).toContain('snapshots')
})

it("signed events of an agent's work are its events, and others are not", async () => {
  const config =
    GATE_FILES['configs/control/events.yml']?.replace('types:\n', 'types:\n  - {type: task_complete}\n') ?? ''
  const gate = await startGate({
    'configs/control/events.yml': config,
    'configs/metrics.yml': 'prog: control/metrics\n',
  })
  const events = gate.getApi<SignedEventsApi>('events')
  const metrics = gate.getApi<ControlMetricsApi>('metrics')
  await events.publish(signed('probe', { type: 'task_complete', payload: { bot_id: 'ci', data: { retries: 2 } } }))
  await events.publish(signed('probe', { type: 'task_failed', payload: { retries: 1, error_type: 'timeout' } }))
  await events.publish(signed('probe', { type: 'decision.made', payload: { bot_id: 'ci' } }))
  await expect.poll(() => metrics.operation({ bot_id: 'ci' })).toMatchObject({ event_count: 1, retry_count: 2 })
  expect(await metrics.operation()).toMatchObject({ event_count: 1, error_count_by_type: { timeout: 1 } })
  await gate.stop()
})
