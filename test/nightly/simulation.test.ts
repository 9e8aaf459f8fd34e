/** Twenty thousand seeds of the simulation, none of which the gate runs; by the thousand, so that a run cut off says how far it was. */
import { expect, it } from 'vitest'
import { runSeeds, seedsFrom } from '../simulation/seeds.ts'
import { scaled, tell } from '../support/nightly.ts'

const FIRST = 1_001
const PART = 1_000
const parts = Array.from({ length: Math.ceil(scaled(20_000) / PART) }, (_one, at) => FIRST + at * PART)

it.each(process.env['MM_SEED'] === undefined ? parts : [FIRST])('no seed breaks a rule, from %i on', async (first) => {
  const count = Math.min(PART, FIRST + scaled(20_000) - first)
  const { failed, ...figures } = await runSeeds(seedsFrom(first, count))
  tell('R18', { first, ...figures, failed: failed.length })
  expect(failed.join('\n\n')).toBe('')
})
