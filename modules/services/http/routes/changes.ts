/** Changes that were proposed: listed, looked at, proposed by a person or a script, and taken back. Answered by `rollouts`. */
import { z } from 'zod'
import type { Handle } from '../../../contracts/module.ts'
import {
  EFFECT_METRICS,
  PROPOSAL_STATES,
  type EffectComparison,
  type Proposal,
  type ProposalInput,
  type RolloutsApi,
  type Verification,
} from '../../../contracts/proposals.ts'
import { bearerOf, OPERATOR } from '../../../lib/tokens.ts'
import { verdictShape } from './control.ts'
import { route, shape, type Desk } from './route.ts'
import { epochMs } from './shapes.ts'

const rollouts = ({ kernel }: Desk): Handle<RolloutsApi> => kernel.getApi<RolloutsApi>('rollouts')

export const state = z.enum(PROPOSAL_STATES)
const metric = z.enum(EFFECT_METRICS)
const measured = z.object({ value: z.number().nullable().describe('null: unknown'), samples: z.number() })
const metrics = z.object({
  latency_p50_ms: measured.exactOptional(),
  latency_p95_ms: measured.exactOptional(),
  error_share: measured.exactOptional(),
  calls_per_s: measured.exactOptional(),
})

const comparison: z.ZodType<EffectComparison, EffectComparison> = z.object({
  service: z.string(),
  metric,
  before: measured,
  after: measured,
  change: z.number().nullable().describe('after ÷ before − 1'),
  outcome: z.enum(['better', 'same', 'worse', 'unknown']),
})

const verification: z.ZodType<Verification, Verification> = z.object({
  verdict: z.enum(['confirmed', 'regressed', 'inconclusive']),
  message: z.string(),
  target: comparison.nullable(),
  guards: z.array(comparison),
  window_ms: z.number(),
  round: z.number().describe('1, or 2 after an inconclusive first one'),
  at: epochMs,
})

export const editShape = z.object({
  path: z.string().describe('from the root'),
  base_hash: z.string().nullable().describe('hash of the file as it was read; null: it is not there'),
  text: z.string().nullable().describe('what it is to hold; null: it goes'),
})

export const expectedShape = z.object({
  metric,
  direction: z.enum(['lower', 'higher']),
  min_effect: z.number().exactOptional().describe('as a share of the value before; 0.05 without it'),
})

export const evidenceShape = z.object({
  check: z.string(),
  outcome: z.enum(['passed', 'failed', 'skipped']),
  message: z.string(),
  ms: z.number(),
  details: z.json().exactOptional(),
})

const input = {
  actor: z.string().describe('who proposes'),
  service: z.string().describe('whose calls tell whether it is better'),
  title: z.string(),
  intent: z.string(),
  reason: z.string().exactOptional(),
  edits: z.array(editShape),
  expected: expectedShape.exactOptional().describe('without one it is kept when nothing gets worse'),
  confidence: z.number().exactOptional(),
  review: z.string().exactOptional().describe('why a person has to decide, whatever the policy would let through'),
  cost_usd: z.number().exactOptional(),
  evidence: z.array(evidenceShape).exactOptional(),
  lineage: z
    .object({
      provider: z.string(),
      model: z.string(),
      prompt_hash: z.string(),
      response_hash: z.string(),
      parent: z.string().nullable(),
    })
    .exactOptional(),
  verify: z
    .object({ window_ms: z.number().exactOptional(), samples_min: z.number().exactOptional() })
    .exactOptional()
    .describe('of the measurement'),
  builds_on: z
    .array(z.string())
    .exactOptional()
    .describe('proposals that have to be confirmed before it, and go back only after it'),
  key: z.string().exactOptional().describe('proposed again with the same key, it is the same proposal'),
}

const proposal = shape<Proposal>(
  'Proposal',
  z.object({
    ...input,
    id: z.string().describe('`c12`; grows over restarts'),
    origin: z.enum(['human', 'self', 'test']),
    state,
    created_at: epochMs,
    changed_at: epochMs,
    occurrences: z.number(),
    verdict: verdictShape.nullable(),
    approval_id: z.string().nullable(),
    approved_by: z.string().nullable(),
    generations: z.record(z.string(), z.number()),
    before: metrics.nullable().describe('measured when it went live'),
    verifications: z.array(verification),
    touches: z.array(z.string()).describe('services it changes'),
    diff: z.string(),
    live_at: epochMs.nullable(),
    message: z.string().describe('why it is where it is'),
    ledger: z.array(z.number()).describe('its entries'),
  }),
)

export const line = z.object({
  id: z.string(),
  state,
  service: z.string(),
  title: z.string(),
  actor: z.string(),
  origin: z.enum(['human', 'self', 'test']),
  created_at: epochMs,
  changed_at: epochMs,
  approval_id: z.string().nullable(),
  message: z.string(),
})

export const lineOf = (one: Proposal): z.output<typeof line> => {
  const { id, service, title, actor, origin, created_at, changed_at, approval_id, message } = one
  return { id, state: one.state, service, title, actor, origin, created_at, changed_at, approval_id, message }
}

const idParam = z.object({ id: z.string().min(1).describe('the id of a proposal, as `c12`') })

export const changeRoutes = [
  route({
    id: 'changes.list',
    method: 'GET',
    path: '/api/changes',
    scope: 'read',
    summary: 'Changes that were proposed, and where they stand, the newest first',
    verb: 'mm changes',
    query: z.object({
      state: state.optional().describe('only those in this state'),
      service: z.string().optional().describe('only this service'),
      limit: z.coerce.number().int().min(1).max(500).optional().describe('100 without it'),
    }),
    answer: z.object({ changes: z.array(line) }),
    async act({ desk, query: { state: wanted, service, limit } }) {
      const { proposals } = await rollouts(desk).list({
        ...(wanted === undefined ? {} : { state: wanted }),
        ...(service === undefined ? {} : { service }),
        ...(limit === undefined ? {} : { limit }),
      })
      return { changes: proposals.map(lineOf) }
    },
  }),
  route({
    id: 'changes.show',
    method: 'GET',
    path: '/api/changes/{id}',
    scope: 'read',
    summary: 'One proposed change: what it changes, what the checks, the policy, people and the measurement said',
    verb: 'mm show change',
    params: idParam,
    answer: proposal,
    errors: ['proposal_missing'],
    act: ({ desk, params: { id } }) => rollouts(desk).show(id),
  }),
  route({
    id: 'changes.submit',
    method: 'POST',
    path: '/api/changes',
    scope: 'operate',
    summary: 'Proposes a change: several files, all or none',
    notes:
      'The answer comes when it is refused, waits for a person, or is live. With the token of the system it is a person’s own and waits for nobody; with any other it is the system’s, and is judged as such. See [control-plane.md](control-plane.md).',
    body: z.object({
      ...input,
      origin: z.enum(['human', 'self']).exactOptional().describe('`self`: judged as the system’s own'),
    }),
    answer: proposal,
    errors: ['file_changed', 'frozen', 'changes_paused', 'proposals_full', 'ledger_broken', 'operator_only'],
    act({ desk, body: { origin, ...given } }) {
      const isPerson = desk.asker?.name === OPERATOR && origin !== 'self'
      const token = bearerOf(desk.headers.authorization) ?? ''
      const asked: ProposalInput = { ...given, origin: isPerson ? 'human' : 'self' }
      return isPerson ? rollouts(desk).submit(asked, { token }) : rollouts(desk).submit(asked)
    },
  }),
  route({
    id: 'changes.undo',
    method: 'POST',
    path: '/api/changes/{id}/undo',
    scope: 'admin',
    summary: 'Takes a change that is live, or was kept, back: the exact bytes before, on disk and running',
    verb: 'mm undo',
    params: idParam,
    body: z.object({ by: z.string().optional().describe('who takes it back'), reason: z.string().optional() }),
    answer: proposal,
    errors: ['proposal_missing', 'proposal_not_live', 'file_changed'],
    act: ({ desk, params: { id }, body: { by = 'operator', reason } }) =>
      rollouts(desk).undo(id, { by, ...(reason === undefined ? {} : { reason }) }),
  }),
]
