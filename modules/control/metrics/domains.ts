/**
 * Services as they are seen together by the `domain:` of their configs: who is well, who calls whom, how often it goes
 * right, how soon it goes right again, how much needs a person, and how far all that has moved from the baseline. Pure.
 */
import type { ServiceStatus } from '../../contracts/kernel.ts'
import type { DomainView, MetricValue, ServiceHealth } from '../../contracts/meta-metrics.ts'
import { shareOf } from './look.ts'
import { roleOf } from './roles.ts'
import type { Seen } from './seen/index.ts'
import { percentile } from './seen/recent.ts'

const OTHER = 'other'

const DRIFTING = ['success_rate', 'recovery_s_p95', 'autonomy_rate'] as const

/** What is kept of a snapshot to measure a drift from. */
export type Baseline = Pick<DomainView, 'domain' | (typeof DRIFTING)[number]>[]

interface Counts {
  calls: ReadonlyMap<string, number>
  errors: ReadonlyMap<string, number>
  /** by who calls: whom */
  callees: Map<string, string[]>
  ran: ReadonlyMap<string, number>
  asked: ReadonlyMap<string, number>
  failures: ReadonlyMap<string, number>
  alerts: ReadonlyMap<string, number>
}

export function domainViews(
  services: readonly ServiceStatus[],
  seen: Seen,
  now: number,
  { window_ms, drift_samples_min }: { window_ms: number; drift_samples_min: number },
  baseline: Baseline | undefined,
): DomainView[] {
  const of = (kind: string): ReadonlyMap<string, number> => seen.counts.of(now, kind)
  const counts: Counts = {
    calls: of('calls'),
    errors: of('errors'),
    callees: calleesOf(of('call').keys()),
    ran: of('run'),
    asked: of('asked'),
    failures: of('failure'),
    alerts: of('alert'),
  }
  const names = [...new Set(services.map(domainOf))].sort()
  return names.map((domain) => {
    const members = services.filter((one) => domainOf(one) === domain)
    const view = viewOf(domain, members, seen, now - window_ms, counts)
    const before = baseline?.find((one) => one.domain === domain)
    return { ...view, drift: before === undefined ? {} : driftOf(view, before, drift_samples_min) }
  })
}

/** `caller>callee`; read once for all, not once for each of a thousand services. */
function calleesOf(pairs: Iterable<string>): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const pair of [...pairs].sort()) {
    const at = pair.indexOf('>')
    const caller = pair.slice(0, at)
    const known = found.get(caller)
    if (known === undefined) found.set(caller, [pair.slice(at + 1)])
    else known.push(pair.slice(at + 1))
  }
  return found
}

export const domainOf = ({ domain }: Pick<ServiceStatus, 'domain'>): string => domain ?? OTHER

function viewOf(
  domain: string,
  members: readonly ServiceStatus[],
  seen: Seen,
  since: number,
  counts: Counts,
): Omit<DomainView, 'drift'> {
  // What watches is asked all the time, also in a system that does nothing.
  const working = members.filter(({ prog }) => roleOf(prog) !== 'system')
  const total = (of: ReadonlyMap<string, number>, some: readonly ServiceStatus[] = working): number =>
    some.reduce((sum, { api }) => sum + (of.get(api) ?? 0), 0)
  const calls = total(counts.calls)
  const [ran, asked] = [total(counts.ran), total(counts.asked)]
  const recoveries = working.flatMap(({ api }) => seen.recoveries.since(api, since))
  const failures = [...counts.failures].filter(([name]) => members.some(({ api }) => name.startsWith(`${api} `)))
  return {
    domain,
    health: healthOf(members),
    services: members.map((one) => serviceHealth(one, seen, since, counts)),
    success_rate: shareOf(calls - total(counts.errors), calls),
    recovery_s_p95: { value: percentile(recoveries, 0.95), samples: recoveries.length },
    autonomy_rate: shareOf(ran, ran + asked),
    alert_count: failures.reduce((sum, [, count]) => sum + count, total(counts.alerts, members)),
  }
}

function healthOf(members: readonly ServiceStatus[]): DomainView['health'] {
  const live = members.filter(isLive).length
  if (live === members.length) return 'healthy'
  return live === 0 ? 'failed' : 'degraded'
}

/** One that switches serves. */
export const isLive = ({ state }: Pick<ServiceStatus, 'state'>): boolean => state === 'live' || state === 'switching'

function serviceHealth({ api, state, prog }: ServiceStatus, seen: Seen, since: number, counts: Counts): ServiceHealth {
  return {
    api,
    state,
    role: roleOf(prog),
    calls: counts.calls.get(api) ?? 0,
    errors: counts.errors.get(api) ?? 0,
    p95_s: percentile(seen.timesOf(api, since), 0.95),
    calls_to: counts.callees.get(api) ?? [],
  }
}

/** As a share of what it was; left out where either has too few observations, or what it was is 0. */
function driftOf(
  view: Omit<DomainView, 'drift'>,
  before: Baseline[number],
  samplesMin: number,
): Record<string, number> {
  const known = ({ value, samples }: MetricValue): boolean => value !== null && samples >= samplesMin
  return Object.fromEntries(
    DRIFTING.flatMap((name): [string, number][] => {
      const [now, then] = [view[name], before[name]]
      if (!known(now) || !known(then)) return []
      const [value, base] = [now.value ?? 0, then.value ?? 0]
      return base === 0 ? [] : [[name, (value - base) / Math.abs(base)]]
    }),
  )
}

export const baselineOf = (domains: readonly DomainView[]): Baseline =>
  domains.map(({ domain, success_rate, recovery_s_p95, autonomy_rate }) => ({
    domain,
    success_rate,
    recovery_s_p95,
    autonomy_rate,
  }))

/** Enough was seen to measure from it. */
export const isBaseline = (domains: readonly DomainView[], samplesMin: number): boolean =>
  domains.some(({ success_rate }) => success_rate.samples >= samplesMin)
