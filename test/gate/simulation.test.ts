/**
 * The kernel itself on simulated files, time, watcher and modules: 200 random steps a seed, judged by a model. A seed
 * that fails is replayed with `MM_SEED=N npm run test:gate -- simulation`, which prints its whole history.
 */
import { expect, it } from 'vitest'
import { loadKernel } from '../simulation/kernel-copy.ts'
import { PLANTED } from '../simulation/planted.ts'
import { runSeed } from '../simulation/run.ts'
import { findOut, runSeeds, seedsFrom } from '../simulation/seeds.ts'
import { tell } from '../support/nightly.ts'

const SEEDS = 500
/** A mistake that needs more seeds than this could stay in for a while. */
const FOUND_WITHIN = 20
const REPLAYS = 10

it(`${SEEDS} seeds of 200 steps break no rule`, async () => {
  const { failed, ...figures } = await runSeeds(seedsFrom(1, SEEDS))
  tell('R18', { ...figures, failed: failed.length })
  expect(failed.join('\n\n')).toBe('')
})

it.each(PLANTED)('$name is found, and the seed that finds it replays identically', async (mistake) => {
  const found = await findOut(mistake, seedsFrom(1, FOUND_WITHIN))
  if (found === undefined) throw new Error(`no seed up to ${FOUND_WITHIN} finds ${mistake.name}`)
  tell('R18', { planted: mistake.name, seed: found.seed, says: found.violations[0] })
  const again = await findOut(mistake, [found.seed])
  expect(again?.hash).toBe(found.hash)
  expect(again?.violations).toEqual(found.violations)
})

it('a seed makes the same history each time, and another seed another', async () => {
  const { Kernel, dispose } = await loadKernel()
  const hashes = new Set<string>()
  for (let replay = 0; replay < REPLAYS; replay++) hashes.add((await runSeed(Kernel, 7)).hash)
  expect(hashes.size).toBe(1)
  hashes.add((await runSeed(Kernel, 8)).hash)
  expect(hashes.size).toBe(2)
  dispose()
})
