/**
 * Callers that do not stop while something happens. A call that rejects or answers wrongly is kept with its reason;
 * nothing is tried again. `random` is seeded, so that a run can be repeated.
 */

export interface Counts {
  calls: number
  failed: string[]
}

/** Runs `callers` callers all the while `work` goes on. `one` makes one call and throws when its answer is wrong. */
export async function underCalls(
  callers: number,
  one: (caller: number, n: number) => Promise<unknown>,
  work: () => Promise<unknown>,
): Promise<Counts> {
  const counts: Counts = { calls: 0, failed: [] }
  const stop = new AbortController()
  const running = Array.from({ length: callers }, async (_, caller) => {
    for (let n = 0; !stop.signal.aborted; n++) {
      counts.calls++
      try {
        await one(caller, n)
      } catch (error) {
        counts.failed.push(String(error))
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  try {
    await work()
  } finally {
    stop.abort()
    await Promise.all(running)
  }
  return counts
}

export interface Random {
  /** from 0 up to, not including, 1 */
  next(): number
  /** a whole number from `from` up to and including `to` */
  between(from: number, to: number): number
}

/** mulberry32: small, fast, the same figures everywhere. */
export function random(seed: number): Random {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return { next, between: (from, to) => from + Math.floor(next() * (to - from + 1)) }
}
