/** The record of decisions and changes, and what the policy would say to a change. */
import { z } from 'zod'
import type { LedgerApi, LedgerCheck, LedgerEntry } from '../../../contracts/ledger.ts'
import type { Handle } from '../../../contracts/module.ts'
import type { PolicyApi, PolicyQuestion, PolicySettings, PolicyVerdict } from '../../../contracts/policy.ts'
import type { SignedEvent, SignedEventsApi, TakenEvent } from '../../../contracts/signed-events.ts'
import { route, shape, type Desk } from './route.ts'
import { epochMs, jsonMap } from './shapes.ts'

const ledger = ({ kernel }: Desk): Handle<LedgerApi> => kernel.getApi<LedgerApi>('ledger')
const policy = ({ kernel }: Desk): Handle<PolicyApi> => kernel.getApi<PolicyApi>('policy')

const origin = z.enum(['human', 'self', 'test', 'system'])
const head = z.object({ sequence: z.number(), hash: z.string() })

const ledgerEntry = shape<LedgerEntry>(
  'LedgerEntry',
  z.object({
    sequence: z.number().describe('from 1, without a gap'),
    time: epochMs,
    actor: z.string(),
    origin,
    action: z.string(),
    resource: z.string(),
    outcome: z.string(),
    subsystem: z.string(),
    reason: z.string().exactOptional(),
    cycle: z.string().exactOptional(),
    payload: jsonMap.exactOptional(),
    previous_hash: z.string(),
    hash: z.string().describe('HMAC-SHA-256 over the sequence, the hash before and every field'),
  }),
)

const ledgerCheck = shape<LedgerCheck>(
  'LedgerCheck',
  z.object({
    valid: z.boolean(),
    entries: z.number().describe('found right, up to the first bad one'),
    head: head.nullable(),
    at: z.number().nullable().describe('sequence of the first bad entry'),
    fault: z.enum(['altered', 'missing', 'cut', 'head_altered']).nullable(),
  }),
)

const cycleLine = z.object({
  cycle: z.string(),
  started_at: epochMs,
  ended_at: epochMs,
  actor: z.string().describe('who began it'),
  origin,
  entries: z.number(),
  actions: z.array(z.string()).describe('in order, each once'),
  outcome: z.string().describe('of its last entry'),
  from: z.number().describe('sequence of its first entry'),
  to: z.number(),
})

const number = z.coerce.number().int().nonnegative()
const limit = number.min(1).max(1_000).optional().describe('100 without it')
const text = z.string().min(1).max(4_096)
const value = z.json().optional()

const change = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('value'), file: text, key: text, old: value, new: value, approved: value }),
  z.object({
    kind: z.literal('file'),
    path: text,
    operation: z.enum(['create', 'modify', 'delete']),
    text: z.string().optional().describe('what it would hold'),
  }),
  z.object({
    kind: z.literal('tool'),
    tool: text,
    params: z.record(z.string(), z.unknown()),
    read_only: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('grant'), service: text, grant: text }),
])

const altitude = z.enum(['tuning', 'config', 'prompt', 'structure', 'tool', 'code', 'kernel'])
const tier = z.enum(['AUTO_APPROVE', 'HUMAN_REVIEW', 'NEVER'])

export const verdictShape = shape<PolicyVerdict>(
  'PolicyVerdict',
  z.object({
    tier,
    rule: z.string().describe('the rule that decided'),
    message: z.string(),
    altitude,
    impact: z.enum(['MINIMAL', 'LOW', 'MODERATE', 'HIGH', 'CRITICAL']),
    confirm_twice: z.boolean(),
    notice: z.boolean(),
    reasons: z.array(
      z.object({
        by: z.string(),
        rule: z.string(),
        tier,
        message: z.string(),
        change: z.number().exactOptional().describe('index of the change it is about'),
      }),
    ),
  }),
)

const levels = {
  autonomy: z.enum(['locked', 'supervised', 'semi', 'full']),
  production: z.boolean(),
  notices: z.boolean().describe('a person is told of what went through without one'),
  review_calls: z.boolean().describe('tool calls that do not say they only read wait for a person'),
  changes_per_hour_max: z.number().describe('of one actor'),
  changes_per_day_max: z.number(),
}

const part = z.string().optional()

const policySettings = shape<PolicySettings>(
  'PolicySettings',
  z.object({
    ...levels,
    profile: z.string(),
    profiles: z.record(z.string(), z.object(levels)).describe('what each profile would set'),
    altitudes: z.array(altitude).describe('how high a change may reach at all'),
    rules: z.array(
      z.object({
        name: z.string(),
        tier: z.enum(['HUMAN_REVIEW', 'NEVER']),
        kind: z.enum(['value', 'file', 'tool', 'grant']).optional(),
        message: part,
        actor: part,
        path: part,
        key: part,
        tool: part,
      }),
    ),
    directions: z.record(
      z.string(),
      z.object({
        tighter: z.enum(['lower', 'higher', 'neither']),
        min: z.number().exactOptional(),
        max: z.number().exactOptional(),
        max_drift: z.number().exactOptional(),
        values: z.array(z.string()).readonly().exactOptional(),
      }),
    ),
  }),
)

const priority = z.enum(['low', 'normal', 'high', 'urgent'])

const takenEvent = shape<TakenEvent>(
  'TakenEvent',
  z.object({
    id: z.string(),
    type: z.string(),
    source: z.string(),
    time: epochMs,
    priority,
    trust: z.number().describe('of its source, 0 to 1'),
    payload: jsonMap,
  }),
)

export const controlRoutes = [
  route({
    id: 'events.publish',
    method: 'POST',
    path: '/api/events',
    scope: 'operate',
    summary: 'Takes a signed event, and sends it on as `signed.<type>`',
    notes: 'How it is signed: [control-plane.md](control-plane.md). What is refused stands in the ledger.',
    body: z.strictObject({
      id: text.describe('names the event: it is taken once'),
      type: text,
      source: text.describe('who signs'),
      time: epochMs,
      priority: priority.optional(),
      payload: jsonMap,
      signature: text.describe('HMAC-SHA-256 over the canonical JSON of all other fields, in hex'),
    }),
    answer: takenEvent,
    errors: ['event_invalid', 'event_refused', 'events_full'],
    act: ({ desk, body }) => desk.kernel.getApi<SignedEventsApi>('events').publish(body as SignedEvent),
  }),
  route({
    id: 'ledger.read',
    method: 'GET',
    path: '/api/ledger',
    scope: 'read',
    summary: 'Entries of the ledger, in their order',
    notes:
      'Without `after` the newest. For all of them: `after=0`, then the last sequence each time. Backwards: `before` the first one each time.',
    verb: 'mm ledger tail',
    query: z.object({
      after: number.optional().describe('entries after this sequence'),
      before: number.optional().describe('the newest before this sequence'),
      actor: text.optional(),
      action: text.optional(),
      resource: text.optional(),
      cycle: text.optional(),
      since: number.optional().describe('epoch milliseconds'),
      limit,
    }),
    answer: z.object({ entries: z.array(ledgerEntry), head: head.nullable(), open: z.boolean(), bytes: z.number() }),
    async act({ desk, query }) {
      const given = Object.fromEntries(Object.entries(query).filter(([, one]) => one !== undefined))
      const [entries, status] = await Promise.all([ledger(desk).read(given), ledger(desk).status()])
      return { entries, head: status.head, open: status.open, bytes: status.bytes }
    },
  }),
  route({
    id: 'ledger.verify',
    method: 'GET',
    path: '/api/ledger/verify',
    scope: 'read',
    summary: 'Whether the ledger is what was written, and the first entry that is not',
    verb: 'mm ledger verify',
    query: z.object({ from: number.optional(), to: number.optional() }),
    answer: ledgerCheck,
    act: ({ desk, query: { from, to } }) =>
      ledger(desk).verify({ ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }),
  }),
  route({
    id: 'ledger.cycles',
    method: 'GET',
    path: '/api/ledger/cycles',
    scope: 'read',
    summary: 'The evolution log: one line for each cycle, whatever became of it, the last first',
    verb: 'mm ledger evolution',
    query: z.object({ limit }),
    answer: z.object({ cycles: z.array(cycleLine) }),
    act: async ({ desk, query }) => ({ cycles: await ledger(desk).cycles({ limit: query.limit ?? 100 }) }),
  }),
  route({
    id: 'ledger.replay',
    method: 'GET',
    path: '/api/ledger/cycles/{cycle}',
    scope: 'read',
    summary: 'Every entry of one cycle, in order',
    verb: 'mm ledger replay',
    params: z.object({ cycle: text }),
    answer: z.object({ cycle: z.string(), entries: z.array(ledgerEntry) }),
    errors: ['cycle_unknown'],
    act: async ({ desk, params: { cycle } }) => ({ cycle, entries: await ledger(desk).replay(cycle) }),
  }),
  route({
    id: 'policy.settings',
    method: 'GET',
    path: '/api/policy',
    scope: 'read',
    summary: 'What the policy judges by now: its profile, how far the system may go, the rules of your own',
    verb: 'mm policy show',
    answer: policySettings,
    act: ({ desk }) => policy(desk).settings(),
  }),
  route({
    id: 'policy.check',
    method: 'POST',
    path: '/api/policy/check',
    scope: 'read',
    summary: 'Would this be allowed, and which rule says so',
    notes: 'Nothing is done and nothing is counted. `text` names every rule that was asked.',
    verb: 'mm policy check',
    body: z.object({
      origin: z.enum(['human', 'self', 'test']).default('self'),
      actor: text.default('operator'),
      changes: z.array(change).min(1).max(1_000),
      undo: z
        .array(z.object({ operation: text, target: text }))
        .max(1_000)
        .optional()
        .describe('its way back; without it, one that can be gone'),
    }),
    answer: z.object({ verdict: verdictShape, text: z.string() }),
    errors: ['bad_arguments'],
    act({ desk, body: { undo = [{ operation: 'restore_file', target: 'it' }], ...asked } }) {
      return policy(desk).explain({ ...asked, undo } as PolicyQuestion)
    },
  }),
]
