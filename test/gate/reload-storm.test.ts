/** R1: 1,000 reloads of 20 services under a million calls of every kind. */
import { expect, it } from 'vitest'
import { runReloadStorm } from '../support/reload-storm.ts'

const SEED = 20_260_101

it('no call fails, is lost, runs twice, or is answered by a version that is not live', {
  timeout: 300_000,
}, async () => {
  const { reloads, calls, slow, failed, wrong } = await runReloadStorm(SEED, 1)
  expect(failed.slice(0, 5)).toEqual([])
  expect(wrong).toEqual([])
  expect(reloads).toBe(1_000)
  expect(calls).toBeGreaterThanOrEqual(1_000_000)
  expect(slow).toBeGreaterThanOrEqual(0.2)
})
