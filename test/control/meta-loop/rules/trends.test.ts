/** Trends: found where there are some, and seldom where there are none, also where each value resembles the last. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { trendFindings, trendOf } from '../../../../modules/control/meta-loop/rules/trends.ts'
import { historyOf, metricOf, noiseOf, seeded } from '../made.ts'

const DOWN = { direction: 'down', target: null } as const
const RUNS = 300

const series = (seed: number, length: number, resembles: number, drift: number): number[] => {
  const random = seeded(seed)
  let noise = 0
  return Array.from({ length }, (_, index) => {
    noise = resembles * noise + Math.sqrt(1 - resembles ** 2) * noiseOf(random)
    return 1 + 0.1 * noise + drift * index
  })
}
const degrading = (resembles: number, drift: number): number =>
  Array.from({ length: RUNS }, (_, seed) => trendOf(historyOf(series(seed + 1, 48, resembles, drift)), DOWN)).filter(
    ({ verdict }) => verdict === 'degrading',
  ).length / RUNS

it('noise is no trend, also where it is sluggish', () => {
  expect(degrading(0, 0)).toBeLessThan(0.005)
  expect(degrading(0.7, 0)).toBeLessThan(0.03)
})

it('a rise of a third over two days of noise is found', () => {
  expect(degrading(0, 0.007)).toBeGreaterThan(0.95)
})

it('a few wild values do not make a trend, nor hide one', () => {
  const calm = series(1, 30, 0, 0)
  const wild = calm.map((value, index) => (index > 26 ? value * 50 : value))
  expect(trendOf(historyOf(wild), DOWN).verdict).toBe('stable')
  const rising = series(1, 30, 0, 0.02).map((value, index) => (index === 3 ? 50 : value))
  expect(trendOf(historyOf(rising), DOWN).verdict).toBe('degrading')
})

it('a steady change that is small is none; too few points say nothing', () => {
  expect(trendOf(historyOf(Array.from({ length: 20 }, (_, index) => 1 + index * 0.001)), DOWN)).toMatchObject({
    verdict: 'stable',
  })
  expect(trendOf(historyOf([1, 2, 3, 4, 5, 6, 7]), DOWN)).toMatchObject({ verdict: 'unknown', slope_per_hour: null })
  expect(trendOf(historyOf([1, 2, null, null, 3, 4, 5, 6, 7, null]), DOWN).points).toBe(7)
  expect(trendOf([], DOWN).verdict).toBe('unknown')
})

it('a change of direction changes the verdict, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 8, maxLength: 30 }), (numbers) => {
      const verdict = (direction: 'up' | 'down'): string =>
        trendOf(historyOf(numbers), { direction, target: null }).verdict
      const flipped: Readonly<Record<string, string>> = {
        improving: 'degrading',
        degrading: 'improving',
        stable: 'stable',
      }
      expect(verdict('up')).toBe(flipped[verdict('down')])
    }),
  )
})

it('a metric in a band degrades where it leaves its target', () => {
  const rising = historyOf(Array.from({ length: 20 }, (_, index) => index))
  const towards = (target: number | null): string => trendOf(rising, { direction: 'band', target }).verdict
  expect([towards(0), towards(19), towards(null)]).toEqual(['degrading', 'improving', 'unknown'])
})

it('only what degrades is a finding; missing points make it less sure', () => {
  const rising = Array.from({ length: 40 }, (_, index) => (index % 4 === 0 ? null : 1 + index * 0.05))
  const histories = { 'm.latency': historyOf(rising), 'm.rate': historyOf(rising) }
  const found = trendFindings(histories, [
    metricOf('m.latency', 'down'),
    metricOf('m.rate', 'up'),
    metricOf('m.gone', 'down'),
  ])
  expect(found).toMatchObject([
    { rule: 'trend', kind: 'trend', severity: 'critical', context: { metric: 'm.latency' }, confidence: 0.75 },
  ])
})
