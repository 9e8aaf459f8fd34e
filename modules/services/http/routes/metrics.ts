/** What Prometheus reads. */
import { z } from 'zod'
import type { MetricsApi } from '../../../contracts/metrics.ts'
import { SAFE_HEADERS } from '../answer.ts'
import { route } from './route.ts'

const TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export const metricsRoute = route({
  id: 'system.metrics',
  method: 'GET',
  path: '/metrics',
  scope: 'read',
  summary: 'Metrics of services, models and the process, for Prometheus',
  notes: 'See [metrics.md](metrics.md).',
  answer: z.string(),
  as: 'text',
  act: async ({ desk }) =>
    new Response(await desk.kernel.getApi<MetricsApi>('metrics').text(), {
      headers: { 'content-type': TYPE, ...SAFE_HEADERS },
    }),
})
