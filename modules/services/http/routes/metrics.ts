/** What Prometheus reads. */
import { z } from 'zod'
import type { MetricsApi } from '../../../contracts/metrics.ts'
import { route } from './route.ts'

export const metricsRoute = route({
  id: 'system.metrics',
  method: 'GET',
  path: '/metrics',
  scope: 'read',
  summary: 'Metrics of services, models and the process, for Prometheus',
  notes: 'See [metrics.md](metrics.md).',
  answer: z.string(),
  as: 'text',
  text_type: 'text/plain; version=0.0.4; charset=utf-8',
  act: ({ desk }) => desk.kernel.getApi<MetricsApi>('metrics').text(),
})
