/** What a model may ask of the loop and tell it. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ToolsApi } from '../../../modules/contracts/services.ts'
import type { ToolResult } from '../../../modules/contracts/tool.ts'
import { errorOf, valueOf } from '../../support/tools.ts'
import { CADENCE, KNOBS, startLoop, type Loop } from './loop.ts'

const SLOW = { values: { 'performance.avg_success_rate': 0.9, 'test.slow': 2 } }
const SINCE = { since: '2000-01-01T00:00:00Z' }

let loop: Loop
beforeEach(async () => {
  loop = await startLoop(CADENCE + KNOBS, { 'configs/tools.yml': 'prog: services/tools\nhooks: [policy]\n' })
})
afterEach(() => loop.stop())

const tools = () => loop.system.getApi<ToolsApi>('tools')
const invoke = (name: string, params: object = {}): Promise<ToolResult> =>
  tools().invoke(`meta_loop_${name}`, params as Record<string, unknown>, { caller: 'assistant' })
const value = async <T = Record<string, unknown>>(name: string, params?: object): Promise<T> =>
  valueOf(await invoke(name, params)) as T

it('the tools that only read say so, and there is one for each domain', async () => {
  const { tools: listed } = await tools().list()
  const own = listed.filter(({ api }) => api === 'meta-loop')
  const changing = own.filter(({ read_only }) => read_only !== true).map(({ method }) => method)
  expect(changing.sort()).toEqual(['signal', 'submit_proposal', 'trigger'])
  expect(own.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['meta_loop_status', 'meta_loop_get_performance', 'meta_loop_get_telemetry']),
  )
  expect(own).toHaveLength(16)
})

it('a signal with a payload that is no JSON object is kept raw, and a cycle that is asked for reads it', async () => {
  expect(await value('signal', { source: 'probe', priority: 'high', payload: '{"n": 1}' })).toMatchObject({
    status: 'queued',
  })
  for (const payload of ['half {', '[1]']) {
    loop.clock.skip(1)
    await value('signal', { source: 'probe', payload })
  }
  loop.clock.skip(1)
  expect(errorOf(await invoke('signal', { source: 'probe', priority: 'banana' })).message).toContain('urgent')
  expect(await value('trigger', { trigger_reason: 'it feels slow' })).toMatchObject({ number: 1, status: 'completed' })
  const [cycle] = (await loop.meta.cycles()).cycles
  expect(cycle?.queued_signals.map(({ source, payload }) => [source, payload])).toEqual([
    ['probe', { n: 1 }],
    ['probe', { raw: 'half {' }],
    ['probe', { raw: '[1]' }],
    ['assistant', { trigger_reason: 'it feels slow' }],
  ])
  expect(await value('status')).toMatchObject({ last_cycle: { number: 1 } })
  expect(await value('evolution_log')).toMatchObject({ entries: [{ number: 1, status: 'completed' }] })
})

it('the tool that approves allows nothing, whoever calls it with whatever; it says how a person does, and that works', async () => {
  const { tools: listed } = await tools().list()
  const { description } = listed.find(({ name }) => name === 'meta_loop_approve') ?? {}
  expect(description).toContain('Allows nothing')
  expect(description).toContain('`mm approve ID`')
  loop.tell(SLOW)
  await loop.cycle()
  const [tuning] = await loop.approvals.list({ state: 'pending' })
  const [id, token] = [tuning?.id ?? '', loop.root.read('runtime/token').trim()]
  expect(errorOf(await invoke('approve', { change_id: id, token })).code).toBe('bad_params')
  const asPerson = await tools().invoke('meta_loop_approve', { change_id: id }, { caller: 'mm', operator: token })
  for (const refused of [asPerson, await invoke('approve', { change_id: id })]) {
    const { code, message } = errorOf(refused)
    expect([code, message.includes(`\`mm approve ${id}\`; \`mm deny ${id} --reason`)]).toEqual(['operator_only', true])
  }
  expect(await loop.approvals.show(id)).toMatchObject({ state: 'pending', confirmed_by: null })

  const { approval_id } = await loop.propose('modules/shop.mjs', 'export class Module {}\n')
  const code = String(approval_id)
  const first = `\`mm approve ${code}\`, then \`mm approve ${code} --reason "…"\``
  expect(errorOf(await invoke('approve', { change_id: code })).message).toContain(first)
  await loop.approvals.approve(code, { by: 'ada', token, reason: 'looked at it' })
  const { message } = errorOf(await invoke('approve', { change_id: code }))
  expect([message.includes(first), message.includes('--reason "…"')]).toEqual([false, true])

  await loop.approvals.approve(id, { by: 'ada', token })
  expect(loop.root.read('configs/shop.yml')).toContain('speed: 11')
  expect(errorOf(await invoke('approve', { change_id: id })).code).toBe('approval_decided')
})

it('a domain is read from the snapshots that were taken, and without one nothing is known', async () => {
  expect(errorOf(await invoke('get_performance')).message).toContain('since')
  expect(errorOf(await invoke('get_performance', { since: 'yesterday' })).code).toBe('bad_params')
  expect(await value('get_org_snapshot', SINCE)).toEqual({ snapshot: null })
  const before = await value<{ metrics: { path: string }[] }>('get_performance', SINCE)
  expect(before.metrics[0]).toMatchObject({ path: 'performance.avg_success_rate', value: null, samples: 0, points: [] })
  loop.tell(SLOW)
  await loop.cycle()
  expect(await value('get_performance', SINCE)).toMatchObject({
    snapshots: 1,
    metrics: [{ value: 0.9, samples: 1_000, points: [{ value: 0.9 }] }, { value: 2 }, { value: null }],
  })
  expect(await value('get_budget', SINCE)).toMatchObject({ domain: 'budget', metrics: [] })
  expect(await value('get_org_snapshot', SINCE)).toMatchObject({ snapshot: { id: 's1' } })
})

it('a model sees what waits, may not allow it, and what it submits is judged', async () => {
  loop.tell(SLOW)
  await loop.cycle()
  const { pending } = await value<{ pending: { id: string }[] }>('pending_approvals')
  const id = pending[0]?.id ?? ''
  expect(errorOf(await invoke('approve', { change_id: id }))).toMatchObject({
    code: 'operator_only',
    message: expect.stringContaining(`mm approve ${id}`) as string,
  })
  expect(errorOf(await invoke('approve', { change_id: 'nothing' })).code).toBe('approval_missing')
  expect(loop.root.read('configs/shop.yml')).toContain('speed: 10')

  const edit = { path: 'configs/shop.yml', base_hash: loop.hashOf('configs/shop.yml'), text: 'speed: 12\n' }
  const proposal = { service: 'shop', title: 'faster', intent: 'answers sooner', edits: [edit] }
  for (const more of [{}, { confirm: false, reason: 'so' }, { confirm: true }, { confirm: true, reason: ' ' }])
    expect([more, errorOf(await invoke('submit_proposal', { proposal, ...more })).code]).toEqual([more, 'bad_params'])
  const submitted = await value('submit_proposal', { proposal, confirm: true, reason: 'it is slow' })
  expect(submitted).toMatchObject({ state: 'waiting', actor: 'assistant', origin: 'self' })
  const all = await value<{ proposals: { id: string }[]; total: number }>('get_proposals', { status: 'waiting' })
  expect(all).toMatchObject({ total: 2, offset: 0, proposals: [{ id: submitted['id'] }, { actor: 'meta-loop' }] })
  expect(await value('get_proposals', { offset: 1, limit: 1 })).toMatchObject({ proposals: [{ actor: 'meta-loop' }] })
  expect(loop.root.read('configs/shop.yml')).toContain('speed: 10')
})
