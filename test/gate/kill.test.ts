/** R5 at gate size: kill -9 at a hundred points of reload, undo, rollback, swap and write. */
import { afterEach, expect, it } from 'vitest'
import { endKilling, killAgainAndAgain } from '../support/kill.ts'

const POINTS = 20

afterEach(endKilling)

it.each([1, 2, 3, 4, 5])(
  'after every kill each file is old or new, what was acknowledged is there, and the next start is whole (%s of 5)',
  async (part) => {
    const reports = await killAgainAndAgain(20_261_121 + 10 * part, POINTS, 2)
    expect(reports.flatMap(({ seed, wrong }) => wrong.map((one) => `seed ${seed}: ${one}`))).toEqual([])
    expect(reports.reduce((sum, { points }) => sum + points, 0)).toBe(POINTS)
    for (const { files, rows } of reports) expect(Math.min(files, rows)).toBeGreaterThan(10)
  },
)
