/**
 * When a cycle may run, and when one is due. Counted from the cycles that were begun, as they stand in the file: so a
 * restart forgets nothing, and one that failed counts like any other. An emergency passes the smallest interval and the
 * hourly limit within a limit of its own, and counts in all of them. Pure.
 */
import type { CadenceMode } from '../../contracts/meta-loop.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const MINUTE_MS = 60_000
const SECOND_MS = 1_000

export interface CadenceLimits {
  max_cycles_per_hour: number
  max_cycles_per_day: number
  max_emergency_per_hour: number
  min_interval_between_cycles_seconds: number
  normal_interval_hours: number
  away_interval_minutes: number
}

/** A cycle that was begun. */
export interface Begun {
  /** epoch milliseconds */
  at: number
  trigger: string
}

export type Refusal =
  | 'daily limit reached'
  | 'hourly limit reached'
  | 'min interval not met'
  | 'emergency limit reached'

/** `begun`: those of the last day at least, in any order. */
export function mayRun(
  trigger: string,
  now: number,
  begun: readonly Begun[],
  limits: CadenceLimits,
): Refusal | undefined {
  const since = (ms: number): readonly Begun[] => begun.filter(({ at }) => at > now - ms)
  const lastHour = since(HOUR_MS)
  if (since(DAY_MS).length >= limits.max_cycles_per_day) return 'daily limit reached'
  if (trigger === 'emergency') {
    const emergencies = lastHour.filter((one) => one.trigger === 'emergency')
    return emergencies.length >= limits.max_emergency_per_hour ? 'emergency limit reached' : undefined
  }
  if (lastHour.length >= limits.max_cycles_per_hour) return 'hourly limit reached'
  const tooSoon = since(limits.min_interval_between_cycles_seconds * SECOND_MS)
  return tooSoon.length > 0 ? 'min interval not met' : undefined
}

/** Between two cycles that nobody asked for; null: none come. */
export function intervalOf(mode: CadenceMode, limits: CadenceLimits): number | null {
  switch (mode) {
    case 'balanced':
      return limits.normal_interval_hours * HOUR_MS
    case 'aggressive':
      return limits.away_interval_minutes * MINUTE_MS
    case 'conservative':
      return 2 * limits.normal_interval_hours * HOUR_MS
    case 'frozen':
      return null
    default:
      return mode satisfies never
  }
}

/** `last`: when a cycle was begun, a scheduled one refused, or the service first started, whichever came last. */
export function isDue(mode: CadenceMode, now: number, last: number, limits: CadenceLimits): boolean {
  const interval = intervalOf(mode, limits)
  return interval !== null && now - last >= interval
}

export { DAY_MS }
