/** What models cost is known over restarts: it decides for how long the budget lasts. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ControlMetricsApi } from '../../../modules/contracts/meta-metrics.ts'
import { openDatabase } from '../../../modules/lib/sqlite.ts'
import { startSystem } from '../../support/system.ts'
import { startMeasured, type Measured } from './measured.ts'

let m: Measured
beforeEach(async () => {
  m = await startMeasured()
})
afterEach(() => m.stop())

it('what was spent after the last snapshot outlives the process too, and what an older version has kept', async () => {
  const cost = { usage: { input_tokens: 1, output_tokens: 1, cached_tokens: 0, cost_usd: 200 } }
  await m.take()
  await m.emit('model.called', cost)
  await m.system.kernel.stop('test', 2_000)
  const connection = await openDatabase(join(m.system.root.path, 'runtime/control/metrics.db'), 1_000)
  const hour = Math.floor(m.clock.now() / 3_600_000) - 29 * 24
  const text = JSON.stringify([[hour, { usd: 600, answers: 3, priced: 3 }]])
  connection.prepare(`INSERT INTO kept VALUES ('spend', ?)`).run([text])
  connection.close()
  const again = await startSystem(m.system.root)
  const { values } = await again.getApi<ControlMetricsApi>('control/metrics').take()
  // 1000 less 200 of this day and 600 of this month: for one more day.
  expect(values['budget.days_until_exhausted']).toEqual({ value: 1, samples: 1 })
  await again.kernel.stop('test', 2_000)
})
