/**
 * Timers of a module. They wait in here, sorted by their time; of the other side only the next one is asked for. Time is
 * that of the machine, and never goes back.
 */
import { min, now } from './primordials.ts'

interface Timer {
  id: number
  at: number
  every: number | undefined
  work: () => void
}

const TIMERS_MAX = 10_000
const WAIT_MS_MAX = 2_147_483_647

export class Timers {
  private readonly wakeAfter: (ms: number) => void
  private readonly fault: (thrown: unknown) => void
  /** earliest last */
  private timers: Timer[] = []
  private lastId = 0
  private latest = 0
  private before = now()
  /** when the other side will wake us */
  private wakes = Infinity

  constructor(wakeAfter: (ms: number) => void, fault: (thrown: unknown) => void) {
    this.wakeAfter = wakeAfter
    this.fault = fault
  }

  /** Milliseconds since the start, never going back. */
  monotonic(): number {
    const at = now()
    if (at > this.before) this.latest += at - this.before
    this.before = at
    return this.latest
  }

  set(work: unknown, ms: unknown, every: boolean, args: unknown[]): number {
    if (typeof work !== 'function') throw new TypeError('a timer calls a function')
    if (this.timers.length >= TIMERS_MAX) throw new RangeError(`no more than ${TIMERS_MAX} timers at once`)
    const wait = min(Math.max(Number(ms) || 0, every ? 1 : 0), WAIT_MS_MAX)
    const id = ++this.lastId
    this.insert({ id, at: this.monotonic() + wait, every: every ? wait : undefined, work: () => void work(...args) })
    this.arm()
    return id
  }

  clear(id: unknown): void {
    const index = this.timers.findIndex((timer) => timer.id === id)
    if (index >= 0) this.timers.splice(index, 1)
  }

  /** The time asked for has come, or nearly so. */
  woken(): void {
    this.wakes = Infinity
    const due = this.monotonic()
    const last = this.lastId
    for (;;) {
      const timer = this.timers.at(-1)
      // Timers that are set by these wait for the next time.
      if (timer === undefined || timer.at > due || timer.id > last) break
      this.timers.pop()
      if (timer.every !== undefined) this.insert({ ...timer, at: due + timer.every })
      try {
        timer.work()
      } catch (thrown) {
        this.fault(thrown)
      }
    }
    this.arm()
  }

  private insert(timer: Timer): void {
    let low = 0
    let high = this.timers.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.timers[middle] as Timer).at > timer.at) low = middle + 1
      else high = middle
    }
    this.timers.splice(low, 0, timer)
  }

  private arm(): void {
    const next = this.timers.at(-1)
    if (next === undefined || next.at >= this.wakes) return
    this.wakes = next.at
    this.wakeAfter(Math.max(0, next.at - this.monotonic()))
  }
}
