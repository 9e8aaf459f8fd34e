/** The kernel and the system as a whole. */
import { z } from 'zod'
import { coded } from '../../../lib/errors.ts'
import { NOTHING, route } from './route.ts'
import { kernelInfo, kernelSwapResult, serviceState } from './service-shapes.ts'
import { machineEvent, serviceQuery } from './shapes.ts'

export const kernelRoutes = [
  route({
    id: 'system.health',
    method: 'GET',
    path: '/health',
    scope: 'open',
    summary: 'Whether the system serves, and the state and generation of each service',
    notes: '`ok` means serving. Needs no token.',
    answer: z.object({
      status: z.enum(['ok', 'starting', 'degraded', 'stopping']),
      kernel: z.object({ version: z.string(), prog: z.string() }),
      services: z.record(z.string(), z.object({ state: serviceState, generation: z.number().nullable() })),
    }),
    async act({ desk }) {
      const { status, version, prog, services } = await desk.system.status()
      return { status, kernel: { version, prog }, services }
    },
  }),
  route({
    id: 'kernel.show',
    method: 'GET',
    path: '/api/kernel',
    scope: 'read',
    summary: "The kernel's status, config errors, the versions on disk and what became of them",
    verb: 'mm kernel',
    answer: kernelInfo,
    act: async ({ desk: { system } }) => ({ ...(await system.status()), ...(await system.kernel()) }),
  }),
  route({
    id: 'kernel.swap',
    method: 'POST',
    path: '/api/kernel/swap',
    scope: 'admin',
    summary: 'Tries the newest kernel now, also one that was refused',
    verb: 'mm kernel swap',
    answer: kernelSwapResult,
    act: ({ desk }) => desk.system.swap(),
  }),
  route({
    id: 'system.tree',
    method: 'GET',
    path: '/api/tree',
    scope: 'read',
    summary: 'What each service owns, as text',
    query: serviceQuery,
    answer: z.string(),
    as: 'text',
    errors: ['service_not_found'],
    act: ({ desk, query }) => desk.system.tree(query.service),
  }),
]

/** Answered beside the table (`index.ts`): the stream belongs to the service and not to one version of it. */
export const eventsRoute = route({
  id: 'system.events',
  method: 'GET',
  path: '/api/events',
  scope: 'read',
  summary: 'Server-sent events as they happen',
  notes:
    '`Last-Event-ID` (or `last_event_id=`) brings what was missed meanwhile; what is not kept any more is told as `stream.missed`. A reader that takes too little is cut off, and told why as `stream.cut`.',
  query: z.object({
    subscribe: z.string().optional().describe('patterns, comma-separated, as `service.*`; all without it'),
    last_event_id: z.string().optional().describe('the same as the header Last-Event-ID'),
  }),
  body: NOTHING,
  answer: machineEvent,
  as: 'events',
  act: () => {
    throw coded('not_found', { path: '/api/events' })
  },
})
