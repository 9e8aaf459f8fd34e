/**
 * What a collector may look at: what was seen, the kernel's answer, other services. A question to another service has a
 * deadline, is taken off the counts of that service, and when it fails the reason stands in the snapshot beside a null.
 */
import type { KernelServiceApi, KernelStatus, ServiceStatus } from '../../contracts/kernel.ts'
import type { DomainView, MetricDomain, MetricValue, OperationMetrics } from '../../contracts/meta-metrics.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import { codeOf, reasonOf } from '../../lib/errors.ts'
import type { Config } from './config.ts'
import type { Seen } from './seen/index.ts'

/** By the name of the metric within the domain. What is not in it is null. */
export type Values = Record<string, MetricValue>

export interface Collector {
  domain: MetricDomain
  collect(look: Look): Values | Promise<Values>
}

/** The same for all collectors of one snapshot. */
export interface Scene {
  kernel: KernelApi
  config: Config
  seen: Seen
  now: number
  services: readonly ServiceStatus[]
  domains: readonly DomainView[]
  operation(): OperationMetrics
}

/** The kernel's own word: the service was not asked, or nobody knows what it would have said. */
const UNANSWERED: ReadonlySet<string> = new Set([
  'service_not_found',
  'service_stopped',
  'service_tripped',
  'service_failed',
  'method_not_found',
  'queue_full',
  'deadline_exceeded',
  'call_aborted',
  'generation_retired',
])

export class Look {
  readonly troubles: string[] = []
  readonly scene: Scene

  constructor(scene: Scene) {
    this.scene = scene
  }

  get since(): number {
    return this.scene.now - this.scene.config.window_ms
  }

  count(name: string): number {
    return this.scene.seen.counts.sum(this.scene.now, name)
  }

  counts(kind: string): ReadonlyMap<string, number> {
    return this.scene.seen.counts.of(this.scene.now, kind)
  }

  /** Undefined when it cannot be told, with the reason noted. */
  async ask<T extends object, R>(api: string, question: (handle: Handle<T>) => Promise<R>): Promise<R | undefined> {
    const { kernel, seen, config } = this.scene
    const bare = kernel.getApi<T>(api)
    // Each call of the measuring itself is one that nobody else made.
    const handle = counting(bare.with({ deadlineMs: config.source_ms }), () => seen.addOwn(api, { calls: 1 }))
    seen.asking.set(api, (seen.asking.get(api) ?? 0) + 1)
    try {
      return await question(handle)
    } catch (thrown) {
      if (!UNANSWERED.has(codeOf(thrown) ?? '')) seen.addOwn(api, { errors: 1 })
      this.troubles.push(`${api}: ${reasonOf(thrown)}`)
      return undefined
    } finally {
      // The event of its failure comes a moment later.
      setImmediate(() => leave(seen.asking, api))
    }
  }

  status(): Promise<KernelStatus | undefined> {
    return this.ask<KernelServiceApi, KernelStatus>('kernel', (system) => system.status())
  }
}

function leave(asking: Map<string, number>, api: string): void {
  const left = (asking.get(api) ?? 1) - 1
  if (left > 0) asking.set(api, left)
  else asking.delete(api)
}

function counting<T extends object>(handle: Handle<T>, count: () => void): Handle<T> {
  return new Proxy(handle, {
    get(target, name) {
      count()
      return Reflect.get(target, name, target) as unknown
    },
  })
}

// --- values -----------------------------------------------------------------------------------------------------------

export const counted = (value: number): MetricValue => ({ value, samples: 0 })
export const unknown: MetricValue = { value: null, samples: 0 }

/** null for a share of nothing. Counts of two sources may be a moment apart: it stays within 0 and 1. */
export const shareOf = (part: number, whole: number): MetricValue => ({
  value: whole > 0 ? Math.min(1, Math.max(0, part / whole)) : null,
  samples: Math.max(0, whole),
})

export function meanOf(values: readonly number[]): MetricValue {
  if (values.length === 0) return unknown
  return { value: values.reduce((a, b) => a + b, 0) / values.length, samples: values.length }
}

export const sumOf = (values: Iterable<number>): number => {
  let total = 0
  for (const value of values) total += value
  return total
}
