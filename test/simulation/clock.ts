/**
 * A clock that stands still until it is told to go on. Timers fire in the order of their times, and of their making
 * when these are equal; `soon` comes before any timer. One callback at a time: between two of them everything that
 * was promised has settled, so the same seed gives the same order on any machine.
 */
import type { Clock, TimerToken } from '../../modules/contracts/seams.ts'

interface Timer extends TimerToken {
  readonly due: number
  readonly callback: () => void
}

const WALL_START = 1_750_000_000_000
/** More callbacks than this at one moment, and they make each other for ever. */
const AT_ONCE_MAX = 20_000

/** All promise callbacks that are due have run when an immediate does. */
export const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

export class SimClock implements Clock {
  private at = 0
  private wall: number
  private made = 0
  private atOnce = 0
  /** by due time, then by age */
  private readonly timers: Timer[] = []
  private soons: (() => void)[] = []
  private readonly settle: () => Promise<void>

  /** `settle` resolves when all that follows from one callback has happened; `wall` is what `now` begins with. */
  constructor({ settle = settled, wall = WALL_START }: { settle?: () => Promise<void>; wall?: number } = {}) {
    this.settle = settle
    this.wall = wall
  }

  /** Told what a callback threw: by contract none does. */
  onThrow: (thrown: unknown) => void = (thrown) => {
    throw thrown
  }

  now = (): number => this.wall + this.at
  monotonic = (): number => this.at

  after = (ms: number, callback: () => void): TimerToken => {
    const timer: Timer = { id: ++this.made, due: this.at + Math.max(0, ms), callback }
    let at = this.timers.length
    while (at > 0 && (this.timers[at - 1] as Timer).due > timer.due) at--
    this.timers.splice(at, 0, timer)
    return timer
  }

  clear = (token: TimerToken): void => {
    const at = this.timers.indexOf(token as Timer)
    if (at >= 0) this.timers.splice(at, 1)
  }

  soon = (callback: () => void): void => void this.soons.push(callback)

  /** Timers that are armed. */
  get armed(): number {
    return this.timers.length + this.soons.length
  }

  /** Milliseconds until the next timer is due. */
  get idle(): number {
    return (this.timers[0]?.due ?? Infinity) - this.at
  }

  /** The wall clock is set; deadlines do not notice. */
  jump(ms: number): void {
    this.wall += ms
  }

  /** Runs one callback that is due by `until`, and all that follows from it. False when there is none. */
  async step(until: number): Promise<boolean> {
    const callback = this.soons.shift() ?? this.takeTimer(until)
    if (callback === undefined) {
      if (until > this.at) this.atOnce = 0
      this.at = Math.max(this.at, until)
      return false
    }
    if (++this.atOnce > AT_ONCE_MAX) throw new Error(`time stands still at ${this.at} ms`)
    try {
      callback()
    } catch (thrown) {
      this.onThrow(thrown)
    }
    await this.settle()
    return true
  }

  private takeTimer(until: number): (() => void) | undefined {
    const [next] = this.timers
    if (next === undefined || next.due > until) return undefined
    this.timers.shift()
    if (next.due > this.at) this.atOnce = 0
    this.at = Math.max(this.at, next.due)
    return next.callback
  }

  /** Lets time pass, with all that falls into it. */
  async advance(ms: number): Promise<void> {
    await this.settle()
    const until = this.at + ms
    while (await this.step(until));
  }

  /** Runs what is to happen at once, and no timer that is not due. */
  async turn(): Promise<void> {
    await this.advance(0)
  }

  /** Of a system that is no more: nothing of it happens. */
  forgetAll(): void {
    this.timers.length = 0
    this.soons = []
  }
}
