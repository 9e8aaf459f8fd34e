/** The real clock, handed to the kernel by `run.ts`. Tests hand in their own. */
import type { Clock } from '../contracts/seams.ts'

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback, options) {
    const timer = setTimeout(callback, ms)
    if (options?.ref === false) timer.unref()
    return { id: timer }
  },
  clear(token) {
    clearTimeout(token.id as NodeJS.Timeout)
  },
  soon(callback) {
    setImmediate(callback)
  },
}
