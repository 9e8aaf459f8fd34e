/** Metrics of the process: memory, processor time, and how late the event loop is. */
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import type { Metrics } from './prometheus.ts'

const RESOLUTION_MS = 10
const NS = 1e9

export interface ProcessMetrics {
  read(): void
  end(): void
}

export function processMetrics(metrics: Metrics): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const late = metrics.level('mm_event_loop_delay_seconds', 'How late the event loop was since it was last read.', [
    'stat',
  ])
  const cpu = metrics.count('process_cpu_seconds_total', 'Processor time of the process.')
  const resident = metrics.level('process_resident_memory_bytes', 'Resident memory.')
  const started = metrics.level('process_start_time_seconds', 'When the process began, in seconds since the epoch.')
  const heap = metrics.level('nodejs_heap_size_used_bytes', 'Heap of the main thread in use.')
  const heapTotal = metrics.level('nodejs_heap_size_total_bytes', 'Heap of the main thread.')
  const external = metrics.level('nodejs_external_memory_bytes', 'Memory of objects outside the heap.')
  const version = metrics.level('nodejs_version_info', 'The Node that runs; always 1.', ['version'])
  const begin = performance.timeOrigin / 1000
  return {
    read() {
      const { rss, heapUsed, heapTotal: total, external: outside } = process.memoryUsage()
      const { user, system } = process.cpuUsage()
      cpu.are([[{}, (user + system) / 1e6]])
      resident.are([[{}, rss]])
      started.are([[{}, begin]])
      heap.are([[{}, heapUsed]])
      heapTotal.are([[{}, total]])
      external.are([[{}, outside]])
      version.are([[{ version: process.version }, 1]])
      late.are(delayOf(delay).map(([stat, seconds]) => [{ stat }, seconds]))
      delay.reset()
    },
    end: () => void delay.disable(),
  }
}

/** The monitor counts its own resolution with each delay. */
function delayOf(delay: IntervalHistogram): [stat: string, seconds: number][] {
  const seconds = (ns: number): number => (Number.isFinite(ns) ? Math.max(0, ns / NS - RESOLUTION_MS / 1000) : 0)
  if (delay.count === 0) return []
  return [
    ['p50', seconds(delay.percentile(50))],
    ['p99', seconds(delay.percentile(99))],
    ['max', seconds(delay.max)],
  ]
}
