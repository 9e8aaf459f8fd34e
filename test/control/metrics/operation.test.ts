/** Operational metrics of an agent: the numbers other systems' scores are made of, and null where there is nothing. */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OperationEvent } from '../../../modules/contracts/meta-metrics.ts'
import { operationOf } from '../../../modules/control/metrics/operation.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { startMeasured, type Measured } from './measured.ts'

type Type = OperationEvent['type']

const event = (type: Type, data: Record<string, unknown> = {}): OperationEvent => ({
  bot_id: 'default',
  type,
  session_id: null,
  data,
  at: 0,
})

const ORACLE: [Type, Record<string, unknown>][] = [
  ['tool_call', { success: true, tokens_in: 1_000, tokens_out: 200, duration_ms: 10 }],
  ['tool_call', { success: true, tokens_in: 500, tokens_out: 100 }],
  ['tool_call', { success: false, tokens_in: 100, tokens_out: 0 }],
  ['task_complete', { tokens_consumed: 2_000, duration_seconds: 10, retries: 1 }],
  ['task_complete', { tokens_consumed: 1_000, duration_seconds: 20, retries: 0 }],
  ['task_failed', { tokens_consumed: 600, duration_seconds: 0, retries: 2, error_type: 'timeout' }],
  ['session_end', { context_tokens: 50_000 }],
  ['session_end', { context_tokens: 80_000 }],
]

it('AROS 18: the set of the original has its numbers', () => {
  const events = ORACLE.map(([type, data]) => event(type, data))
  expect(operationOf(events, 3)).toEqual({
    tokens_consumed: 5_500,
    tokens_per_task: 1_833.3,
    tool_call_count: 3,
    tool_call_success_rate: 0.667,
    retry_count: 3,
    error_count_by_type: { timeout: 1 },
    context_window_usage: 65_000,
    wall_clock_per_task: 15,
    cost_usd: 0.0093,
    event_count: 8,
    task_count: 3,
    task_count_first_try: 1,
    task_count_7d: 3,
    confidence_accuracy: null,
    events_skipped: 0,
  })
})

it('an agent that did nothing is neither good nor bad', () => {
  expect(operationOf([], 0)).toMatchObject({
    tokens_per_task: null,
    tool_call_success_rate: null,
    context_window_usage: null,
    wall_clock_per_task: null,
    confidence_accuracy: null,
    event_count: 0,
    cost_usd: 0,
  })
})

describe('what is not told is not made up', () => {
  it('tasks that told no tokens have no tokens per task; one that told 0 has', () => {
    expect(operationOf([event('task_complete')], 1).tokens_per_task).toBeNull()
    expect(operationOf([event('task_complete', { tokens_consumed: 0 })], 1).tokens_per_task).toBe(0)
  })

  it('a tool call that says nothing of success has succeeded', () => {
    expect(operationOf([event('tool_call'), event('tool_call', { success: false })], 0).tool_call_success_rate).toBe(
      0.5,
    )
  })

  it('a failure without a type is of the type unknown; a completed task has none', () => {
    const events = [
      event('task_failed'),
      event('task_failed', { error_type: 3 }),
      event('task_complete', { error_type: 'x' }),
    ]
    expect(operationOf(events, 3).error_count_by_type).toEqual({ unknown: 2 })
  })

  it('of three tasks with 1, 0 and 2 retries, one was right at the first try', () => {
    const events = [1, 0, 2].map((retries) => event('task_complete', { retries }))
    expect(operationOf(events, 3)).toMatchObject({ task_count_first_try: 1, task_count: 3, retry_count: 3 })
  })
})

it('how well it knows itself is measured by what came of it', () => {
  const sure = [
    event('task_complete', { confidence: 0.9 }),
    event('task_failed', { confidence: 0.6 }),
    event('tool_call', { confidence: 0.8, success: false }),
    event('human_feedback', { confidence: 0.5, outcome: 0.7 }),
    event('task_complete'),
  ]
  expect(operationOf(sure, 3).confidence_accuracy).toBeCloseTo(1 - (0.1 + 0.6 + 0.8 + 0.2) / 4, 3)
})

describe('as the service keeps them', () => {
  let m: Measured
  beforeEach(async () => {
    m = await startMeasured()
  })
  afterEach(() => m.stop())

  const record = (type: Type, data: Record<string, unknown> = {}, bot_id = 'default'): Promise<unknown> =>
    m.metrics.record({ bot_id, type, session_id: null, data })

  it('AROS 23: events of another agent do not count', async () => {
    for (const [type, data] of ORACLE) await record(type, data)
    await record('tool_call', { success: false, tokens_in: 9e6 }, 'other')
    await record('task_failed', {}, 'other')
    expect(await m.metrics.operation()).toMatchObject({ tool_call_count: 3, retry_count: 3, event_count: 8 })
    expect(await m.metrics.operation({ bot_id: 'other' })).toMatchObject({ event_count: 2, task_count_7d: 1 })
    expect(await m.metrics.operation({ bot_id: 'nobody' })).toMatchObject({ event_count: 0, tokens_per_task: null })
  })

  it('AROS 36: a stored event that cannot be read is skipped and counted, and the others stand', async () => {
    await record('task_complete', { tokens_consumed: 10 })
    await record('task_complete', { tokens_consumed: 30 })
    const connection = await openDatabase(join(m.system.root.path, 'runtime/control/metrics.db'), 1_000)
    connection.prepare(`UPDATE events SET data = '{"tokens_consumed": 1' WHERE number = 1`).run([])
    connection.close()
    expect(await m.metrics.operation()).toMatchObject({ tokens_consumed: 30, task_count: 1, events_skipped: 1 })
    expect((await m.take()).errors['operation']).toContain('1 stored events cannot be read')
  })

  it('AROS 41: ten thousand events are collected and scored', async () => {
    const each = (n: number): Promise<unknown> =>
      n % 4 === 0
        ? record('task_complete', { tokens_consumed: 100, retries: n % 8 === 0 ? 1 : 0 })
        : record('tool_call', { success: n % 10 !== 1, tokens_in: 10, tokens_out: 1 })
    await Promise.all(Array.from({ length: 10_000 }, (_none, n) => each(n)))
    expect(await m.metrics.operation()).toMatchObject({
      event_count: 10_000,
      task_count: 2_500,
      task_count_first_try: 1_250,
      tool_call_count: 7_500,
      tokens_consumed: 250_000 + 7_500 * 11,
      events_skipped: 0,
    })
  })

  it('a window has its edge, and a week its own', async () => {
    await record('task_complete')
    m.clock.jump(2 * 86_400_000)
    await record('task_failed')
    expect(await m.metrics.operation()).toMatchObject({ task_count: 1, task_count_7d: 2 })
    expect(await m.metrics.operation({ window_ms: 3 * 86_400_000 })).toMatchObject({ task_count: 2 })
    m.clock.jump(6 * 86_400_000)
    expect(await m.metrics.operation()).toMatchObject({ task_count: 0, task_count_7d: 1 })
  })
})
