/** R12: 10,000 versions of a service one after another, and 10,000,000 calls. */
import { expect, it } from 'vitest'
import { resultOf } from '../support/child.ts'
import { scaled, tell } from '../support/nightly.ts'
import { expectNothingLeft, type SoakResult } from '../support/soak.ts'

const HEAP_KB_MAX = 0.5
const RSS_MB_MAX = 64
const RSS_GROWTH_MAX = 1.1

it('nothing is left of them: no memory, timer, file, listener, task or class', async () => {
  const result = await resultOf<SoakResult>('test/fixtures/soak/soak.ts', scaled(10_000), 1_000)
  const { begin, end, ...figures } = result
  tell('R12', { ...figures, open: end })
  expectNothingLeft(result)
  expect(begin).toEqual(end)
  expect(result.heap_kb).toBeLessThanOrEqual(HEAP_KB_MAX)
  expect(result.rss_end_mb - result.rss_begin_mb).toBeLessThanOrEqual(RSS_MB_MAX)
})

it('a module of 100 KB leaves at most half a kilobyte a reload', async () => {
  type Heap = Record<'heap_kb' | 'rss_quarter_mb' | 'rss_end_mb', number>
  const result = await resultOf<Heap>('bench/heap.ts', 'child', 102_400, scaled(10_000), 'kernel')
  tell('R12, 100 KB', { ...result })
  expect(result.heap_kb).toBeLessThanOrEqual(HEAP_KB_MAX)
  expect(result.rss_end_mb / result.rss_quarter_mb).toBeLessThanOrEqual(RSS_GROWTH_MAX)
})
