/**
 * When a job of a cron pattern is due, by a wall clock that may jump. Set forward, or asleep, over one or many turns: the
 * job runs once. Set back a little (a correction, the end of summer time): a turn that was taken is not taken again, unless
 * the job comes more often than that. Set back by more than `repeat_ms`: the clock was wrong before, and the job goes by
 * the new time. Pure; driven by `kernel-api.ts`.
 */
import { Cron } from 'croner'

export class CronTimes {
  private readonly times: Cron
  private readonly repeatMs: number
  /** wall ms up to which every turn has been taken, or passed over */
  private until: number

  /** Throws for a pattern that is none. */
  constructor(pattern: string, now: number, repeat_ms: number) {
    this.times = new Cron(pattern, { paused: true })
    this.repeatMs = repeat_ms
    this.until = now
  }

  /** Milliseconds until the next turn, 0 when one is due; undefined when there will be none. */
  due(now: number): number | undefined {
    const back = this.until - now
    if (back > 0 && back > Math.min(this.repeatMs, this.period())) this.until = now
    const next = this.after(this.until)
    return next === undefined ? undefined : Math.max(0, next - now)
  }

  /** A turn has been taken: those that passed while it ran are passed over. */
  taken(now: number): void {
    this.until = Math.max(this.until, now)
  }

  private period(): number {
    const first = this.after(this.until)
    const second = first === undefined ? undefined : this.after(first)
    return first === undefined || second === undefined ? Number.POSITIVE_INFINITY : second - first
  }

  private after(time: number): number | undefined {
    return this.times.nextRun(new Date(time))?.getTime()
  }
}
