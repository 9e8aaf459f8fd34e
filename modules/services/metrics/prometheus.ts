/**
 * The only file that knows prom-client, whose successor needs a newer Node: a registry with the few kinds of metrics that
 * are used here. Instances are held by the service over its versions, so this file's shape is named in the key they are
 * held by.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export type Labels = Record<string, string>

export interface Count {
  add(labels: Labels, by?: number): void
  /** For what is counted elsewhere: forgets all, then takes these. */
  are(rows: readonly (readonly [Labels, number])[]): void
}

export interface Level {
  are(rows: readonly (readonly [Labels, number])[]): void
}

export interface Times {
  add(labels: Labels, seconds: number): void
  forget(labels: Labels): void
}

export interface Metrics {
  count(name: string, help: string, labels?: readonly string[]): Count
  level(name: string, help: string, labels?: readonly string[]): Level
  times(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Times
  text(): Promise<string>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  return {
    count(name, help, labelNames = []) {
      const counter = new Counter({ name, help, labelNames, registers })
      return {
        add: (labels, by = 1) => counter.inc(labels, by),
        are(rows) {
          counter.reset()
          for (const [labels, value] of rows) counter.inc(labels, value)
        },
      }
    },
    level(name, help, labelNames = []) {
      const gauge = new Gauge({ name, help, labelNames, registers })
      return {
        are(rows) {
          gauge.reset()
          for (const [labels, value] of rows) gauge.set(labels, value)
        },
      }
    },
    times(name, help, labelNames, buckets) {
      const histogram = new Histogram({ name, help, labelNames, buckets: [...buckets], registers })
      return {
        add: (labels, seconds) => histogram.observe(labels, seconds),
        forget: (labels) => histogram.remove(labels),
      }
    },
    text: () => registry.metrics(),
  }
}
