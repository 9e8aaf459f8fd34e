/**
 * How long calls took, the incumbent's twice and the candidate's once, by method. A candidate is slower when it is so beyond
 * what the incumbent differs from itself. Pure.
 */
import type { JsonMap } from '../../contracts/seams.ts'

interface Times {
  live: number[]
  again: number[]
  next: number[]
}

const SAMPLES_MIN = 5

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

export class Timings {
  readonly methods = new Map<string, Times>()

  add(method: string, live: number, again: number, next: number): void {
    const times = this.methods.get(method) ?? { live: [], again: [], next: [] }
    times.live.push(live)
    times.again.push(again)
    times.next.push(next)
    this.methods.set(method, times)
  }

  summary(): JsonMap {
    const round = (value: number): number => Math.round(value * 1_000) / 1_000
    return Object.fromEntries(
      [...this.methods].map(([method, { live, next }]) => [
        method,
        { calls: live.length, p50_ms: round(median(live)), candidate_p50_ms: round(median(next)) },
      ]),
    )
  }
}

export function slowerIn(
  { methods }: Timings,
  { slower_share_max, slower_ms_min }: { slower_share_max: number; slower_ms_min: number },
): { key: string; message: string; details: JsonMap } | undefined {
  for (const [key, { live, again, next }] of methods) {
    if (live.length < SAMPLES_MIN) continue
    const [was, was2, is] = [median(live), median(again), median(next)]
    const limit = Math.max(was, was2) * (1 + slower_share_max) + Math.max(slower_ms_min, 2 * Math.abs(was - was2))
    if (is <= limit) continue
    const ms = (value: number): number => Math.round(value * 100) / 100
    const method = key.replace(/^default /, '')
    return {
      key,
      message: `${method} takes ${ms(is)} ms where the version that serves takes ${ms(Math.max(was, was2))} ms`,
      details: { method, was_ms: ms(Math.max(was, was2)), is_ms: ms(is), calls: live.length },
    }
  }
  return undefined
}
