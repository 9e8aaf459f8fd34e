/**
 * The wait before the next try, or none. What the server asks for comes first, then a doubled pause. A wait that the
 * call has no time for is not begun: the caller hears at once what the server said.
 */
import type { Failure } from './failure.ts'

const PAUSE_MS_MAX = 30_000
/** Steps of the golden ratio spread well: calls that failed together do not come back together. */
const GOLDEN = 0.618_033_988_75

let calls = 0

/** A number in [0, 1) that differs from the ones before. */
export const spread = (): number => (calls++ * GOLDEN) % 1

/** undefined: give up. `tried` counts the tries so far. */
export function pauseBefore(
  failure: Failure,
  tried: number,
  { retries, retry_ms }: { retries: number; retry_ms: number },
  leftMs: number,
  share: number,
): number | undefined {
  if (!failure.passing || tried > retries) return undefined
  const doubled = Math.min(retry_ms * 2 ** (tried - 1), PAUSE_MS_MAX)
  const pause = failure.wait_ms ?? doubled * (0.75 + share / 4)
  return pause < leftMs ? pause : undefined
}
