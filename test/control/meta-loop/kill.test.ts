/** A process that is killed in a cycle leaves files old or new, a log that says the truth, and goes on. */
import { expect, it } from 'vitest'
import { killCycles } from './killed.ts'

const KILLS = 6
const TEST_MS = 180_000

it(
  'AROS 35: killed at random points of a cycle, each file is old or new and the log says what happened',
  async () => {
    const { wrong, cycles } = await killCycles(9, KILLS)
    expect(wrong).toEqual([])
    expect(cycles['completed']).toBeGreaterThan(0)
  },
  TEST_MS,
)
