/**
 * Thirty days of the meta-loop on a simulated clock: work with faults, spikes and a quiet week, made from a seed and judged
 * by what the loop has written. `MM_SEED=N npm run test:gate -- meta-month` replays another month.
 */
import { expect, it } from 'vitest'
import { tellMonth } from '../simulation/month/figures.ts'
import { runMonth } from '../simulation/month/run.ts'
import { seeded } from '../support/nightly.ts'

const SEED = 1
/** Twice what is shipped: half of the looks, in half of the time. The nightly run has what is shipped. */
const WATCH_S = 600
/** A machine that has other things to do takes ten times as long. */
const TEST_MS = 1_800_000

it(
  'in thirty days every planted fault is found in time, and little is proposed for nothing',
  async () => {
    const month = await runMonth(seeded(SEED), { watch_s: WATCH_S })
    tellMonth(month)
    expect(month.violations).toEqual([])
    expect(month.found.length).toBeGreaterThan(5)
  },
  TEST_MS,
)

it('a loop that does not look is found out', async () => {
  const blind = 'disabled_rules: [success_rate_drop, improve_success_rate, error_spike, anomaly, trend, inflection]\n'
  const { violations } = await runMonth(SEED, { days: 2, kinds: ['outage'], loop: blind, watch_s: WATCH_S })
  expect(violations).toEqual([expect.stringMatching(/^outage of .* was not seen within 1 h$/)])
})
