/** Every metric is read from a source: the source changes, and so does the metric; without it nothing is known. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CATALOGUE } from '../../../modules/control/metrics/catalogue.ts'
import { CHANGES } from './changes.ts'
import { startMeasured, type Measured } from './measured.ts'

let m: Measured
beforeAll(async () => {
  m = await startMeasured()
}, 30_000)
afterAll(() => m.stop())

it('every path of the catalogue is in the table of changes, and nothing else', () => {
  expect(Object.keys(CHANGES).sort()).toEqual(CATALOGUE.map(({ path }) => path).sort())
})

const SILENT = ['rollouts', 'ledger', 'events', 'chromadb']

it.each(CATALOGUE)(
  '$path changes with its source, and is unknown without it',
  async ({ path, nullable, value_type }) => {
    const change = CHANGES[path]
    if (change === undefined) throw new Error(`${path} is not in the table`)
    for (const api of SILENT) await m.says(api)
    m.past()
    const without = await m.value(path)
    if (change.without === undefined) expect([path, without.value]).toEqual([path, nullable ? null : 0])
    await change.first(m)
    const before = (await m.value(path)).value
    await change.next(m)
    const after = (await m.value(path)).value
    await change.end?.(m)
    if (Array.isArray(change.is)) expect([path, before, after]).toEqual([path, ...change.is])
    else if (change.is === 'more') expect(after).toBeGreaterThan(before ?? Number.NaN)
    else expect(after).toBeLessThan(before ?? Number.NaN)
    if (value_type === 'int') expect(Number.isInteger(after)).toBe(true)
  },
  20_000,
)
