/** What happened, what differs between versions, and why: answered by the service `history`. */
import { z } from 'zod'
import type { FileDifference, Happening, HistoryApi, VersionDiff, Why } from '../../../contracts/history.ts'
import type { Handle } from '../../../contracts/module.ts'
import { route, shape, type Desk } from './route.ts'
import { apiParam, epochMs, jsonMap } from './shapes.ts'

const history = ({ kernel }: Desk): Handle<HistoryApi> => kernel.getApi<HistoryApi>('history')

const happening = shape<Happening>(
  'Happening',
  z.object({
    id: z.string().describe('`h12`; grows over restarts'),
    time: epochMs,
    type: z.string().describe('the event it was, as `service.live`'),
    api: z.string().nullable().describe('null when it is about no service'),
    text: z.string().describe('in plain words'),
    change: z.boolean().describe('it changed what runs, or tried to'),
    files: z.array(z.string()).describe('what differs from the version before'),
    data: jsonMap,
  }),
)

const side = z.object({
  label: z.string().describe('`g2`, `h12`, `live`, `disk`'),
  generation: z.number().int().nullable(),
  time: epochMs.nullable().describe('when it went live'),
  source_hash: z.string().nullable(),
  config_hash: z.string().nullable(),
})

const difference: z.ZodType<FileDifference, FileDifference> = z.object({
  path: z.string(),
  change: z.enum(['added', 'changed', 'removed']),
  lines_added: z.number().int(),
  lines_removed: z.number().int(),
  patch: z.string().describe('as `diff -u` prints it'),
})

const versionDiff = shape<VersionDiff>(
  'VersionDiff',
  z.object({ api: z.string(), from: side, to: side, files: z.array(difference) }),
)

const why = shape<Why>(
  'Why',
  z.object({
    subject: z.string(),
    kind: z.enum(['service', 'change', 'call']),
    lines: z.array(z.object({ time: epochMs.nullable(), id: z.string().nullable(), text: z.string() })),
    next: z.array(z.object({ command: z.string(), does: z.string() })),
  }),
)

const number = z.coerce.number().int().nonnegative()

export const historyRoutes = [
  route({
    id: 'history.list',
    method: 'GET',
    path: '/api/history',
    scope: 'read',
    summary: 'What happened, over restarts, oldest first',
    verb: 'mm changes',
    query: z.object({
      since: number.optional().describe('epoch milliseconds'),
      service: z.string().optional().describe('only this service'),
      limit: number.max(10_000).optional().describe('the newest so many; 100 without it'),
      all: z.enum(['true', 'false']).optional().describe('`true`: also what changed nothing, as failures and restarts'),
    }),
    answer: z.object({ changes: z.array(happening) }),
    act: ({ desk, query: { since, service, limit, all } }) =>
      history(desk).changes({
        ...(since === undefined ? {} : { since }),
        ...(service === undefined ? {} : { service }),
        ...(limit === undefined ? {} : { limit }),
        all: all === 'true',
      }),
  }),
  route({
    id: 'services.diff',
    method: 'GET',
    path: '/api/services/{api}/diff',
    scope: 'read',
    summary: 'What differs between two versions of a service, in its sources and its config',
    notes: 'Without `from`: what runs and what stands on disk. With `from` alone: that version and what runs.',
    verb: 'mm diff',
    params: apiParam,
    query: z.object({
      from: z.string().optional().describe('`g2`, `h12`, `live` or `disk`'),
      to: z.string().optional().describe('the same'),
    }),
    answer: versionDiff,
    errors: ['service_not_found', 'version_missing'],
    act: ({ desk, params: { api }, query: { from, to } }) => history(desk).diff(api, from, to),
  }),
  route({
    id: 'history.why',
    method: 'GET',
    path: '/api/why/{subject}',
    scope: 'read',
    summary: 'Why a service is as it is, a call failed, or what became of a change, in plain words',
    verb: 'mm why',
    params: z.object({
      subject: z.string().min(1).describe('the name of a service, the id of what happened, or the trace id of a call'),
    }),
    answer: why,
    errors: ['subject_unknown'],
    act: ({ desk, params: { subject } }) => history(desk).why(subject),
  }),
]
