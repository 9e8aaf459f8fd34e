/** Recorded calls of a service, and what another version makes of them. */
import { z } from 'zod'
import type { Recorded, RecordingsApi, Replay } from '../../../contracts/recordings.ts'
import { route, shape } from './route.ts'
import { apiParam, epochMs } from './shapes.ts'

const recorded = shape<Recorded>(
  'Recorded',
  z.object({
    service: z.string(),
    calls: z.enum(['none', 'sampled', 'all']).nullable().describe('what `record:` says; null: none was heard of yet'),
    total: z.number(),
    bytes: z.number(),
    answers: z.number().describe('what it got from others, for a replay without them'),
    kinds: z.array(
      z.object({
        aspect: z.string(),
        method: z.string(),
        outcome: z.string(),
        size: z.string(),
        seen: z.number(),
        kept: z.number(),
      }),
    ),
  }),
)

const hashes = z.object({ source_hash: z.string(), config_hash: z.string() })
const times = z.object({ p50: z.number(), p99: z.number() }).nullable()

const replay = shape<Replay>(
  'Replay',
  z.object({
    service: z.string(),
    live: hashes,
    candidate: hashes,
    verdict: z.enum(['equal', 'different', 'nothing_recorded']),
    calls: z.number(),
    equal: z.number(),
    differences: z.array(
      z.object({
        kind: z.enum(['result', 'fails', 'succeeds', 'error', 'unstable', 'unanswered']),
        aspect: z.string(),
        method: z.string(),
        count: z.number(),
        example: z.object({
          at: epochMs,
          args: z.string(),
          recorded: z.string(),
          live: z.string(),
          candidate: z.string(),
        }),
      }),
    ),
    skipped: z.object({ redacted: z.number(), over_time: z.number() }),
    ms: z.object({ live: times, candidate: times }),
  }),
)

export const recordingRoutes = [
  route({
    id: 'recordings.show',
    method: 'GET',
    path: '/api/services/{api}/recordings',
    scope: 'read',
    summary: 'What is recorded of a service',
    notes: 'See [recordings.md](recordings.md).',
    params: apiParam,
    answer: recorded,
    act: ({ desk, params }) => desk.kernel.getApi<RecordingsApi>('recordings').list(params.api),
  }),
  route({
    id: 'recordings.replay',
    method: 'POST',
    path: '/api/services/{api}/replay',
    scope: 'operate',
    summary: 'Makes the recorded calls on another version, beside the one that serves, and says what differs',
    verb: 'mm replay',
    params: apiParam,
    body: z.object({
      against: z
        .string()
        .min(1)
        .optional()
        .describe('`disk` (the default), a hash of a version that is kept, or the path of another source'),
      limit: z.number().int().positive().optional().describe('calls at most'),
    }),
    answer: replay,
    errors: ['service_not_found', 'version_not_kept', 'trial_refused'],
    act: ({ desk, params, body: { against, limit } }) =>
      desk.kernel.getApi<RecordingsApi>('recordings').replay(params.api, {
        ...(against === undefined ? {} : { against }),
        ...(limit === undefined ? {} : { limit }),
      }),
  }),
  route({
    id: 'recordings.forget',
    method: 'DELETE',
    path: '/api/services/{api}/recordings',
    scope: 'operate',
    summary: 'Drops what is recorded of a service',
    params: apiParam,
    answer: z.object({ forgotten: z.number() }),
    act: ({ desk, params }) => desk.kernel.getApi<RecordingsApi>('recordings').forget(params.api),
  }),
]
