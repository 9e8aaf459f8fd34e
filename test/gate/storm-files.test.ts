/** A thousand config files changed at once, ten times, half of them to what cannot be used, under calls. */
import { expect, it } from 'vitest'
import { FileStorm } from '../support/storm-files.ts'

const SEED = 20_260_303
const FILES = 1_000
const WAVES = 10

it('all come to rest as their files are, refused ones serve their last good version, and no call fails', async () => {
  const storm = await FileStorm.start(SEED, FILES)
  let calls = 0
  for (let wave = 1; wave <= WAVES; wave++) {
    const report = await storm.run()
    calls += report.calls
    expect([wave, report.wrong.slice(0, 5), report.failed.slice(0, 5)]).toEqual([wave, [], []])
  }
  await storm.stop()
  expect(calls).toBeGreaterThan(1_000)
})
