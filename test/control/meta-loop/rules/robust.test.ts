/** Median, spread, slope and chance, on numbers one can check. */
import { expect, it } from 'vitest'
import { chanceOf, median, slopeOf, spread } from '../../../../modules/control/meta-loop/rules/robust.ts'
import { noiseOf, seeded } from '../made.ts'

const points = (values: readonly number[]) => values.map((value, at) => ({ at, value }))

it('the median of nothing is 0, of an even number the mean of both in the middle', () => {
  expect([median([]), median([3]), median([9, 1, 3]), median([4, 1, 3, 2])]).toEqual([0, 3, 3, 2.5])
})

it('one wild value moves neither the slope nor, much, the spread', () => {
  expect(slopeOf(points([0, 2, 4, 600, 8, 10]))).toBe(2)
  const calm = [1, 2, 3, 4, 5, 6, 7, 8, 9]
  expect(spread([...calm, 5_000])).toBeLessThan(3 * spread(calm))
  expect(spread([5, 5, 5, 5])).toBe(0)
})

it('the spread of normal values is their standard deviation', () => {
  const random = seeded(11)
  expect(spread(Array.from({ length: 4_000 }, () => 7 + 2 * noiseOf(random)))).toBeCloseTo(2, 0)
})

it('a steady rise is hardly chance; equal values are', () => {
  const rise = points(Array.from({ length: 12 }, (_, index) => index))
  // Kendall: S = 66, variance 12 · 11 · 29 / 18, and so z = 65 / 14.58.
  expect(chanceOf(rise, 1)).toBeCloseTo(8.3e-6, 6)
  expect(chanceOf(points([4, 4, 4, 4, 4, 4]), 0)).toBe(1)
})
