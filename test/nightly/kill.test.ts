/** R5 at nightly size: kill -9 at a thousand points, with how long the next start took. */
import { afterEach, expect, it } from 'vitest'
import { percentile } from '../../bench/support.ts'
import { endKilling, killAgainAndAgain } from '../support/kill.ts'
import { scaled, seeded, tell } from '../support/nightly.ts'

const READY_MS = 2_000

afterEach(endKilling)

it('after every kill each file is old or new, what was acknowledged is there, and the next start is whole', async () => {
  const [seed, points] = [seeded(20_261_121), scaled(1_000)]
  const reports = await killAgainAndAgain(seed, points, 2)
  const sum = (count: (one: (typeof reports)[number]) => number): number =>
    reports.reduce((total, one) => total + count(one), 0)
  const ready = reports.flatMap(({ start_ms, restart_ms }) => [...start_ms, ...restart_ms])
  const [p50, p95] = [0.5, 0.95].map((share) => Math.round(percentile(ready, share)))
  tell('R5', {
    seed,
    points: sum((one) => one.points),
    wrong: sum((one) => one.wrong.length),
    acked_calls: sum((one) => one.calls),
    files_looked_at: sum((one) => one.files),
    acked_rows: sum((one) => one.rows),
    ready_p50_ms: p50,
    ready_p95_ms: p95,
    ready_within_2_s: `${ready.filter((ms) => ms <= READY_MS).length} of ${ready.length}`,
    by: reports.map((one) => one.by),
  })
  expect(reports.flatMap((one) => one.wrong.map((wrong) => `seed ${one.seed}: ${wrong}`)).slice(0, 10)).toEqual([])
  expect(sum((one) => one.points)).toBe(points)
})
