/** What reloads leave behind, through the running kernel: memory, and everything else that can be counted. */
import { expect, it } from 'vitest'
import { resultOf } from '../support/child.ts'
import { expectNothingLeft, type SoakResult } from '../support/soak.ts'

const HEAP_KB_MAX = 0.5
const RSS_GROWTH_MAX = 1.1

interface Result {
  heap_kb: number
  rss_quarter_mb: number
  rss_end_mb: number
}

it.each([10_240, 102_400])(
  'a module of %i bytes leaves at most half a kilobyte a reload, of 10,000',
  { timeout: 600_000 },
  async (bytes) => {
    const result = await resultOf<Result>('bench/heap.ts', 'child', bytes, 10_000, 'kernel')
    expect(result.heap_kb).toBeLessThanOrEqual(HEAP_KB_MAX)
    expect(result.rss_end_mb / result.rss_quarter_mb).toBeLessThanOrEqual(RSS_GROWTH_MAX)
  },
)

it('300 versions that use everything a module may own leave no timer, file, listener, task or class', async () => {
  expectNothingLeft(await resultOf<SoakResult>('test/fixtures/soak/soak.ts', 300, 100))
})
