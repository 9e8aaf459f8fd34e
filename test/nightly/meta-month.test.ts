/** Months of the meta-loop that the gate does not run, each from another seed; every other lets tuning through by itself. */
import { expect, it } from 'vitest'
import { tellMonth } from '../simulation/month/figures.ts'
import { runMonth } from '../simulation/month/run.ts'
import { scaled, seeded } from '../support/nightly.ts'

const first = seeded(101)
const seeds = Array.from({ length: scaled(20) }, (_one, at) => first + at)

it.each(seeds)('the month of seed %i holds nothing against the loop', async (seed) => {
  const month = await runMonth(seed)
  tellMonth(month)
  expect(month.violations).toEqual([])
})
