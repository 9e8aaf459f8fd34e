/** Rows of GRACE: how far the system kept to its rules, in points. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startMeasured, type Measured } from '../metrics/measured.ts'

let m: Measured
beforeEach(async () => {
  m = await startMeasured()
  await m.says('ledger', { read: [], status: { checked: { valid: true } } })
})
afterEach(() => m.stop())

const compliance = async (): Promise<number | null> => (await m.value('stability.compliance')).value
const breach = (severity: string): Promise<void> => m.emit('signed.breach', { source: 'probe', payload: { severity } })

it('GRACE 36: compliance is 100 less 5 a bias, 15 a critical, 5 a warning, 1 an info; what blocks costs as a critical one', async () => {
  expect(await compliance()).toBe(100)
  const costs: [string, number][] = [
    ['bias', 95],
    ['critical', 80],
    ['warning', 75],
    ['info', 74],
    ['blocking', 59],
  ]
  for (const [severity, left] of costs) {
    await breach(severity)
    expect([severity, await compliance()]).toEqual([severity, left])
  }
  await m.emit('policy.refused', { tier: 'NEVER' })
  expect(await compliance()).toBe(44)
  await breach('a word nobody knows')
  expect(await compliance()).toBe(29)
  for (let n = 0; n < 3; n++) await breach('critical')
  expect(await compliance()).toBe(0)
  m.past()
  expect(await compliance()).toBe(100)
})
