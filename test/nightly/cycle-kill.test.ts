/** Kill -9 at a hundred random points of a cycle: `npm run test:nightly -- --scale 2 cycle-kill` for two hundred. */
import { expect, it } from 'vitest'
import { killCycles } from '../control/meta-loop/killed.ts'
import { scaled, seeded, tell } from '../support/nightly.ts'

/** Of one root; another has files of its own. */
const PART = 10
const first = seeded(20_261_122)
const total = scaled(100)
const parts = Array.from({ length: Math.ceil(total / PART) }, (_one, at) => [
  first + at,
  Math.min(PART, total - at * PART),
])

it.each(parts)(
  'after every kill in a cycle all is old or new, and told as it was (seed %i, %i kills)',
  async (seed, kills) => {
    const { wrong, ...figures } = await killCycles(seed, kills)
    tell('R5, cycles', { seed, ...figures, wrong: wrong.length })
    expect(wrong).toEqual([])
  },
)
