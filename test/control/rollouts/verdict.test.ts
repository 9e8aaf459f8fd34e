/** What a measurement says, on samples made up: what is slower at first is looked at again, what fails more is not. */
import { expect, it } from 'vitest'
import type { Sample } from '../../../modules/control/rollouts/samples.ts'
import { judge, type Watched } from '../../../modules/control/rollouts/verdict.ts'

const sample = (ms: number, more: Partial<Sample> = {}): Sample => ({
  seconds: 10,
  calls: 200,
  errors: 0,
  times: Array.from({ length: 200 }, (_, index) => ms + (index % 7) / 10),
  rates: Array.from({ length: 50 }, () => 20),
  waiting: 0,
  ...more,
})
const HELD_UP = { calls: 100, rates: Array.from({ length: 50 }, () => 10), waiting: 4 }

const judged = (after: Sample, round: number, expected?: Watched['expected']): string =>
  judge({
    service: 's',
    touches: [],
    isNew: () => false,
    before: { s: sample(5) },
    after: { s: after },
    expected,
    tolerances: { tolerance: 0.05, min_effect: 0.05, latency_floor_ms: 0.2, samples_min: 50 },
    round,
  }).verdict

const FASTER: Watched['expected'] = { metric: 'latency_p50_ms', direction: 'lower' }

it.each([
  ['times that are worse', sample(9), 'inconclusive', 'regressed'],
  ['more errors', sample(5, { errors: 40 }), 'regressed', 'regressed'],
  ['times that are worse, and more errors', sample(9, { errors: 40 }), 'regressed', 'regressed'],
  ['callers that are held up', sample(9, HELD_UP), 'regressed', 'regressed'],
  ['the same', sample(5), 'confirmed', 'confirmed'],
] as const)('%s, in the first window and in the second', (_what, after, first, second) => {
  expect([judged(after, 1), judged(after, 2)]).toEqual([first, second])
})

it('a target that is worse is looked at again as well', () => {
  expect([judged(sample(9), 1, FASTER), judged(sample(9), 2, FASTER)]).toEqual(['inconclusive', 'regressed'])
  expect(judged(sample(3), 1, FASTER)).toBe('confirmed')
})
