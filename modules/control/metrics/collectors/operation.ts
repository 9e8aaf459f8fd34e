/** The work of the system's own agent, as its scores are made of it. */
import type { MetricValue } from '../../../contracts/meta-metrics.ts'
import { sumOf, type Collector, type Look, type Values } from '../look.ts'

export const operation: Collector = { domain: 'operation', collect }

function collect(look: Look): Values {
  const { error_count_by_type, events_skipped, ...metrics } = look.scene.operation()
  if (events_skipped > 0) look.troubles.push(`${events_skipped} stored events cannot be read`)
  const samples = metrics.event_count
  const values = Object.entries(metrics).map(([name, value]): [string, MetricValue] => [name, { value, samples }])
  return { ...Object.fromEntries(values), error_count: { value: sumOf(Object.values(error_count_by_type)), samples } }
}
