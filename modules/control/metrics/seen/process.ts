/** The process itself: how late the event loop was since it was last asked, and how full the heap is. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { MetricValue } from '../../../contracts/meta-metrics.ts'

const RESOLUTION_MS = 10
const NS = 1e9

export class ProcessProbe {
  private readonly monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

  constructor() {
    this.monitor.enable()
  }

  /** Seconds; the monitor counts its own resolution with each delay. */
  delay(): MetricValue {
    const { count } = this.monitor
    const seconds = this.monitor.percentile(99) / NS - RESOLUTION_MS / 1000
    this.monitor.reset()
    return { value: count === 0 ? null : Math.max(0, seconds), samples: count }
  }

  heapUsed(): number {
    const { used_heap_size, heap_size_limit } = getHeapStatistics()
    return used_heap_size / heap_size_limit
  }

  end(): void {
    this.monitor.disable()
  }
}
