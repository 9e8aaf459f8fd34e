/**
 * What reloads leave behind, through the running kernel: memory, and everything else that can be counted. Ten thousand
 * reloads of the large module are a nightly run.
 */
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

it.each([
  [10_240, 10_000],
  [102_400, 2_500],
])(
  'a module of %i bytes leaves at most half a kilobyte a reload, of %i',
  { timeout: 600_000 },
  async (bytes, reloads) => {
    const result = await resultOf<Result>('bench/heap.ts', 'child', bytes, reloads, 'kernel')
    expect(result.heap_kb).toBeLessThanOrEqual(HEAP_KB_MAX)
    expect(result.rss_end_mb / result.rss_quarter_mb).toBeLessThanOrEqual(RSS_GROWTH_MAX)
  },
)

it('300 versions that use everything a module may own leave no timer, file, listener, task or class', async () => {
  expectNothingLeft(await resultOf<SoakResult>('test/fixtures/soak/soak.ts', 300, 100))
})
