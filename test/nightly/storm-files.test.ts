/** A hundred waves over a thousand config files, half of each to what cannot be used, under calls. */
import { expect, it } from 'vitest'
import { percentile } from '../../bench/support.ts'
import { scaled, seeded, tell } from '../support/nightly.ts'
import { FileStorm } from '../support/storm-files.ts'

const FILES = 1_000

it('all come to rest as their files are, refused ones serve their last good version, and no call fails', async () => {
  const [seed, waves] = [seeded(20_260_304), scaled(100)]
  const storm = await FileStorm.start(seed, FILES)
  const times: number[] = []
  const wrong: string[] = []
  let [calls, failed] = [0, 0]
  for (let wave = 1; wave <= waves; wave++) {
    const report = await storm.run()
    times.push(report.converged_ms)
    calls += report.calls
    failed += report.failed.length
    wrong.push(...[...report.wrong, ...report.failed].map((one) => `seed ${seed} wave ${wave}: ${one}`))
  }
  await storm.stop()
  const [p50, p95] = [0.5, 0.95].map((share) => Math.round(percentile(times, share)))
  tell('R8', { seed, files: FILES, waves, converged_p50_ms: p50, converged_p95_ms: p95, calls, failed })
  expect(wrong.slice(0, 10)).toEqual([])
})
