/** Rows of AROS: what the meta-loop answers over HTTP, with the keys its clients know, and what it refuses. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CADENCE, KNOBS, startLoop, UNRELIABLE, type Loop } from '../meta-loop/loop.ts'

const TOKEN = 'the-token-of-this-test-long-enough-to-be-one'
const HTTP = { 'configs/http.yml': 'prog: services/http\nport: 0\n', 'runtime/token': `${TOKEN}\n` }
const GOALS = ['G1_truthful', 'G2_economical', 'G3_reliable', 'G4_capable', 'G5_diligent', 'G6_self_know']
const SLOW = { values: { 'performance.avg_success_rate': 1, 'test.slow': 2 } }

let loop: Loop
beforeEach(async () => {
  loop = await startLoop(CADENCE + KNOBS, HTTP)
})
afterEach(() => loop.stop())

interface Reply {
  status: number
  body: Record<string, never> & { error?: { code: string; message: string } }
}

async function ask(method: 'GET' | 'POST', path: string, body: object = {}): Promise<Reply> {
  const { url } = JSON.parse(loop.root.read('runtime/http.json')) as { url: string }
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const given = method === 'GET' ? { headers } : { method, headers, body: JSON.stringify(body) }
  const response = await fetch(`${url}/api/${path}`, given)
  return { status: response.status, body: (await response.json()) as Reply['body'] }
}
const get = (path: string): Promise<Reply> => ask('GET', path)
const post = (path: string, body?: object): Promise<Reply> => ask('POST', path, body)

async function refused(path: string, body: object, words: string[]): Promise<void> {
  const { status, body: answer } = await post(path, body)
  expect([path, body, status]).toEqual([path, body, 400])
  for (const word of words) expect(answer.error?.message).toContain(word)
}

it('AROS 38: what the loop does not know is refused over HTTP with what it knows, and nothing is kept', async () => {
  const priorities = ['low', 'normal', 'high', 'urgent']
  await refused('meta-loop/signal', { source: 'probe', priority: 'banana' }, priorities)
  await refused('meta-loop/signal', { priority: 'high' }, ['source'])
  await refused('meta-loop/signal', { source: ' ' }, ['source'])
  await refused('meta-loop/signal', { source: 'probe', payload: 'text' }, ['payload'])
  await refused('meta-loop/event', { bot_id: 'default', event_type: 'unknown_type' }, ['task_failed', 'policy_delta'])
  await refused('meta-loop/event', { event_type: 'task_failed' }, ['bot_id'])
  await refused('meta-loop/event', { bot_id: 'default' }, ['event_type'])
  await refused('meta-loop/trigger', { trigger: 'whenever' }, ['manual', 'scheduled', 'emergency', 'signal'])
  await refused('meta-loop/trigger', { bot_id: 'somebody' }, ['default'])
  await refused('meta-loop/nirmana', {}, ['activate'])
  await refused('meta-loop/nirmana?activate=maybe', {}, ['true', 'false'])
  for (const path of ['meta/rules?type=other', 'meta/proposals?state=other', 'meta-loop/evolution-log?limit=0'])
    expect([path, (await get(path)).status]).toEqual([path, 400])
  expect((await get('meta/signals')).body).toEqual({ signals: [] })
  expect((await get('meta-loop/status')).body).toMatchObject({ last_cycle: null, cadence_mode: 'balanced' })
  expect((await get('meta-loop/evolution-log')).body).toEqual({ entries: [], count: 0 })
})

it('AROS 39: each of the eight endpoints answers with the keys its clients know, and reject and rollback exist', async () => {
  loop.tell(SLOW)
  expect((await get('meta-loop/status')).body).toMatchObject({ running: false, last_cycle: null, pending_approvals: 0 })
  const signal = { source: 'probe', priority: 'urgent', payload: { n: 1 } }
  expect((await post('meta-loop/signal', signal)).body).toMatchObject({ status: 'queued', source: 'probe' })
  expect((await get('meta/signals')).body).toMatchObject({ signals: [{ ...signal, ttl_s: 3_600 }] })
  const event = { bot_id: 'default', event_type: 'task_complete', session_id: 's', data: { retries: 0 } }
  expect((await post('meta-loop/event', event)).body).toEqual({ status: 'recorded' })

  loop.tell({ take_ms: 1_000 })
  const cycle = loop.ended()
  expect((await post('meta-loop/trigger')).body).toEqual({ status: 'started', message: 'Cycle triggered: manual' })
  const again = { trigger: 'harness_complete', bot_id: 'default' }
  expect((await post('meta-loop/trigger', again)).body).toEqual({ status: 'skipped', message: 'Cycle already running' })
  expect((await get('meta-loop/status')).body).toMatchObject({ running: true })
  expect(await cycle).toMatchObject({ number: 1, status: 'completed' })
  loop.tell({ take_ms: 0 })

  const status = (await get('meta-loop/status')).body
  expect(Object.keys(status['meta_goal_scores'] ?? {})).toEqual([...GOALS, 'aggregate', 'below_threshold'])
  expect(status).toMatchObject({
    running: false,
    bot_id: 'default',
    cadence_mode: 'balanced',
    pending_approvals: 1,
    scores_source: 'live',
    meta_goal_error: null,
    l1_metrics: { tool_call_count: expect.any(Number) as number, error_count_by_type: {} },
    last_cycle: {
      cycle_num: 1,
      trigger: 'manual',
      started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      finished_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      steps_completed: 6,
      status: 'completed',
      identity_verdict: 'approved',
    },
  })
  const log = (await get('meta-loop/evolution-log?limit=20')).body as unknown as { entries: object[]; count: number }
  expect(log.count).toBe(1)
  expect(log.entries[0]).toMatchObject({
    cycle_num: 1,
    trigger: 'manual',
    action: 'POLICY_UPDATE',
    changes_applied: [],
    changes_pending_review: ['c1'],
    identity_verdict: 'approved',
    timestamp: expect.any(String) as string,
  })

  const waiting = (await get('meta-loop/pending-approvals')).body as unknown as {
    pending: { change_id: string }[]
    count: number
  }
  expect(waiting.count).toBe(1)
  const id = waiting.pending[0]?.change_id ?? ''
  expect(Object.keys(waiting.pending[0] ?? {})).toEqual(
    expect.arrayContaining(['change_id', 'section', 'key', 'old_value', 'new_value', 'reason', 'status', 'created_at']),
  )
  expect((await post(`meta-loop/approve/${id}`)).body).toEqual({ status: 'approved', change_id: id })
  expect(loop.root.read('configs/shop.yml')).toContain('speed: 11')
  expect((await post(`meta-loop/approve/${id}`)).status).toBe(409)
  expect((await post('meta-loop/approve/nothing')).status).toBe(404)
  expect((await post('meta-loop/reject/nothing', { reason: 'no' })).status).toBe(404)
  expect((await post(`meta-loop/rollback/${id}`, { by: 'ada' })).body).toEqual({ status: 'undone', change_id: id })
  expect(loop.root.read('configs/shop.yml')).toContain('speed: 10')
  expect((await post(`meta-loop/rollback/${id}`)).status).toBe(409)
  expect((await post('meta-loop/rollback/c99')).status).toBe(404)
})

it('AROS 33: away over HTTP makes it faster; who comes back gets the counts of the log', async () => {
  const on = 'meta-loop/nirmana?activate=true'
  expect((await post(on)).body).toEqual({ status: 'activated', mode: 'aggressive' })
  expect((await get('meta-loop/status')).body).toMatchObject({ cadence_mode: 'aggressive' })
  await loop.cycle()
  await loop.cycle()
  const back = (await post('meta-loop/nirmana?activate=false')).body
  const { count } = (await get('meta-loop/evolution-log')).body as unknown as { count: number }
  expect(back).toMatchObject({
    status: 'deactivated',
    mode: 'balanced',
    briefing: { cycles_run: count, cycles_completed: 2, decisions_made: 0, pending_reviews: 0 },
  })
  expect((await post('meta-loop/nirmana?activate=false')).body).toMatchObject({ mode: 'balanced', briefing: null })
})

it('AROS 40: the status over HTTP has no scores and the reason when the database cannot be read', async () => {
  await loop.cycle()
  loop.tell({ operation_fails: true })
  expect(await get('meta-loop/status')).toMatchObject({
    status: 200,
    body: {
      last_cycle: { cycle_num: 1 },
      meta_goal_scores: null,
      meta_goal_error: 'the database cannot be read',
      scores_source: 'error',
      l1_metrics: null,
    },
  })
})

it('a cycle the cadence refuses is told as such, and a root without the loop answers 503', async () => {
  await loop.configure(KNOBS)
  await loop.cycle()
  const { body } = await post('meta-loop/trigger')
  expect(body).toMatchObject({ status: 'throttled', message: 'min interval not met' })
  loop.root.remove('configs/control/meta-loop.yml')
  await loop.system.event('service.stopped', ({ api }) => api === 'meta-loop')
  for (const path of ['meta-loop/status', 'meta/status', 'meta/config', 'meta/rules', 'meta/signals', 'meta/health'])
    expect([path, await get(path)]).toMatchObject([path, { status: 503, body: { error: { code: 'loop_missing' } } }])
  for (const path of ['meta-loop/trigger', 'meta-loop/nirmana?activate=true'])
    expect([path, (await post(path)).status]).toEqual([path, 503])
})

it('config, rules, proposals and health of the loop are read in pages', async () => {
  expect((await get('meta/config')).body).toMatchObject({
    config: { bot_id: 'default', cadence: { mode: 'balanced' } },
  })
  const custom = await get('meta/rules?type=custom')
  expect(custom.body).toMatchObject({ rules: [{ type: 'custom', rule: { name: 'slow_shop' } }] })
  const names: string[] = []
  for (let cursor = ''; ; ) {
    const { body } = await get(`meta/rules?limit=4${cursor}`)
    const page = body as unknown as { rules: { rule: { name: string } }[]; next_cursor?: string }
    names.push(...page.rules.map(({ rule }) => rule.name))
    if (page.next_cursor === undefined) break
    cursor = `&cursor=${page.next_cursor}`
  }
  expect(names).toHaveLength(10)
  expect(new Set(names).size).toBe(10)
  loop.tell({ ...UNRELIABLE, values: { ...UNRELIABLE.values, 'test.slow': 2 } })
  await loop.cycle()
  const all = (await get('meta/proposals')).body as unknown as { proposals: { id: string }[] }
  expect(all.proposals.map(({ id }) => id)).toEqual(['c2', 'c1'])
  expect((await get('meta/proposals?state=waiting')).body).toMatchObject({ proposals: [{ id: 'c2' }] })
  expect((await get('meta/health')).body).toMatchObject({ health: { cycles: 1 }, alerts: [] })
  expect((await get('meta/status')).body).toMatchObject({ line: expect.stringMatching(/^\[Meta-loop/) as string })
})
