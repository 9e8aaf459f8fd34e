/**
 * For each metric of the catalogue: what makes it known, what changes its source, and what it is then. `more` and `less`
 * stand where a clock decides how much. Used by `catalogue.test.ts`.
 */
import type { Measured } from './measured.ts'
import {
  BIG,
  BROKEN,
  GOOD,
  add,
  begins,
  breaks,
  busy,
  clears,
  crash,
  documents,
  entries,
  fail,
  model,
  nothing,
  proposals,
  recovers,
  remove,
  request,
  task,
  together,
  toolCall,
  wait,
} from './means.ts'

export interface Change {
  first: (m: Measured) => Promise<unknown>
  next: (m: Measured) => Promise<unknown>
  is: [before: number, after: number] | 'more' | 'less'
  /** what it is when its source has told nothing: null, 0 for a count; `stays`: its source is the system itself */
  without?: 'stays'
  /** leaves things as they were */
  end?: (m: Measured) => Promise<unknown>
}

let ballast: object[] = []

export const CHANGES: Record<string, Change> = {
  'performance.avg_quality_score': {
    first: (m) => m.emit('tool.called', { tool: 'a', status: 'success' }),
    next: (m) => m.emit('tool.called', { tool: 'a', status: 'error', code: 'bad_params' }),
    is: [10, 5],
  },
  'performance.avg_success_rate': {
    first: async (m) => {
      for (let n = 0; n < 4; n++) await add(m)
    },
    next: fail,
    is: [1, 0.8],
  },
  'performance.avg_collaboration_score': {
    first: (m) => m.call('caller', 'ask', 'add'),
    next: (m) => m.call('caller', 'ask', 'fail'),
    is: [10, 5],
  },
  'performance.agent_count': { first: add, next: (m) => m.call('caller', 'idle'), is: [1, 2] },
  'performance.latency_s_p50': {
    first: add,
    next: async (m) => {
      await wait('calc', 30)(m)
      await wait('calc', 30)(m)
    },
    is: 'more',
  },
  'performance.latency_s_p95': { first: add, next: wait('calc', 30), is: 'more' },
  'budget.total_spend': { first: (m) => model(m, 0.5), next: (m) => model(m, 0.25), is: [0.5, 0.75] },
  'budget.spend_per_hour': { first: (m) => model(m, 0.5), next: (m) => model(m, 0.25), is: [0.5, 0.75] },
  'budget.tokens': { first: (m) => model(m, null), next: (m) => model(m, null), is: [30, 60] },
  'budget.productive_ratio': { first: wait('calc', 30), next: wait('helper', 60), is: 'less' },
  'budget.coordination_ratio': { first: wait('calc', 30), next: wait('helper', 60), is: 'more' },
  'budget.system_ratio': { first: wait('calc', 30), next: wait('emitter', 60), is: 'more' },
  'budget.orchestration_overhead': { first: wait('calc', 30), next: wait('helper', 60), is: 'more' },
  'budget.days_until_exhausted': { first: (m) => model(m, 1), next: (m) => model(m, 9), is: 'less' },
  'budget.forecast_confidence': { first: (m) => model(m, 1), next: (m) => model(m, 1), is: [0.05, 0.1] },
  'coordination.coordination_efficiency': { first: (m) => request(m, 1), next: (m) => request(m, 3), is: [1, 0.5] },
  'coordination.coordination_overhead_pct': { first: (m) => request(m, 1), next: (m) => request(m, 3), is: [0, 100] },
  'coordination.error_amplification': {
    first: async (m) => {
      for (const tools of [['calc_sum'], ['calc_boom'], ['calc_sum', 'calc_boom']]) await request(m, 0, tools)
    },
    next: (m) => request(m, 0, ['calc_boom', 'calc_boom']),
    is: [1, 1.5],
  },
  'coordination.message_density': { first: (m) => request(m, 1), next: (m) => request(m, 1, [], 1), is: [1, 1.5] },
  'coordination.redundancy_rate': { first: add, next: add, is: [0, 0.5] },
  'coordination.straggler_gap_ratio': {
    first: (m) => together(m, 60, 60),
    next: (m) => together(m, 5, 5, 5, 100),
    is: 'more',
  },
  'coordination.sample_count': { first: (m) => request(m, 1), next: (m) => request(m, 1), is: [1, 2] },
  'scaling.total_decisions': { first: begins, next: (m) => remove(m, 'extra'), is: [1, 2] },
  'scaling.success_rate': { first: begins, next: breaks, is: [1, 0.5], end: clears },
  'errors.total_findings': { first: fail, next: fail, is: [1, 2] },
  'errors.kinds': {
    first: (m) => m.emit('service.fault', { api: 'calc', error: { code: 'a' } }),
    next: async (m) => {
      await m.emit('service.fault', { api: 'calc', error: { code: 'a' } })
      await m.emit('service.fault', { api: 'caller', error: { code: 'a' } })
    },
    is: [1, 2],
  },
  'errors.error_rate': { first: add, next: fail, is: 'more' },
  'evolution.total_proposals': { first: proposals('waiting'), next: proposals('waiting', 'confirmed'), is: [1, 2] },
  'evolution.approval_rate': { first: proposals('confirmed'), next: proposals('confirmed', 'rejected'), is: [1, 0.5] },
  'evolution.kept_rate': { first: proposals('confirmed'), next: proposals('confirmed', 'restored'), is: [1, 0.5] },
  'evolution.restored': { first: proposals('confirmed'), next: proposals('restored', 'undone'), is: [0, 2] },
  'telemetry.event_count': { first: (m) => m.emit('a.b'), next: (m) => m.emit('a.b'), is: 'more' },
  'telemetry.error_event_count': { first: (m) => m.emit('a.failed'), next: (m) => m.emit('b.refused'), is: 'more' },
  'telemetry.event_types': {
    first: (m) => m.emit('a.b'),
    next: async (m) => {
      await m.emit('a.b')
      await m.emit('a.c')
    },
    is: 'more',
  },
  'telemetry.refused_events': {
    first: (m) => m.says('events', { counts: { refused: { too_old: 1 } } }),
    next: (m) => m.says('events', { counts: { refused: { too_old: 1, unknown_type: 2 } } }),
    is: [1, 3],
  },
  'operation.tokens_consumed': {
    first: task({ tokens_consumed: 100 }),
    next: toolCall({ tokens_in: 20, tokens_out: 10 }),
    is: [100, 130],
  },
  'operation.tokens_per_task': { first: task({ tokens_consumed: 100 }), next: task({}), is: [100, 50] },
  'operation.tool_call_count': {
    first: toolCall({}),
    next: (m) => m.emit('tool.called', { status: 'success' }),
    is: [1, 2],
  },
  'operation.tool_call_success_rate': {
    first: toolCall({ success: true }),
    next: (m) => m.emit('tool.called', { status: 'error' }),
    is: [1, 0.5],
  },
  'operation.retry_count': { first: task({ retries: 1 }), next: task({ retries: 2 }), is: [1, 3] },
  'operation.error_count': {
    first: task({ error_type: 'timeout' }, 'task_failed'),
    next: task({ status: 'failed' }),
    is: [1, 2],
  },
  'operation.context_window_usage': {
    first: task({ context_tokens: 100 }, 'session_end'),
    next: task({ context_tokens: 300 }, 'session_end'),
    is: [100, 200],
  },
  'operation.wall_clock_per_task': {
    first: task({ duration_seconds: 1 }),
    next: task({ duration_seconds: 2 }),
    is: [1, 1.5],
  },
  'operation.cost_usd': {
    first: toolCall({ tokens_in: 100_000 }),
    next: toolCall({ tokens_out: 100_000 }),
    is: [0.3, 1.8],
  },
  'operation.event_count': { first: task({}, 'human_feedback'), next: task({}, 'cron_execution'), is: [1, 2] },
  'operation.task_count': { first: task({}), next: task({}, 'task_failed'), is: [1, 2] },
  'operation.task_count_first_try': { first: task({}), next: task({ retries: 0 }), is: [1, 2] },
  'operation.task_count_7d': { first: task({}), next: task({}), is: 'more', without: 'stays' },
  'operation.confidence_accuracy': {
    first: task({ confidence: 1 }),
    next: task({ confidence: 1 }, 'task_failed'),
    is: [1, 0.5],
  },
  'memory.store_bytes': {
    first: nothing,
    next: async (m) => m.system.root.write('runtime/more.db', 'x'.repeat(5_000)),
    is: 'more',
    without: 'stays',
  },
  'memory.vector_records': { first: documents(2, 'one', 'two'), next: documents(5, 'one', 'two'), is: [2, 5] },
  'memory.index_recall': { first: documents(2, 'one', 'two'), next: documents(2, 'one', 'one'), is: [1, 0.5] },
  'memory.coherence': {
    first: nothing,
    next: async (m) => {
      const told = m.system.event('service.refused')
      m.system.root.write('modules/caller.mjs', BROKEN)
      await told
    },
    is: 'less',
    without: 'stays',
    end: async (m) => {
      m.system.root.write('modules/caller.mjs', GOOD)
      await m.system.live('caller', 2)
    },
  },
  'memory.rtt_s_p95': {
    first: (m) => m.call('database', 'query', 'SELECT 1 AS one'),
    next: (m) => m.call('database', 'query', BIG),
    is: 'more',
  },
  'memory.timeouts': {
    first: (m) => m.callWith({ deadlineMs: 5 }, 'memory', 'wait', 50),
    next: (m) => m.callWith({ deadlineMs: 5 }, 'memory', 'wait', 50),
    is: [1, 2],
  },
  'stability.success_rate': { first: add, next: fail, is: 'less' },
  'stability.recovery_s_p95': { first: (m) => recovers(m, 150), next: (m) => recovers(m, 300), is: 'more' },
  'stability.autonomy_rate': {
    first: (m) => m.call('tools', 'invoke', 'calc_sum', {}),
    next: (m) => m.emit('approval.requested', { target: 'calc' }),
    is: [1, 0.5],
  },
  'stability.human_intervention_rate': { first: entries('self'), next: entries('self', 'human'), is: [0, 0.5] },
  'stability.compliance': { first: entries(), next: (m) => m.emit('policy.refused', { tier: 'NEVER' }), is: [100, 85] },
  'stability.throughput_per_s': { first: add, next: add, is: 'more' },
  'stability.queue_depth': {
    first: (m) => {
      m.system.root.write('configs/waits.yml', 'prog: calc\nneeds: [nobody]\n')
      return m.system.event('service.waiting')
    },
    next: async (m) => {
      void m.callWith({ deadlineMs: 2_000 }, 'waits', 'add', 1, 2)
    },
    is: [0, 1],
    end: async (m) => m.system.root.remove('configs/waits.yml'),
  },
  'stability.in_flight': {
    first: nothing,
    next: async (m) => {
      void m.call('calc', 'wait', 300)
    },
    is: 'more',
    without: 'stays',
  },
  'stability.service_load_success': { first: begins, next: breaks, is: [1, 0.5], end: clears },
  'stability.timeout_rate': { first: add, next: (m) => m.callWith({ deadlineMs: 5 }, 'calc', 'wait', 50), is: 'more' },
  'stability.model_reachable': {
    first: (m) => m.call('model', 'complete', {}),
    next: (m) => m.call('model', 'complete', { fail: true }),
    is: [1, 0.5],
  },
  'stability.service_count': {
    first: nothing,
    next: begins,
    is: 'more',
    without: 'stays',
    end: (m) => remove(m, 'extra'),
  },
  'stability.registry_health': {
    first: nothing,
    next: breaks,
    is: 'less',
    without: 'stays',
    end: (m) => remove(m, 'ill'),
  },
  'stability.kernel_health': {
    first: nothing,
    next: breaks,
    is: 'less',
    without: 'stays',
    end: (m) => remove(m, 'ill'),
  },
  'stability.event_loop_delay_s_p99': {
    first: wait('calc', 60),
    next: async (m) => {
      await wait('calc', 20)(m)
      busy(300)
      await wait('calc', 20)(m)
    },
    is: 'more',
    without: 'stays',
  },
  'stability.heap_used_ratio': {
    first: nothing,
    next: async () => {
      ballast = Array.from({ length: 2_000_000 }, (_none, n) => ({ n }))
    },
    is: 'more',
    without: 'stays',
    end: async () => {
      if (ballast.length > 0) ballast = []
    },
  },
  'stability.suppressed_errors': {
    first: (m) => m.emit('kernel.fault'),
    next: (m) => m.emit('kernel.fault'),
    is: [1, 2],
  },
  'stability.restarts': {
    first: async (m) => {
      m.system.root.write('configs/shaky.yml', 'prog: shaky\n')
      await m.system.live('shaky')
      await crash(m)
      await m.system.live('shaky', 2)
    },
    next: crash,
    is: [1, 2],
  },
}
