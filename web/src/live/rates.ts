/**
 * Rates out of counts: two readings of `GET /api/traffic` make calls a second, and the last of them a trend. Pure. What
 * cannot be known (one reading, a count that began again, no call to time) is null, never 0.
 */
import type { Traffic } from '../../../modules/contracts/kernel.ts'

export type { Traffic }

/** Oldest first, one for each reading, at most `KEPT`. */
export interface Trend {
  calls_per_s: readonly (number | null)[]
  errors_per_s: readonly (number | null)[]
  /** median of the calls that were timed lately; null where none was made since the reading before */
  p50_ms: readonly (number | null)[]
}

export interface Pulse {
  /** of the last reading, and of those the trends are made from: epoch milliseconds */
  times: readonly number[]
  services: ReadonlyMap<string, Trend>
  /** calls a second of each link, by `linkKey` */
  links: ReadonlyMap<string, number | null>
  reading: Traffic
}

export const KEPT = 30
/** After a longer pause two counts say nothing of now. */
const PAUSE_MS_MAX = 15_000

export const linkKey = ({ caller, callee }: { caller: string; callee: string }): string => `${caller} → ${callee}`

/** What is known after one more reading. */
export function advance(before: Pulse | undefined, reading: Traffic): Pulse {
  const last = before?.reading
  const seconds = last === undefined ? 0 : (reading.at - last.at) / 1_000
  const goesOn = before !== undefined && seconds > 0 && reading.at - before.reading.at <= PAUSE_MS_MAX
  const counts = new Map(goesOn ? last?.services.map((one) => [one.api, one]) : [])
  const known = goesOn ? before.services : new Map<string, Trend>()
  const rate = (now: number, old: number): number | null => (goesOn && now >= old ? (now - old) / seconds : null)
  const services = reading.services.map(({ api, calls, errors, latency_ms }): [string, Trend] => {
    const old = counts.get(api) ?? { calls: 0, errors: 0 }
    const trend = known.get(api)
    const calls_per_s = rate(calls, old.calls)
    const p50 = calls_per_s === 0 ? null : (latency_ms?.p50 ?? null)
    return [
      api,
      {
        calls_per_s: longer(trend?.calls_per_s, calls_per_s),
        errors_per_s: longer(trend?.errors_per_s, rate(errors, old.errors)),
        p50_ms: longer(trend?.p50_ms, p50),
      },
    ]
  })
  const linked = new Map(goesOn ? last?.links.map((one) => [linkKey(one), one.calls]) : [])
  return {
    times: longer(goesOn ? before.times : undefined, reading.at),
    services: new Map(services),
    links: new Map(reading.links.map((one) => [linkKey(one), rate(one.calls, linked.get(linkKey(one)) ?? 0)])),
    reading,
  }
}

const longer = <T>(values: readonly T[] = [], value: T): T[] => [...values, value].slice(-KEPT)

/** Calls a second of a service now. One that no reading names was never called. */
export function rateOf(pulse: Pulse | undefined, api: string): number | null {
  const trend = pulse?.services.get(api)
  if (trend !== undefined) return trend.calls_per_s.at(-1) ?? null
  return pulse !== undefined && pulse.times.length > 1 ? 0 : null
}

/** Of all together, reading by reading; null while none is known. */
export function total(trends: Iterable<Trend>, read: (one: Trend) => Trend['calls_per_s']): (number | null)[] {
  const sums: (number | null)[] = []
  for (const trend of trends)
    for (const [at, value] of read(trend).toReversed().entries()) {
      const sum = sums[at] ?? null
      sums[at] = value === null ? sum : (sum ?? 0) + value
    }
  return sums.toReversed()
}

/** `0`, `0.5`, `12`, `1.2k`; `–` where nothing is known. */
export function rateText(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (value >= 1_000) return `${(value / 1_000).toPrecision(value >= 10_000 ? 3 : 2)}k`
  return value >= 10 ? String(Math.round(value)) : String(Number(value.toFixed(1)))
}

/** `0.04 ms`, `12 ms`, `1.5 s`; `–` where nothing is known. */
export function msText(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (value >= 1_000) return `${Number((value / 1_000).toPrecision(2))} s`
  return value >= 100 ? `${Math.round(value)} ms` : `${Number(value.toPrecision(2))} ms`
}
