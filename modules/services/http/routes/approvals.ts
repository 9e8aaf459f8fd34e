/**
 * What waits for a person, from both places where something waits: turns of the assistant, and actions parked with the
 * service `approvals`. A decision goes to where its id lives. The last three routes are those the AROS clients know.
 */
import { z } from 'zod'
import type { Approval, ApprovalsApi, Decision } from '../../../contracts/approvals.ts'
import type { Handle } from '../../../contracts/module.ts'
import type { ParkedTurn } from '../../../contracts/services.ts'
import { coded, codeOf } from '../../../lib/errors.ts'
import { bearerOf } from '../../../lib/tokens.ts'
import { chatAnswer } from './chat.ts'
import { nextCursor, pageOf, pageQuery } from './paging.ts'
import { route, shape, type Desk } from './route.ts'
import { epochMs } from './shapes.ts'

const gate = ({ kernel }: Desk): Handle<ApprovalsApi> => kernel.getApi<ApprovalsApi>('approvals')

const state = z.enum(['pending', 'approved', 'rejected', 'expired'])

export const approvalShape = shape<Approval>(
  'Approval',
  z.object({
    id: z.string(),
    class: z.string().describe('what kind of action it is'),
    target: z.string().describe('the service or file it would change'),
    title: z.string(),
    actor: z.string().describe('who asks'),
    reason: z.string().exactOptional(),
    impact: z.enum(['MINIMAL', 'LOW', 'MODERATE', 'HIGH', 'CRITICAL']).exactOptional(),
    confirm_twice: z.boolean().exactOptional().describe('it takes two confirmations, the second with a reason'),
    diff: z.string().exactOptional(),
    base_hash: z.string().exactOptional(),
    bases: z
      .array(z.object({ path: z.string(), hash: z.string().nullable() }))
      .exactOptional()
      .describe('files as they were when it was asked; while one is another, it cannot be approved'),
    evidence: z.record(z.string(), z.json()).exactOptional(),
    cost_usd: z.number().exactOptional(),
    key: z.string().exactOptional(),
    cycle: z.string().exactOptional(),
    expires_in_ms: z.number().exactOptional(),
    action: z.object({ service: z.string(), method: z.string(), payload: z.json() }),
    state,
    asked_at: epochMs,
    expires_at: epochMs,
    confirmed_by: z.string().nullable().describe('who confirmed it first'),
    decided_at: epochMs.nullable(),
    decided_by: z.string().nullable(),
    decision_reason: z.string().nullable(),
    ledger_sequence: z.number().nullable(),
    outcome: z
      .object({ ok: z.boolean(), value: z.json() })
      .nullable()
      .describe('what the action answered, or its error; null while it has not been done'),
  }),
)

const waiting = z.object({
  approval_id: z.string(),
  source: z.enum(['turn', 'action']).describe('a turn of the assistant, or an action that was parked'),
  question: z.string().describe('what is to be allowed'),
  asked_at: epochMs,
  state,
  conversation_id: z.string().exactOptional().describe('of a turn'),
  actor: z.string().exactOptional().describe('of an action: who asks'),
  target: z.string().exactOptional(),
  impact: z.string().exactOptional(),
  confirm_twice: z.boolean().exactOptional(),
  confirmed_by: z.string().nullable().exactOptional(),
  expires_at: epochMs.exactOptional(),
})
type Waiting = z.output<typeof waiting>

/** What a root does not have waits for nothing. */
async function unlessAbsent<T>(asked: Promise<T>, absent: T): Promise<T> {
  try {
    return await asked
  } catch (thrown) {
    if (codeOf(thrown) === 'service_not_found') return absent
    throw thrown
  }
}

const ofTurn = (turn: ParkedTurn): Waiting => ({ ...turn, source: 'turn', state: 'pending' })

function ofAction({ id, title, asked_at, expires_at, actor, target, confirmed_by, ...rest }: Approval): Waiting {
  const { impact, confirm_twice } = rest
  return {
    approval_id: id,
    source: 'action',
    question: title,
    asked_at,
    state: rest.state,
    actor,
    target,
    ...(impact === undefined ? {} : { impact }),
    ...(confirm_twice === true ? { confirm_twice, confirmed_by } : {}),
    expires_at,
  }
}

const oldestFirst = (one: Waiting): string => `${String(one.asked_at).padStart(16, '0')} ${one.approval_id}`
const idParam = z.object({ id: z.string().min(1).describe('the id of an approval') })

/** Undefined: it is no action. */
async function findAction(desk: Desk, id: string): Promise<Approval | undefined> {
  try {
    return await gate(desk).show(id)
  } catch (thrown) {
    const code = codeOf(thrown)
    if (code === 'approval_missing' || code === 'service_not_found') return undefined
    throw thrown
  }
}

interface Given {
  by?: string | undefined
  reason?: string | undefined
  scope?: Decision['scope'] | undefined
  expires_in_ms?: number | undefined
}

/** Who decides shows the operator's token: the service itself looks at it. */
function decide(desk: Desk, id: string, isApproved: boolean, given: Given): Promise<Approval> {
  const { by = 'operator', reason, scope, expires_in_ms } = given
  const decision: Decision = {
    by,
    token: bearerOf(desk.headers.authorization) ?? '',
    ...(reason === undefined ? {} : { reason }),
    ...(scope === undefined ? {} : { scope }),
    ...(expires_in_ms === undefined ? {} : { expires_in_ms }),
  }
  return isApproved ? gate(desk).approve(id, decision) : gate(desk).reject(id, decision)
}

const DECIDING = [
  'approval_missing',
  'approval_decided',
  'approval_expired',
  'approval_stale',
  'approval_reason',
  'operator_only',
  'ledger_broken',
] as const

/** As the AROS clients know a change that waits. */
function pendingChange(approval: Approval): z.output<typeof pendingShape> {
  const [change] = (approval.evidence?.['changes'] ?? []) as { key?: string; old?: unknown; new?: unknown }[]
  const [section = '', ...rest] = (change?.key ?? approval.target).split('.')
  return {
    change_id: approval.id,
    section,
    key: rest.join('.'),
    old_value: change?.old ?? null,
    new_value: change?.new ?? null,
    reason: approval.reason ?? approval.title,
    status: 'pending_review',
    created_at: new Date(approval.asked_at).toISOString(),
  }
}

const pendingShape = z.object({
  change_id: z.string(),
  section: z.string(),
  key: z.string(),
  old_value: z.unknown(),
  new_value: z.unknown(),
  reason: z.string(),
  status: z.literal('pending_review'),
  created_at: z.string().describe('ISO 8601'),
})

const decidedShape = z.object({ status: z.string(), change_id: z.string() })
const byWhom = { by: z.string().optional().describe('who decides'), reason: z.string().optional().describe('why') }

export const approvalRoutes = [
  route({
    id: 'approvals.list',
    method: 'GET',
    path: '/api/approvals',
    scope: 'read',
    summary: 'What waits for a person to decide, oldest first',
    verb: 'mm approvals',
    query: pageQuery.extend({ state: state.optional().describe('actions in another state than `pending`') }),
    answer: z.object({ approvals: z.array(waiting), ...nextCursor }),
    async act({ desk, query }) {
      const wanted = query.state ?? 'pending'
      const actions = await unlessAbsent(gate(desk).list({ state: wanted, limit: query.limit }), [])
      const turns = wanted === 'pending' ? await unlessAbsent(desk.assistant.parked(), []) : []
      const { items, next } = pageOf([...actions.map(ofAction), ...turns.map(ofTurn)], oldestFirst, query)
      return { approvals: items, ...next }
    },
  }),
  route({
    id: 'approvals.show',
    method: 'GET',
    path: '/api/approvals/{id}',
    scope: 'read',
    summary: 'One action that waits or was decided, with what it would change',
    verb: 'mm approvals',
    params: idParam,
    answer: approvalShape,
    errors: ['approval_missing'],
    act: ({ desk, params }) => gate(desk).show(params.id),
  }),
  route({
    id: 'approvals.decide',
    method: 'POST',
    path: '/api/approvals/{id}',
    scope: 'admin',
    summary: 'Decides; the answer is that of the turn, which goes on, or the action with its outcome',
    notes:
      'An action is done before the answer comes. One that takes two confirmations is still `pending` after the first. See [control-plane.md](control-plane.md).',
    verb: 'mm approve',
    own: true,
    params: idParam,
    body: z.object({
      approved: z.boolean().describe('true or false'),
      by: z.string().describe('who decides'),
      note: z.string().optional().describe('why'),
      scope: z
        .enum(['once', 'service', 'class'])
        .optional()
        .describe('of an action: what else is allowed; `once` without it'),
      expires_in_ms: z.number().int().positive().optional().describe('until when it is; a day without it'),
    }),
    answer: z.union([chatAnswer, approvalShape]),
    errors: DECIDING,
    async act({ desk, params: { id }, body: { approved, by, note, ...more } }) {
      if ((await findAction(desk, id)) !== undefined) return decide(desk, id, approved, { by, reason: note, ...more })
      return desk.assistant.decide(id, { approved, by, ...(note === undefined ? {} : { note }) })
    },
  }),
  route({
    id: 'aros.pending',
    method: 'GET',
    path: '/api/meta-loop/pending-approvals',
    scope: 'read',
    summary: 'Changes that wait, as AROS clients know them',
    answer: z.object({ pending: z.array(pendingShape), count: z.number() }),
    async act({ desk }) {
      const pending = (await gate(desk).list({ state: 'pending' })).map(pendingChange)
      return { pending, count: pending.length }
    },
  }),
  route({
    id: 'aros.approve',
    method: 'POST',
    path: '/api/meta-loop/approve/{id}',
    scope: 'admin',
    summary: 'Allows a change',
    notes: '`status` is `confirmed` after the first of two confirmations.',
    params: idParam,
    body: z.object(byWhom),
    answer: decidedShape,
    errors: DECIDING,
    async act({ desk, params: { id }, body }) {
      const { state: now, outcome } = await decide(desk, id, true, body)
      const value = outcome?.ok === false ? (outcome.value as { message?: string }) : undefined
      if (value !== undefined) throw coded('approval_failed', { approval: id, reason: value.message ?? 'no reason' })
      return { status: now === 'pending' ? 'confirmed' : now, change_id: id }
    },
  }),
  route({
    id: 'aros.reject',
    method: 'POST',
    path: '/api/meta-loop/reject/{id}',
    scope: 'admin',
    summary: 'Refuses a change',
    params: idParam,
    body: z.object(byWhom),
    answer: decidedShape,
    errors: DECIDING,
    async act({ desk, params: { id }, body }) {
      return { status: (await decide(desk, id, false, body)).state, change_id: id }
    },
  }),
]
