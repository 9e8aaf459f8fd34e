/** Calls a second and trends out of two readings of counts. */
import { expect, it } from 'vitest'
import type { Traffic } from '../../../modules/contracts/kernel.ts'
import { advance, KEPT, msText, rateOf, rateText, total, type Pulse } from '../../../web/src/live/rates.ts'

const reading = (at: number, calls: Record<string, number>, links: Traffic['links'] = []): Traffic => ({
  at,
  services: Object.entries(calls).map(([api, count]) => ({
    api,
    calls: count,
    errors: 0,
    latency_ms: { p50: 2, p99: 9 },
  })),
  links,
})
const after = (...readings: Traffic[]): Pulse | undefined =>
  readings.reduce<Pulse | undefined>((pulse, one) => advance(pulse, one), undefined)

it('one reading says nothing of a rate, two do, by their own times', () => {
  expect(after(reading(1_000, { a: 5 }))?.services.get('a')?.calls_per_s).toEqual([null])
  expect(after(reading(1_000, { a: 5 }), reading(3_000, { a: 25 }))?.services.get('a')?.calls_per_s).toEqual([null, 10])
})

it('a service that was not called before counts from nothing', () => {
  expect(after(reading(1_000, {}), reading(2_000, { a: 3 }))?.services.get('a')?.calls_per_s).toEqual([3])
})

it('a service that no reading names was not called; with one reading nothing is known of now', () => {
  expect(rateOf(undefined, 'a')).toBeNull()
  expect(rateOf(after(reading(1_000, { b: 1 })), 'a')).toBeNull()
  const pulse = after(reading(1_000, { b: 1 }), reading(2_000, { b: 4 }))
  expect([rateOf(pulse, 'a'), rateOf(pulse, 'b')]).toEqual([0, 3])
})

it('the time of calls is a gap while none is made: an old median is not one of now', () => {
  const pulse = after(reading(1_000, { a: 1 }), reading(2_000, { a: 2 }), reading(3_000, { a: 2 }))
  expect(pulse?.services.get('a')?.p50_ms).toEqual([2, 2, null])
  expect(pulse?.services.get('a')?.calls_per_s).toEqual([null, 1, 0])
})

it('counts that begin again, and a reading after a long pause, are unknown and not a rate', () => {
  expect(after(reading(1_000, { a: 50 }), reading(2_000, { a: 1 }))?.services.get('a')?.calls_per_s).toEqual([
    null,
    null,
  ])
  expect(after(reading(1_000, { a: 1 }), reading(61_000, { a: 600 }))?.services.get('a')?.calls_per_s).toEqual([null])
})

it('links have rates of their own, and begin again with a new version', () => {
  const link = (calls: number) => [{ caller: 'a', callee: 'b', calls, in_flight: 0 }]
  const pulse = after(reading(1_000, {}, link(4)), reading(2_000, {}, link(10)))
  expect(pulse?.links.get('a → b')).toBe(6)
  expect(pulse && advance(pulse, reading(3_000, {}, link(2))).links.get('a → b')).toBeNull()
})

it('keeps as much as is drawn, however long it runs', () => {
  const pulse = after(...Array.from({ length: 100 }, (_, n) => reading(n * 1_000, { a: n })))
  expect(pulse?.services.get('a')?.calls_per_s).toHaveLength(KEPT)
  expect(pulse?.times).toHaveLength(KEPT)
})

it('all together is the sum of what is known, the newest last', () => {
  const trend = (calls_per_s: (number | null)[]) => ({ calls_per_s, errors_per_s: [], p50_ms: [] })
  expect(total([trend([null, 1, 2]), trend([5]), trend([null])], (one) => one.calls_per_s)).toEqual([null, 1, 7])
  expect(total([], (one) => one.calls_per_s)).toEqual([])
})

it('numbers are as long as they are worth', () => {
  expect([null, 0, 0.44, 9.96, 12.3, 1_234, 45_678].map(rateText)).toEqual([
    '–',
    '0',
    '0.4',
    '10',
    '12',
    '1.2k',
    '45.7k',
  ])
  expect([undefined, 0.0421, 3.21, 120.4, 1_520].map(msText)).toEqual(['–', '0.042 ms', '3.2 ms', '120 ms', '1.5 s'])
})
