/** What the meta-loop is set to, looks for, hears and proposes, in pages; and what it tells a person who comes by. */
import { z } from 'zod'
import type { LoopAlert, LoopHealth, MetaGoal, MetaStatus, QueuedSignal } from '../../../contracts/meta-loop.ts'
import { META_GOALS } from '../../../contracts/meta-loop.ts'
import { line, lineOf, state } from './changes.ts'
import { LOOP, loopOf, rolloutsOf, there } from './loop-asked.ts'
import { nextCursor, pageOf, pageQuery } from './paging.ts'
import { route, shape } from './route.ts'
import { ruleShape } from './rule-shapes.ts'
import { epochMs, jsonMap } from './shapes.ts'

const LISTED_MAX = 500

const score = z.number().nullable()
const goals = z.object(Object.fromEntries(META_GOALS.map((goal) => [goal, score])) as Record<MetaGoal, typeof score>)

const metaStatus = shape<MetaStatus>(
  'MetaStatus',
  z.object({
    running: z.boolean(),
    bot_id: z.string(),
    cadence_mode: z.enum(['balanced', 'aggressive', 'conservative', 'frozen']),
    last_cycle: z
      .object({
        number: z.number(),
        trigger: z.string(),
        status: z.enum(['completed', 'aborted', 'failed', 'throttled', 'skipped']),
        started_at: epochMs,
        ended_at: epochMs,
        steps_completed: z.number(),
        identity: z.enum(['no_changes', 'approved', 'rejected_high_drift', 'rejected_never_permission']).nullable(),
      })
      .nullable(),
    pending_approvals: z.number(),
    scores: z.object({ goals, aggregate: score, below_threshold: z.array(z.enum(META_GOALS)) }).nullable(),
    scores_error: z.string().nullable(),
    gaps: z.array(z.object({ goal: z.string(), metric: z.string(), current: score, target: z.number(), gap: score })),
    domains: z.object({ under: z.array(z.string()), over: z.array(z.string()) }),
    line: z.string().describe('at most 500 characters'),
    bars: z.array(z.string()).describe('the goals, a line each'),
  }),
)

const ruleType = z.enum(['builtin', 'custom'])

const signalShape = shape<QueuedSignal>(
  'Signal',
  z.object({
    id: z.string(),
    source: z.string(),
    priority: z.enum(['low', 'normal', 'high', 'urgent']),
    payload: jsonMap,
    at: epochMs,
    ttl_s: z.number(),
  }),
)

const healthShape: z.ZodType<LoopHealth, LoopHealth> = z.object({
  cycles: z.number(),
  cycle_latency_ms: score,
  directive_success_rate: score,
  rollback_rate: score,
  policy_match_rate: score,
})
const alertShape: z.ZodType<LoopAlert, LoopAlert> = z.object({
  key: z.string(),
  message: z.string(),
  at: epochMs,
  over_at: epochMs.nullable().describe('null: it still holds'),
})

/** The newest first: a cursor's key grows. */
const newestFirst = (time: number, id: string): string => `${String(Number.MAX_SAFE_INTEGER - time)} ${id}`
const byTime = ({ at, id }: QueuedSignal): string => `${String(at).padStart(16, '0')} ${id}`

export const metaRoutes = [
  route({
    id: 'meta.status',
    method: 'GET',
    path: '/api/meta/status',
    scope: 'read',
    summary: 'The meta-loop right now, with its goals as bars and its one line',
    verb: 'mm status --meta',
    answer: metaStatus,
    errors: ['loop_missing'],
    act: ({ desk }) => there(loopOf(desk).status()),
  }),
  route({
    id: 'meta.config',
    method: 'GET',
    path: '/api/meta/config',
    scope: 'read',
    summary: 'What the meta-loop is set to, defaults included',
    answer: z.object({ config: jsonMap }),
    errors: ['loop_missing'],
    act: async ({ desk }) => ({ config: await there(loopOf(desk).settings()) }),
  }),
  route({
    id: 'meta.rules',
    method: 'GET',
    path: '/api/meta/rules',
    scope: 'read',
    summary: 'The rules it looks by, built in and of your own',
    verb: 'mm meta rules',
    query: pageQuery.extend({ type: ruleType.optional().describe('only these') }),
    answer: z.object({ rules: z.array(z.object({ type: ruleType, rule: ruleShape })), ...nextCursor }),
    errors: ['loop_missing'],
    async act({ desk, query }) {
      const { builtin, custom } = await there(loopOf(desk).rules())
      const all = [
        ...builtin.map((rule) => ({ type: 'builtin' as const, rule })),
        ...custom.map((rule) => ({ type: 'custom' as const, rule })),
      ].filter(({ type }) => query.type === undefined || type === query.type)
      const { items, next } = pageOf(all, ({ type, rule }) => `${type} ${rule.name}`, query)
      return { rules: items, ...next }
    },
  }),
  route({
    id: 'meta.signals',
    method: 'GET',
    path: '/api/meta/signals',
    scope: 'read',
    summary: 'Signals that wait for the next cycle, the oldest first',
    query: pageQuery,
    answer: z.object({ signals: z.array(signalShape), ...nextCursor }),
    errors: ['loop_missing'],
    async act({ desk, query }) {
      const { signals } = await there(loopOf(desk).signals())
      const { items, next } = pageOf(signals, byTime, query)
      return { signals: items, ...next }
    },
  }),
  route({
    id: 'meta.proposals',
    method: 'GET',
    path: '/api/meta/proposals',
    scope: 'read',
    summary: 'What the meta-loop has proposed, the newest first',
    notes: 'Looks at the newest 500 of all proposals. Each as `GET /api/changes/{id}` shows it whole.',
    query: pageQuery.extend({ state: state.optional().describe('only those in this state') }),
    answer: z.object({ proposals: z.array(line), ...nextCursor }),
    errors: ['loop_missing'],
    async act({ desk, query }) {
      const asked = { limit: LISTED_MAX, ...(query.state === undefined ? {} : { state: query.state }) }
      const { proposals } = await there(rolloutsOf(desk).list(asked))
      const own = proposals.filter(({ actor }) => actor === LOOP)
      const { items, next } = pageOf(own, ({ created_at, id }) => newestFirst(created_at, id), query)
      return { proposals: items.map(lineOf), ...next }
    },
  }),
  route({
    id: 'meta.health',
    method: 'GET',
    path: '/api/meta/health',
    scope: 'read',
    summary: 'How the meta-loop itself does, and what it has alerted to, the newest first',
    answer: z.object({ health: healthShape, alerts: z.array(alertShape) }),
    errors: ['loop_missing'],
    async act({ desk }) {
      const health = await there(loopOf(desk).health())
      return { health, ...(await loopOf(desk).alerts()) }
    },
  }),
  route({
    id: 'meta.brief',
    method: 'GET',
    path: '/api/meta/brief',
    scope: 'read',
    summary: 'What happened since a moment, in eight lines at most',
    verb: 'mm brief',
    query: z.object({ since: z.coerce.number().nonnegative().describe('epoch milliseconds') }),
    answer: z.object({ since: epochMs, until: epochMs, lines: z.array(z.string()) }),
    errors: ['loop_missing'],
    async act({ desk, query: { since } }) {
      const until = desk.kernel.clock.now()
      return { since, until, ...(await there(loopOf(desk).brief(since))) }
    },
  }),
]
