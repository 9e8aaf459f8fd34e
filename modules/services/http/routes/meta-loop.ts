/**
 * The meta-loop as the AROS clients know it, with their keys. What it proposes waits with the approvals, so the routes
 * that decide on it stand in `approvals.ts`; taking a change back goes to `rollouts`, as everybody's does.
 */
import { z } from 'zod'
import { META_GOALS, type Cycle, type MetaStatus } from '../../../contracts/meta-loop.ts'
import { OPERATION_EVENT_TYPES, type OperationMetrics } from '../../../contracts/meta-metrics.ts'
import { coded, reasonOf } from '../../../lib/errors.ts'
import { flatScores, loopOf, metricsOf, rolloutsOf, there } from './loop-asked.ts'
import { route, type Desk } from './route.ts'

/** A cycle that is refused says so in less. */
const BEGIN_MS = 250
const LISTED_MAX = 500

const iso = z.string().describe('ISO 8601')
const isoOf = (ms: number): string => new Date(ms).toISOString()
const name = z.string().trim().min(1).max(200)

const score = z.number().nullable()
const scoresShape = z
  .object({
    ...(Object.fromEntries(META_GOALS.map((goal) => [goal, score])) as Record<
      (typeof META_GOALS)[number],
      typeof score
    >),
    aggregate: score,
    below_threshold: z.array(z.string()),
  })
  .nullable()
type FlatScores = z.output<typeof scoresShape>

const lastCycle = z.object({
  cycle_num: z.number(),
  trigger: z.string(),
  started_at: iso,
  finished_at: iso,
  steps_completed: z.number(),
  status: z.string(),
  identity_verdict: z.string().nullable(),
})

const lastOf = (one: NonNullable<MetaStatus['last_cycle']>): z.output<typeof lastCycle> => ({
  cycle_num: one.number,
  trigger: one.trigger,
  started_at: isoOf(one.started_at),
  finished_at: isoOf(one.ended_at),
  steps_completed: one.steps_completed,
  status: one.status,
  identity_verdict: one.identity,
})

const entryShape = lastCycle.extend({
  action: z.string().nullable().describe('what the critic said: NO_ACTION, POLICY_UPDATE or ALERT'),
  reason: z.string().nullable().describe('why it was throttled, aborted, or failed'),
  changes_applied: z.array(z.string()).describe('ids of proposals'),
  changes_pending_review: z.array(z.string()).describe('ids of proposals'),
  meta_goal_scores: scoresShape,
  timestamp: iso,
  summary: z.string(),
})

const entryOf = (cycle: Cycle): z.output<typeof entryShape> => ({
  ...lastOf(cycle),
  action: cycle.critic?.action ?? null,
  reason: cycle.reason,
  changes_applied: cycle.applied,
  changes_pending_review: cycle.pending,
  meta_goal_scores: flatScores(cycle.scores) as FlatScores,
  timestamp: isoOf(cycle.ended_at),
  summary: cycle.summary,
})

const operationShape = z
  .object({
    tokens_consumed: z.number(),
    tool_call_count: z.number(),
    tool_call_success_rate: z.number().nullable(),
    error_count_by_type: z.record(z.string(), z.number()),
    cost_usd: z.number(),
  })
  .nullable()

function shownOperation(told: OperationMetrics | null): z.output<typeof operationShape> {
  if (told === null) return null
  const { tokens_consumed, tool_call_count, tool_call_success_rate, error_count_by_type, cost_usd } = told
  return { tokens_consumed, tool_call_count, tool_call_success_rate, error_count_by_type, cost_usd }
}

/** The loop is told even where the numbers it is judged by cannot be read. */
async function arosStatus(desk: Desk): Promise<z.output<typeof statusShape>> {
  const status = await there(loopOf(desk).status())
  const { running, bot_id, last_cycle, cadence_mode, pending_approvals, scores, scores_error } = status
  const operation = await metricsOf(desk)
    .operation({ bot_id })
    .catch(() => null)
  return {
    running,
    bot_id,
    last_cycle: last_cycle === null ? null : lastOf(last_cycle),
    cadence_mode,
    pending_approvals,
    meta_goal_scores: flatScores(scores) as FlatScores,
    meta_goal_error: scores_error,
    scores_source: scores === null ? 'error' : 'live',
    l1_metrics: shownOperation(operation),
  }
}

const statusShape = z.object({
  running: z.boolean(),
  bot_id: z.string().describe('whose work is scored'),
  last_cycle: lastCycle.nullable(),
  cadence_mode: z.string(),
  pending_approvals: z.number(),
  meta_goal_scores: scoresShape.describe('0 to 1; null: unknown'),
  meta_goal_error: z.string().nullable().describe('why there are no scores'),
  scores_source: z.enum(['live', 'error']),
  l1_metrics: operationShape.describe('null: they cannot be read'),
})

/** The names AROS clients have for what starts a cycle, beside those of the loop. */
const TRIGGERS = ['manual', 'scheduled', 'emergency', 'signal', 'harness_complete'] as const

const triggerShape = z.object({
  status: z.enum(['started', 'skipped', 'throttled']),
  message: z.string(),
})

/** Answers when it runs, or when it is refused; it goes on when nobody waits. */
async function begin(desk: Desk, trigger: (typeof TRIGGERS)[number]): Promise<z.output<typeof triggerShape>> {
  const cycle = there(loopOf(desk).trigger({ trigger: trigger === 'harness_complete' ? 'signal' : trigger }))
  cycle.catch((thrown: unknown) => desk.kernel.log.warn(`no cycle came of it: ${reasonOf(thrown)}`))
  const refused = await Promise.race([cycle, desk.kernel.sleep(BEGIN_MS).then(() => undefined)])
  if (refused?.status === 'skipped') return { status: 'skipped', message: 'Cycle already running' }
  if (refused?.status === 'throttled') return { status: 'throttled', message: refused.reason ?? 'throttled' }
  return { status: 'started', message: `Cycle triggered: ${trigger}` }
}

/** A change is known by the id of its approval to AROS clients, and by its own. */
async function proposalOf(desk: Desk, id: string): Promise<string> {
  const { proposals } = await there(rolloutsOf(desk).list({ limit: LISTED_MAX }))
  return proposals.find((one) => one.id === id || one.approval_id === id)?.id ?? id
}

const briefingShape = z.object({
  cycles_run: z.number(),
  cycles_completed: z.number(),
  decisions_made: z.number(),
  pending_reviews: z.number(),
  recent_activity: z.array(z.string()),
  summary: z.string(),
})

export const metaLoopRoutes = [
  route({
    id: 'aros.status',
    method: 'GET',
    path: '/api/meta-loop/status',
    scope: 'read',
    summary: 'The meta-loop right now: its last cycle, its cadence, its scores',
    answer: statusShape,
    errors: ['loop_missing'],
    act: ({ desk }) => arosStatus(desk),
  }),
  route({
    id: 'aros.trigger',
    method: 'POST',
    path: '/api/meta-loop/trigger',
    scope: 'operate',
    summary: 'Starts a cycle; the answer comes when it runs or is refused, not when it ends',
    verb: 'mm meta trigger',
    body: z.object({
      trigger: z.enum(TRIGGERS).default('manual'),
      bot_id: name.optional().describe('whose work is scored; that of the config without it, and no other'),
    }),
    answer: triggerShape,
    errors: ['loop_missing', 'bad_arguments'],
    async act({ desk, body: { trigger, bot_id } }) {
      if (bot_id !== undefined) {
        const { bot_id: scored } = await there(loopOf(desk).status())
        if (bot_id !== scored) throw coded('bad_arguments', { reason: `bot_id is ${scored}: no other is scored` })
      }
      return begin(desk, trigger)
    },
  }),
  route({
    id: 'aros.signal',
    method: 'POST',
    path: '/api/meta-loop/signal',
    scope: 'operate',
    summary: 'Puts a signal into the inbox of the next cycle',
    verb: 'mm meta signal',
    body: z.object({
      source: name.describe('who tells it'),
      priority: z.enum(['low', 'normal', 'high', 'urgent']).default('normal'),
      payload: z.record(z.string(), z.json()).default({}),
      ttl_s: z.number().positive().optional().describe('seconds it is worth something; an hour without it'),
    }),
    answer: z.object({ status: z.literal('queued'), source: z.string(), id: z.string() }),
    errors: ['loop_missing', 'signal_invalid'],
    act: ({ desk, body: { ttl_s, ...signal } }) =>
      there(loopOf(desk).signal({ ...signal, ...(ttl_s === undefined ? {} : { ttl_s }) })),
  }),
  route({
    id: 'aros.evolution_log',
    method: 'GET',
    path: '/api/meta-loop/evolution-log',
    scope: 'read',
    summary: 'Each attempt at a cycle and what became of it, the newest first',
    query: z.object({
      limit: z.coerce.number().int().min(1).max(LISTED_MAX).default(50),
      before: z.coerce.number().int().positive().optional().describe('only cycles with a smaller number'),
    }),
    answer: z.object({ entries: z.array(entryShape), count: z.number() }),
    errors: ['loop_missing'],
    async act({ desk, query: { limit, before } }) {
      const { cycles } = await there(loopOf(desk).cycles({ limit, ...(before === undefined ? {} : { before }) }))
      return { entries: cycles.map(entryOf), count: cycles.length }
    },
  }),
  route({
    id: 'aros.event',
    method: 'POST',
    path: '/api/meta-loop/event',
    scope: 'operate',
    summary: 'Tells of the work of an agent: a tool call, a task, feedback',
    notes: 'Numbers are kept, texts as hashes only. See [metrics.md](metrics.md).',
    body: z.object({
      bot_id: name.describe('whose work it is'),
      event_type: z.enum(OPERATION_EVENT_TYPES),
      session_id: z.string().max(1_000).nullish(),
      data: z.record(z.string(), z.json()).optional(),
    }),
    answer: z.object({ status: z.literal('recorded') }),
    errors: ['loop_missing', 'event_invalid', 'events_full'],
    async act({ desk, body: { bot_id, event_type: type, session_id = null, data = {} } }) {
      await there(metricsOf(desk).record({ bot_id, type, session_id, data }))
      return { status: 'recorded' as const }
    },
  }),
  route({
    id: 'aros.nirmana',
    method: 'POST',
    path: '/api/meta-loop/nirmana',
    scope: 'operate',
    summary: 'Away: cycles come more often; coming back answers with what happened',
    verb: 'mm meta away',
    query: z.object({ activate: z.enum(['true', 'false']) }),
    answer: z.object({
      status: z.enum(['activated', 'deactivated']),
      mode: z.string(),
      briefing: briefingShape.nullable().exactOptional().describe('null: nobody was away'),
    }),
    errors: ['loop_missing'],
    async act({ desk, query: { activate } }) {
      const { mode, briefing } = await there(loopOf(desk).away(activate === 'true'))
      return activate === 'true'
        ? { status: 'activated' as const, mode }
        : { status: 'deactivated' as const, mode, briefing }
    },
  }),
  route({
    id: 'aros.rollback',
    method: 'POST',
    path: '/api/meta-loop/rollback/{id}',
    scope: 'admin',
    summary: 'Takes a change back that is live, or was kept',
    params: z.object({ id: z.string().min(1).describe('the id of its approval, or its own, as `c12`') }),
    body: z.object({
      by: z.string().optional().describe('who takes it back'),
      reason: z.string().optional().describe('why'),
    }),
    answer: z.object({ status: z.string(), change_id: z.string() }),
    errors: ['loop_missing', 'proposal_missing', 'proposal_not_live', 'file_changed'],
    async act({ desk, params: { id }, body: { by = 'operator', reason } }) {
      const proposal = await proposalOf(desk, id)
      const { state } = await rolloutsOf(desk).undo(proposal, { by, ...(reason === undefined ? {} : { reason }) })
      return { status: state, change_id: id }
    },
  }),
]
