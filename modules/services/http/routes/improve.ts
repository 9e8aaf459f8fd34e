/** A goal that a model is to make a change of: begun, followed, and the checks alone. Answered by `self-improver`. */
import { z } from 'zod'
import type { Handle } from '../../../contracts/module.ts'
import type { Attempt, Improvement, SelfImproverApi } from '../../../contracts/proposals.ts'
import { editShape, evidenceShape, expectedShape } from './changes.ts'
import { route, shape, type Desk } from './route.ts'
import { epochMs } from './shapes.ts'

const improver = ({ kernel }: Desk): Handle<SelfImproverApi> => kernel.getApi<SelfImproverApi>('self-improver')

const attempt: z.ZodType<Attempt, Attempt> = z.object({
  number: z.number(),
  proposal_id: z.string().nullable(),
  outcome: z.enum(['refused', 'submitted', 'unusable']),
  refused_by: z.string().nullable().describe('the check that failed first'),
  message: z.string().describe('what the model was told'),
  evidence: z.array(evidenceShape),
  cost_usd: z.number().nullable(),
  prompt_hash: z.string(),
  response_hash: z.string(),
})

const improvement = shape<Improvement>(
  'Improvement',
  z.object({
    id: z.string().describe('`i3`; grows over restarts'),
    service: z.string(),
    goal: z.string(),
    state: z.enum(['running', 'submitted', 'given_up', 'over_budget', 'failed']),
    attempts: z.array(attempt),
    proposal_id: z.string().nullable().describe('the change that passed, as `GET /api/changes/{id}` shows it'),
    cost_usd: z.number(),
    message: z.string(),
    started_at: epochMs,
    ended_at: epochMs.nullable(),
  }),
)

export const improveRoutes = [
  route({
    id: 'improve.start',
    method: 'POST',
    path: '/api/improve',
    scope: 'operate',
    summary: 'Asks a model to change a service; what passes the checks becomes a proposed change',
    notes:
      'Answers at once, `running`: ask for it by its id until it has ended. See [self-improver.md](self-improver.md).',
    verb: 'mm improve',
    body: z.object({
      service: z.string(),
      goal: z.string().describe('what should become better, and what must not change'),
      provider: z.string().exactOptional().describe('inference service; the first that is ready without it'),
      budget_usd: z.number().exactOptional(),
      tries: z.number().exactOptional().describe('answers of the model at most'),
      expected: expectedShape.exactOptional(),
    }),
    answer: improvement,
    errors: ['frozen', 'service_not_found', 'improvement_running'],
    act: ({ desk, body }) => improver(desk).start({ ...body, actor: desk.asker?.name ?? 'unknown' }),
  }),
  route({
    id: 'improve.list',
    method: 'GET',
    path: '/api/improve',
    scope: 'read',
    summary: 'What models were asked to improve, the newest first',
    verb: 'mm improve --list',
    query: z.object({
      service: z.string().optional().describe('only this service'),
      limit: z.coerce.number().int().min(1).max(500).optional().describe('100 without it'),
    }),
    answer: z.object({ improvements: z.array(improvement) }),
    act: ({ desk, query: { service, limit } }) =>
      improver(desk).list({
        ...(service === undefined ? {} : { service }),
        ...(limit === undefined ? {} : { limit }),
      }),
  }),
  route({
    id: 'improve.show',
    method: 'GET',
    path: '/api/improve/{id}',
    scope: 'read',
    summary: 'One of them: each answer of the model, what every check said to it, and what it cost',
    verb: 'mm improve --show',
    params: z.object({ id: z.string().min(1).describe('the id of an improvement, as `i3`') }),
    answer: improvement,
    errors: ['improvement_missing'],
    act: ({ desk, params: { id } }) => improver(desk).show(id),
  }),
  route({
    id: 'improve.check',
    method: 'POST',
    path: '/api/improve/check',
    scope: 'operate',
    summary: 'What the checks say to a change; nothing is written or proposed',
    body: z.object({ edits: z.array(editShape), service: z.string().exactOptional() }),
    answer: z.object({ passed: z.boolean(), evidence: z.array(evidenceShape) }),
    errors: ['service_stopped'],
    act: ({ desk, body: { edits, service } }) => improver(desk).check(edits, service === undefined ? {} : { service }),
  }),
]
