/** R2: the kernel is replaced again and again under load; nothing is dropped, nothing built again, no kernel is kept. */
import { expect, it } from 'vitest'
import { swapUnderLoad } from '../support/kernel-storm.ts'

const SEED = 20_260_401
const SWAPS = 100

it(`${SWAPS} swaps under load drop no call, build nothing again, and leave no kernel behind`, {
  timeout: 300_000,
}, async () => {
  const { counts, calls, collected, wrong, digests } = await swapUnderLoad({ swaps: SWAPS, seed: SEED })
  expect(counts.failed.slice(0, 5)).toEqual([])
  expect(wrong).toEqual([])
  expect(digests[1]).toBe(digests[0])
  expect(calls).toBeGreaterThan(SWAPS * 1_000)
  expect(collected).toBeGreaterThanOrEqual(0.99)
})
