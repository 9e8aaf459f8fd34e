/** Snapshots as one history for each metric, oldest first: what trends and anomalies look at. Pure. */
import type { MetricHistoryPoint, MetricSnapshot } from '../../../contracts/meta-metrics.ts'

/** A metric that one of them does not have is unknown there. */
export function historiesOf(snapshots: readonly MetricSnapshot[]): Record<string, MetricHistoryPoint[]> {
  const ordered = [...snapshots].sort((a, b) => a.at - b.at)
  const paths = new Set(ordered.flatMap(({ values }) => Object.keys(values)))
  const history = (path: string): MetricHistoryPoint[] =>
    ordered.map(({ id, at, values }) => ({ snapshot: id, at, ...(values[path] ?? { value: null, samples: 0 }) }))
  return Object.fromEntries([...paths].map((path) => [path, history(path)]))
}
