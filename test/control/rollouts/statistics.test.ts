/** The tests verification rests on, against exact values and those of scipy, and against runs with seeded chance. */
import { expect, it } from 'vitest'
import { compare, type Tolerances } from '../../../modules/control/rollouts/compare.ts'
import { look, nothingSeen, sampleOf, type Sample } from '../../../modules/control/rollouts/samples.ts'
import { evidenceAbove, fisher, quantile, ranks, shareAtMost } from '../../../modules/control/rollouts/statistics.ts'

const TOLERANCES: Tolerances = { tolerance: 0.05, min_effect: 0.05, latency_floor_ms: 0.2, samples_min: 50 }

/** mulberry32: the same numbers in every run. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const sample = (times: number[], errors = 0): Sample => ({
  seconds: 10,
  calls: times.length,
  errors,
  times,
  rates: Array.from({ length: 10 }, () => times.length / 10),
  waiting: 0,
})
/** Times around 10 ms with a long tail. */
const timesOf = (next: () => number, count: number, factor = 1): number[] =>
  Array.from(
    { length: count },
    () => factor * 10 * Math.exp(0.3 * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())),
  )

it('Fisher’s exact test gives the exact shares', () => {
  expect(fisher(1, 10, 8, 10)).toBeCloseTo(0.002_738_6, 6)
  expect(fisher(0, 100, 5, 100)).toBeCloseTo(0.029_691_6, 6)
  expect(fisher(3, 4, 1, 4)).toBeCloseTo(0.985_714_3, 6)
  expect(fisher(0, 20, 0, 20)).toBe(1)
})

it('the rank test gives what scipy’s mannwhitneyu gives, with ties and a correction for continuity', () => {
  expect(ranks([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(0.006_092_9, 5)
  expect(ranks([1, 2, 2, 3], [2, 3, 3, 4])).toBeCloseTo(0.086_016_9, 5)
  expect(ranks([1, 1, 1], [1, 1, 1])).toBe(1)
})

it('the e-process stops early where much fails, and rarely where as much fails as before', () => {
  expect(evidenceAbove(0.01, 4, 4)).toBeGreaterThan(100)
  expect(evidenceAbove(0.001, 0, 1_000)).toBeLessThan(1)
  const next = chance(7)
  let stopped = 0
  for (let run = 0; run < 300; run++) {
    let failed = 0
    for (let calls = 1; calls <= 400; calls++) {
      if (next() < 0.01) failed++
      if (evidenceAbove(0.01, failed, calls) < 100) continue
      stopped++
      break
    }
  }
  expect(stopped).toBeLessThanOrEqual(3)
  expect(shareAtMost(0, 100)).toBeCloseTo(0.0263, 3)
  expect(quantile([5, 1, 4, 2, 3], 0.5)).toBe(3)
  expect(quantile([], 0.5)).toBeNull()
})

it('of two hundred changes that change nothing hardly one is said to be worse, or better', () => {
  const next = chance(11)
  const said = { better: 0, same: 0, worse: 0, unknown: 0 }
  for (let run = 0; run < 200; run++) {
    const both = [sample(timesOf(next, 200)), sample(timesOf(next, 200))] as const
    for (const metric of ['latency_p50_ms', 'latency_p95_ms'] as const)
      said[compare('s', metric, both, TOLERANCES).outcome]++
  }
  expect(said.worse).toBeLessThanOrEqual(4)
  expect(said.better).toBeLessThanOrEqual(4)
})

it('what is half as slow again is seen in two hundred calls, what is twice as fast too', () => {
  const next = chance(13)
  let [worse, better] = [0, 0]
  for (let run = 0; run < 100; run++) {
    const before = sample(timesOf(next, 200))
    if (compare('s', 'latency_p50_ms', [before, sample(timesOf(next, 200, 1.5))], TOLERANCES).outcome === 'worse')
      worse++
    if (compare('s', 'latency_p95_ms', [before, sample(timesOf(next, 200, 0.5))], TOLERANCES).outcome === 'better')
      better++
  }
  expect(worse).toBeGreaterThanOrEqual(98)
  expect(better).toBeGreaterThanOrEqual(98)
})

it('SynthOrg 33: more errors are worse, one more in a hundred is not', () => {
  const before = sample(
    Array.from({ length: 200 }, () => 5),
    2,
  )
  const of = (errors: number): string =>
    compare(
      's',
      'error_share',
      [
        before,
        sample(
          Array.from({ length: 200 }, () => 5),
          errors,
        ),
      ],
      TOLERANCES,
    ).outcome
  expect([of(2), of(4), of(30), of(0)]).toEqual(['same', 'same', 'worse', 'same'])
})

it('what nobody has measured is unknown, and times that differ by less than can be felt are the same', () => {
  const some = sample(Array.from({ length: 100 }, () => 0.05))
  expect(compare('s', 'latency_p95_ms', [undefined, some], TOLERANCES)).toMatchObject({
    outcome: 'unknown',
    change: null,
  })
  expect(compare('s', 'error_share', [sample([1, 1]), some], TOLERANCES).outcome).toBe('unknown')
  const slower = sample(Array.from({ length: 100 }, () => 0.15))
  expect(compare('s', 'latency_p95_ms', [some, slower], TOLERANCES).outcome).toBe('same')
})

it('fewer calls are worse only where calls wait: callers come and go by themselves', () => {
  const rates = (each: number): number[] => Array.from({ length: 60 }, (_, index) => each + (index % 3))
  const at = (each: number, waiting: number): Sample => ({
    ...sample([]),
    calls: each * 60,
    seconds: 60,
    rates: rates(each),
    waiting,
  })
  const of = (after: Sample): string => compare('s', 'calls_per_s', [at(100, 0.5), after], TOLERANCES).outcome
  expect([of(at(50, 0.2)), of(at(50, 4)), of(at(99, 4)), of(at(150, 1))]).toEqual(['same', 'worse', 'same', 'better'])
})

it('callers who wait for each answer are held up, though no more of them wait than before', () => {
  const at = (each: number, waiting: number): Sample => ({
    ...sample([]),
    calls: each * 60,
    seconds: 60,
    rates: Array.from({ length: 60 }, (_, index) => each + (index % 3)),
    waiting,
  })
  const of = (each: number, waiting: number): string =>
    compare('s', 'calls_per_s', [at(600, 4), at(each, waiting)], TOLERANCES).outcome
  // Always four of them, seen between two calls now and then; half of them left; all but one, and it takes a little longer.
  expect([of(60, 4), of(60, 3.8), of(300, 2), of(120, 1)]).toEqual(['worse', 'worse', 'same', 'same'])
})

it('what got better because other programs left the processor alone is the same; what is better than that is better', () => {
  const [before, after] = [10, 7].map((ms) =>
    sample(Array.from({ length: 100 }, (_, index) => ms + (index % 10) / 100)),
  )
  const of = (slowedBefore: number, slowedAfter: number): string => {
    const sides = [
      { ...(before as Sample), slowed: slowedBefore },
      { ...(after as Sample), slowed: slowedAfter },
    ] as const
    return compare('s', 'latency_p50_ms', sides, TOLERANCES).outcome
  }
  expect([of(1, 1), of(1.2, 1), of(1.5, 1), of(3, 1.1), of(1, 3)]).toEqual([
    'better',
    'better',
    'same',
    'same',
    'better',
  ])
  const worse = [after as Sample, { ...(before as Sample), slowed: 3 }] as const
  expect(compare('s', 'latency_p50_ms', worse, TOLERANCES).outcome).toBe('worse')
})

it('how much other programs slow a stretch of time is told by what the processor did in it', () => {
  const seen = nothingSeen()
  const at = (second: number, ran_ms: number, waited_ms: number): void => look(seen, [], second, { ran_ms, waited_ms })
  at(0, 100, 0)
  at(1, 600, 500)
  at(2, 1_100, 500)
  expect(
    [sampleOf(seen, 's', 0, 1), sampleOf(seen, 's', 1, 2), sampleOf(seen, 's', 0, 2)].map(({ slowed }) => slowed),
  ).toEqual([2, 1, 1.5])
  expect(sampleOf(seen, 's', 2, 3).slowed).toBeUndefined()
  expect(sampleOf(nothingSeen(), 's', 0, 2).slowed).toBeUndefined()
})
