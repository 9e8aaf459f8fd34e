/** What a soak says at its end, and what it has to be. The soak itself is test/fixtures/soak/soak.ts. */
import { expect } from 'vitest'

export interface SoakResult {
  reloads: number
  calls: number
  /** calls that failed, or answered as another version */
  wrong: number
  /** slope of the heap from a tenth of the way to the end */
  heap_kb: number
  /** lowest values of the second tenth, and of the last one */
  rss_begin_mb: number
  rss_end_mb: number
  /** of the versions that do not serve any more */
  collected: number
  begin: Record<string, number>
  end: Record<string, number>
}

const COLLECTED_MIN = 0.99

export function expectNothingLeft({ wrong, collected, begin, end }: SoakResult): void {
  expect(wrong).toBe(0)
  expect(end).toEqual(begin)
  expect(collected).toBeGreaterThanOrEqual(COLLECTED_MIN)
}
