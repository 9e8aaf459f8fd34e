/**
 * How often each actor has made changes that went through or wait, so that nobody changes the system faster than people
 * can follow. What it counts stands in the ledger too, from where it is read at the start. Pure.
 */
export interface RateLimits {
  changes_per_hour_max: number
  changes_per_day_max: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ACTORS_MAX = 1_000

export class Asked {
  /** actor → when, epoch ms, oldest first */
  private readonly times = new Map<string, number[]>()

  /** Says which limit is reached. */
  isTooOften(actor: string, limits: RateLimits, now: number): string | undefined {
    const day = (this.times.get(actor) ?? []).filter((at) => at > now - DAY_MS)
    const hour = day.filter((at) => at > now - HOUR_MS)
    const say = (made: number, span: string, limit: number): string =>
      `${actor} has made ${made} changes within ${span}; the limit is ${limit}`
    if (hour.length >= limits.changes_per_hour_max) return say(hour.length, 'an hour', limits.changes_per_hour_max)
    if (day.length >= limits.changes_per_day_max) return say(day.length, 'a day', limits.changes_per_day_max)
    return undefined
  }

  count(actor: string, at: number): void {
    const times = (this.times.get(actor) ?? []).filter((one) => one > at - DAY_MS)
    times.push(at)
    this.times.delete(actor)
    this.times.set(actor, times)
    if (this.times.size > ACTORS_MAX) this.times.delete(this.times.keys().next().value ?? '')
  }
}
