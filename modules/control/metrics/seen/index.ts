/**
 * What was seen of the system since this process began, within a window: counts by name, times of calls, requests, ways
 * back to health. Held by the service over its versions, so that a reload counts on. Every part of it is bounded.
 */
import type { Config } from '../config.ts'
import { Counts } from './counts.ts'
import { ProcessProbe } from './process.ts'
import { Recent } from './recent.ts'
import { Recoveries } from './recoveries.ts'
import { Requests } from './requests.ts'
import { Spend } from './spend.ts'

/** Another number where what is held changes its shape. */
export const SHAPE = 'metrics 2'

export interface ServiceCounts {
  calls: number
  errors: number
  restarts: number
}

export class Seen {
  readonly counts: Counts
  readonly requests: Requests
  readonly recoveries: Recoveries
  /** hashes of arguments */
  readonly repeats: Recent
  readonly spend = new Spend()
  readonly process = new ProcessProbe()
  /** of the kernel, as they were read last */
  last = new Map<string, ServiceCounts>()
  lastAt: number | undefined
  /** calls of the measuring itself since then, and its failed ones, which are taken off */
  own = new Map<string, { calls: number; errors: number }>()
  /** services that are being asked by the measuring itself: a failure told meanwhile is its own */
  readonly asking = new Map<string, number>()
  lastEvent = 0
  /** conversations */
  readonly sessions = new Set<string>()
  spendRestored = false
  private readonly times = new Map<string, Recent>()
  private readonly config: Config

  constructor(config: Config) {
    this.config = config
    const { window_ms: windowMs, slots, counts_max: namesMax } = config
    this.counts = new Counts({ windowMs, slots, namesMax })
    this.requests = new Requests(config.requests_max, config.spans_max)
    this.recoveries = new Recoveries(config.services_max, config.recovery_gap_ms)
    this.repeats = new Recent(config.repeats_max)
  }

  /** Seconds of a call. */
  addTime(api: string, at: number, seconds: number): void {
    let times = this.times.get(api)
    if (times === undefined) {
      if (this.times.size >= this.config.services_max) return
      this.times.set(api, (times = new Recent(this.config.times_max)))
    }
    times.add(at, seconds)
  }

  /** By the measuring itself. `failed`: the service was asked, and it went wrong in it. */
  addOwn(api: string, { calls = 0, errors = 0 }: { calls?: number; errors?: number }): void {
    const own = this.own.get(api) ?? { calls: 0, errors: 0 }
    this.own.set(api, { calls: own.calls + calls, errors: own.errors + errors })
  }

  timesOf(api: string, since: number): number[] {
    return this.times.get(api)?.since(since) ?? []
  }
}

/** What it is held by: other windows begin anew. */
export const keyOf = (config: Config): string => {
  const { window_ms, slots, counts_max, services_max, times_max, requests_max, spans_max, repeats_max } = config
  const limits = [counts_max, services_max, times_max, requests_max, spans_max, repeats_max, config.recovery_gap_ms]
  return [SHAPE, window_ms, slots, ...limits].join(' ')
}
