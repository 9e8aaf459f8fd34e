/** Twenty thousand seeds of the simulation, none of which the gate runs. */
import { expect, it } from 'vitest'
import { runSeeds, seedsFrom } from '../simulation/seeds.ts'
import { scaled, tell } from '../support/nightly.ts'

it('no seed breaks a rule', async () => {
  const { failed, ...figures } = await runSeeds(seedsFrom(1_001, scaled(20_000)))
  tell('R18', { ...figures, failed: failed.length })
  expect(failed.join('\n\n')).toBe('')
})
