/** One step of a value. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { stepOf, stepped } from '../../../../modules/control/meta-loop/scoring/step.ts'

it('whole numbers stay whole, go at least one, and not to 0; others keep two decimals', () => {
  const at = (old: number): unknown[] => [stepped(old, stepOf('increase')), stepped(old, stepOf('decrease'))]
  expect(at(10)).toEqual([12, 8])
  expect(at(3)).toEqual([4, 2])
  expect(at(2)).toEqual([3, 1])
  expect(at(1)).toEqual([2, undefined])
  expect(at(0)).toEqual([undefined, undefined])
  expect(at(0.3)).toEqual([0.36, 0.24])
  expect(at(0.01)).toEqual([undefined, undefined])
  expect(at(30_000)).toEqual([36_000, 24_000])
})

it('a step goes its way, or is none', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e6, max: 1e6 }), (old) => {
      const [up, down] = [stepped(old, { factor: 1.2 }), stepped(old, { factor: 0.8 })] as (number | undefined)[]
      if (old > 0) expect(up).toBeGreaterThan(old)
      if (down !== undefined && old > 0) expect(down).toBeLessThan(old)
      for (const next of [up, down]) if (next !== undefined) expect(Number.isInteger(next)).toBe(true)
    }),
  )
})

it('adds, and sets values of any kind; what stays the same is no step', () => {
  expect([stepped(0.7, { add: 0.05 }), stepped(0.7, { add: 0 }), stepped('a', { add: 1 })]).toEqual([
    0.75,
    undefined,
    undefined,
  ])
  expect([stepped('a', { value: 'b' }), stepped('a', { value: 'a' }), stepped(undefined, { value: 1 })]).toEqual([
    'b',
    undefined,
    undefined,
  ])
})
