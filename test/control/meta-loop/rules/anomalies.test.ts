/** Anomalies: noise is seldom one, a spike always; earlier spikes, few counts and constant values deceive nobody. */
import { expect, it } from 'vitest'
import { anomalyFindings, anomalyOf } from '../../../../modules/control/meta-loop/rules/anomalies.ts'
import { MANY, historyOf, metricOf, noiseOf, seeded } from '../made.ts'

const LATENCY = metricOf('m.latency', 'down')
const judged = (values: (number | null)[], metric = LATENCY, samples = MANY) =>
  anomalyOf(historyOf(values, samples), metric)

it('of normal noise hardly one in a hundred is an anomaly, however short the history is', () => {
  for (const length of [13, 31, 101]) {
    let flagged = 0
    for (let seed = 1; seed <= 2_000; seed++) {
      const random = seeded(seed)
      if (judged(Array.from({ length }, () => 5 + noiseOf(random))).is_anomaly) flagged++
    }
    expect([length, flagged / 2_000 < 0.015]).toEqual([length, true])
  }
})

it('earlier spikes do not hide the next', () => {
  const random = seeded(5)
  const values = Array.from({ length: 40 }, (_, index) => (index % 10 === 3 ? 30 : 1 + 0.05 * noiseOf(random)))
  expect(judged([...values, 30])).toMatchObject({ is_anomaly: true })
})

it('too few points, and an unknown value, are no anomaly', () => {
  const eleven = Array.from({ length: 11 }, () => 1)
  expect(judged([...eleven, 900])).toMatchObject({ is_anomaly: false, sigmas: null })
  expect(judged([...eleven, 1, 900])).toMatchObject({ is_anomaly: true })
  expect(judged([...eleven, null, 900])).toMatchObject({ is_anomaly: false, points: 11 })
  expect(judged([...eleven, 1, null])).toMatchObject({ is_anomaly: false, value: null })
  expect(anomalyOf([], LATENCY).is_anomaly).toBe(false)
})

it('a constant metric may move by a little; one that was always 0 has no scale', () => {
  const flat = (value: number, last: number): boolean =>
    judged([...Array.from({ length: 20 }, () => value), last]).is_anomaly
  expect([flat(100, 102), flat(100, 104), flat(0, 1), flat(0, 0)]).toEqual([false, true, false, false])
})

it('counts and shares may differ by what chance alone makes of them', () => {
  const errors = metricOf('m.errors', 'down', { unit: 'count' })
  const none = Array.from({ length: 20 }, () => 0)
  expect([judged([...none, 3], errors).is_anomaly, judged([...none, 4], errors).is_anomaly]).toEqual([false, true])
  const rate = metricOf('m.rate', 'up', { unit: 'ratio' })
  const all = Array.from({ length: 20 }, () => 1)
  const fell = (last: number, samples: number): boolean => judged([...all, last], rate, samples).is_anomaly
  expect([fell(0.9, 10), fell(0.9, 1_000)]).toEqual([false, true])
})

it('what is better is an anomaly, but no finding', () => {
  const random = seeded(2)
  const noise = Array.from({ length: 30 }, () => 1 + 0.1 * noiseOf(random))
  const metrics = [LATENCY, metricOf('m.rate', 'up'), metricOf('m.count', 'neither')]
  const found = (last: number): unknown[] =>
    anomalyFindings(Object.fromEntries(metrics.map(({ path }) => [path, historyOf([...noise, last])])), metrics).map(
      ({ severity, context }) => [severity, context['metric']],
    )
  expect([found(3), found(1.4), found(0.1), found(1)]).toEqual([
    [['critical', 'm.latency']],
    [['warning', 'm.latency']],
    [['critical', 'm.rate']],
    [],
  ])
})
