/**
 * A clock that can be taken back. What one kernel has armed for itself ends with its lease, so that a kernel which was
 * replaced neither acts again nor stays in memory. Timers of modules and of calls are armed on the clock behind it.
 */
import type { Clock, TimerToken } from '../contracts/seams.ts'

export interface LeasedClock extends Clock {
  /** Disarms everything; until `renew`, nothing is armed any more. */
  end(): void
  renew(): void
}

export function leaseClock(clock: Clock): LeasedClock {
  const armed = new Set<TimerToken>()
  let over = false
  /** what was put off by `soon` before an end does not run after it */
  let term = 0
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after(ms, callback, options) {
      if (over) return { id: undefined }
      const token = clock.after(
        ms,
        () => {
          armed.delete(token)
          callback()
        },
        options,
      )
      armed.add(token)
      return token
    },
    clear(token) {
      if (armed.delete(token)) clock.clear(token)
    },
    soon(callback) {
      const asked = term
      clock.soon(() => {
        if (!over && asked === term) callback()
      })
    },
    end() {
      over = true
      term++
      for (const token of armed) clock.clear(token)
      armed.clear()
    },
    renew() {
      over = false
    },
  }
}
