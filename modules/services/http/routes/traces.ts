/** Traces: who called whom within one request, and what came of it. */
import { z } from 'zod'
import type { Span, TracesApi, TraceSummary } from '../../../contracts/traces.ts'
import { route, shape } from './route.ts'
import { epochMs } from './shapes.ts'

const summary = z.object({
  trace: z.string(),
  at: epochMs,
  ms: z.number().describe('from the begin of its first span to the end of its last'),
  spans: z.number(),
  dropped: z.number().describe('spans that were left out, of a trace that grew too large'),
  errors: z.number(),
  entry: z.string().describe('`caller → callee.method` of its first span'),
})
const traceSummary = shape<TraceSummary>('TraceSummary', summary)

const span = shape<Span & { depth: number }>(
  'Span',
  z.object({
    depth: z.number().describe('how far below the entry'),
    trace: z.string(),
    span: z.string(),
    parent: z.string().nullable(),
    caller: z.string(),
    callee: z.string(),
    aspect: z.string(),
    method: z.string(),
    kind: z.enum(['call', 'stream']),
    generation: z.number().nullable().describe('of the callee; null when nobody took the call'),
    source_hash: z.string().nullable(),
    config_hash: z.string().nullable(),
    at: epochMs,
    ms: z.number(),
    outcome: z.enum(['ok', 'error']),
    error: z.object({ code: z.string(), message: z.string() }).nullable().describe('secrets are taken out'),
    model: z
      .object({
        name: z.string(),
        finish: z.string(),
        input_tokens: z.number().nullable(),
        output_tokens: z.number().nullable(),
        cost_usd: z.number().nullable(),
      })
      .nullable()
      .describe('of a call of a model'),
  }),
)

export const traceRoutes = [
  route({
    id: 'traces.list',
    method: 'GET',
    path: '/api/traces',
    scope: 'read',
    summary: 'The traces that are kept, the newest first',
    notes: 'See [traces.md](traces.md).',
    verb: 'mm trace',
    query: z.object({
      limit: z
        .string()
        .regex(/^\d{1,4}$/)
        .optional()
        .describe('a whole number up to 1000'),
      service: z.string().optional().describe('only those in which this service calls or is called'),
      errors: z.enum(['true', 'false']).optional().describe('`true`: only those in which something failed'),
    }),
    answer: z.object({ traces: z.array(traceSummary), total: z.number() }),
    act: ({ desk, query: { limit, service, errors } }) =>
      desk.kernel.getApi<TracesApi>('traces').list({
        ...(limit === undefined ? {} : { limit: Number(limit) }),
        ...(service === undefined ? {} : { service }),
        ...(errors === undefined ? {} : { errors: errors === 'true' }),
      }),
  }),
  route({
    id: 'traces.show',
    method: 'GET',
    path: '/api/traces/{id}',
    scope: 'read',
    summary: 'One trace as a tree; the beginning of an id is enough',
    verb: 'mm trace',
    params: z.object({ id: z.string().min(1).describe('the id of a trace') }),
    answer: summary.extend({ tree: z.array(span) }),
    errors: ['trace_not_found'],
    act: ({ desk, params }) => desk.kernel.getApi<TracesApi>('traces').show(params.id),
  }),
]
