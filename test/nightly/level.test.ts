/** Ten thousand sequences of changes, none of which the gate runs. */
import { expect, it } from 'vitest'
import { runSequences } from '../simulation/level.ts'
import { seedsFrom } from '../simulation/seeds.ts'
import { scaled, tell } from '../support/nightly.ts'

it('each ends as a cold boot on the same files would', async () => {
  const seeds = seedsFrom(10_001, scaled(10_000))
  const wrong = await runSequences(seeds)
  tell('R9', { sequences: seeds.length, wrong: wrong.length })
  expect(wrong).toEqual([])
})
