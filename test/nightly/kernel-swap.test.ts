/** R2 at its second size: 1,000 swaps of the kernel under load. */
import { expect, it } from 'vitest'
import { swapUnderLoad } from '../support/kernel-storm.ts'
import { scaled, seeded, tell } from '../support/nightly.ts'

it('the kernel is replaced again and again: no call is dropped, nothing is built again, and no kernel is kept', async () => {
  const [swaps, seed] = [scaled(1_000), seeded(20_260_402)]
  const { counts, calls, pauses, collected, wrong, digests } = await swapUnderLoad({ swaps, seed })
  const sorted = pauses.toSorted((a, b) => a - b)
  const [pause_p50_ms, pause_p99_ms] = [0.5, 0.99].map((share) => sorted[Math.floor(sorted.length * share)])
  tell('R2', { swaps, seed, calls, failed: counts.failed.length, pause_p50_ms, pause_p99_ms, collected })
  expect(counts.failed.slice(0, 5)).toEqual([])
  expect(wrong).toEqual([])
  expect(digests[1]).toBe(digests[0])
  expect(collected).toBeGreaterThanOrEqual(0.99)
})
