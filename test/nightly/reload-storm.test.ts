/** R1 at its second size: 10,000 reloads under ten million calls. */
import { expect, it } from 'vitest'
import { scaled, seeded, tell } from '../support/nightly.ts'
import { runReloadStorm } from '../support/reload-storm.ts'

it('no call fails, is lost, runs twice, or is answered by a version that is not live', async () => {
  const [seed, scale] = [seeded(20_260_102), scaled(10)]
  const { failed, wrong, ...figures } = await runReloadStorm(seed, scale)
  tell('R1', { seed, ...figures, failed: failed.length, wrong: wrong.length })
  expect(failed.slice(0, 10)).toEqual([])
  expect(wrong).toEqual([])
})
