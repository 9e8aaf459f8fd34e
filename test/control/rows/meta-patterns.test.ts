/** Rows of what is seen over several domains, snapshots or errors. */
import { expect, it } from 'vitest'
import { anomalyOf } from '../../../modules/control/meta-loop/rules/anomalies.ts'
import { inflectionFindings } from '../../../modules/control/meta-loop/rules/inflections.ts'
import { PATHS } from '../../../modules/control/meta-loop/rules/paths.ts'
import { domainPerformance, multiDomainDrift } from '../../../modules/control/meta-loop/rules/patterns.ts'
import { trendOf } from '../../../modules/control/meta-loop/rules/trends.ts'
import { domainOf, historyOf, metricOf, noiseOf, seeded, snapshotOf } from '../meta-loop/made.ts'

it('GRACE 12: two domains that move by more than a fifth drift together; one, or exactly a fifth, does not', () => {
  const drift = (...shares: number[]) =>
    multiDomainDrift(shares.map((share, index) => domainOf(`d${index}`, { drift: { success_rate: share } })))
  expect(drift(0.25, -0.3, 0.1)).toMatchObject({ rule: 'multi_domain_drift', context: { domains: ['d0', 'd1'] } })
  expect([drift(0.25, 0.1), drift(0.25, 0.2), drift()]).toEqual([null, null, null])
})

it('GRACE 13: domains below 0.85 and above 0.95 are told apart; one without data is neither', () => {
  const rates: [string, number | null][] = [
    ['a', 0.849],
    ['b', 0.85],
    ['c', 0.95],
    ['d', 0.951],
    ['e', null],
  ]
  const domains = rates.map(([name, value]) =>
    domainOf(name, { success_rate: { value, samples: value === null ? 0 : 100 } }),
  )
  expect(domainPerformance(domains)).toEqual({ under: ['a'], over: ['d'] })
})

it('SynthOrg 37: 14.9 % is none, 15 % a warning, 30 % critical; what got better is no alert', () => {
  const catalogue = [metricOf(PATHS.success, 'up'), metricOf(PATHS.spend, 'down'), metricOf(PATHS.findings, 'neither')]
  const between = (path: string, old: number | null, next: number | null): (string | undefined)[] =>
    inflectionFindings(snapshotOf({ [path]: old }), snapshotOf({ [path]: next }), catalogue).map(
      ({ severity }) => severity,
    )
  expect(between(PATHS.success, 1, 0.851)).toEqual([])
  expect(between(PATHS.success, 1, 0.85)).toEqual(['warning'])
  expect(between(PATHS.success, 1, 0.701)).toEqual(['warning'])
  expect(between(PATHS.success, 1, 0.7)).toEqual(['critical'])
  expect(between(PATHS.success, 0.7, 1)).toEqual([])
  expect(between(PATHS.spend, 10, 20)).toEqual(['critical'])
  expect(between(PATHS.spend, 20, 10)).toEqual([])
  expect([between(PATHS.spend, null, 9), between(PATHS.spend, 0, 0), between(PATHS.findings, 1, 9)]).toEqual([
    [],
    [],
    [],
  ])
})

it('Aetherra 23: rising latency degrades, a rising success rate improves, and noise does neither', () => {
  const rising = historyOf(Array.from({ length: 24 }, (_, index) => 1 + index * 0.02))
  const falling = historyOf(Array.from({ length: 24 }, (_, index) => 1 - index * 0.02))
  const verdicts = (points: typeof rising): string[] =>
    (['down', 'up', 'neither'] as const).map((direction) => trendOf(points, { direction, target: null }).verdict)
  expect(verdicts(rising)).toEqual(['degrading', 'improving', 'unknown'])
  expect(verdicts(falling)).toEqual(['improving', 'degrading', 'unknown'])
  const random = seeded(3)
  const noise = historyOf(Array.from({ length: 24 }, () => 1 + 0.1 * noiseOf(random)))
  expect(trendOf(noise, { direction: 'down', target: null }).verdict).toBe('stable')
})

it('Aetherra 24: a spike beyond three sigma is an anomaly, noise is not', () => {
  const metric = metricOf('m.latency', 'down')
  const random = seeded(7)
  const noise = Array.from({ length: 40 }, () => 1 + 0.1 * noiseOf(random))
  const judged = (last: number) => anomalyOf(historyOf([...noise, last]), metric)
  expect(judged(1.7)).toMatchObject({ is_anomaly: true, worse: true })
  expect(judged(0.3)).toMatchObject({ is_anomaly: true, worse: false })
  expect([1.1, 1.2, 0.9, 0.8].map((last) => judged(last).is_anomaly)).toEqual([false, false, false, false])
})
