/** Where a change may answer otherwise: exactly where it says so, and nowhere near everywhere. */
import { expect, it } from 'vitest'
import type { DeclaredCondition } from '../../../modules/contracts/proposals.ts'
import { regionOf, tooWide } from '../../../modules/control/self-improver/declared.ts'

const call = (...args: unknown[]): { aspect: string; method: string; args: unknown[] } => ({
  aspect: 'default',
  method: 'price',
  args,
})
const meant = (when: DeclaredCondition[], ...args: unknown[]): boolean =>
  regionOf(call(...args), [{ method: 'price', when, reason: 'a fix' }]) !== undefined

it.each<[DeclaredCondition, unknown, boolean]>([
  [{ at: '0.count', is: 'above', value: 5 }, { count: 6 }, true],
  [{ at: '0.count', is: 'above', value: 5 }, { count: 5 }, false],
  [{ at: '0.count', is: 'above', value: 5 }, { count: '6' }, false],
  [{ at: '0.count', is: 'below', value: 0 }, { count: -1 }, true],
  [{ at: '0.count', is: 'below', value: 0 }, {}, false],
  [{ at: '0', is: 'equal', value: { a: 1, b: [2] } }, { b: [2], a: 1 }, true],
  [{ at: '0.kind', is: 'unequal', value: 'gift' }, { kind: 'sale' }, true],
  [{ at: '0.kind', is: 'unequal', value: 'gift' }, {}, false],
  [{ at: '0.kind', is: 'missing' }, {}, true],
  [{ at: '0.kind', is: 'missing' }, { kind: null }, true],
  [{ at: '0.kind', is: 'missing' }, { kind: 0 }, false],
  [{ at: '0.constructor', is: 'missing' }, {}, true],
  [{ at: '0.list', is: 'longer', value: 2 }, { list: [1, 2, 3] }, true],
  [{ at: '0.list.length', is: 'above', value: 2 }, { list: [1, 2, 3] }, true],
  [{ at: '0.name', is: 'shorter', value: 1 }, { name: '' }, true],
  [{ at: '0.name', is: 'shorter', value: 1 }, {}, false],
  [{ at: '0.name', is: 'contains', value: '/' }, { name: 'a/b' }, true],
  [{ at: '0.name', is: 'contains', value: '' }, { name: 'a/b' }, false],
  [{ at: '0.name', is: 'begins', value: 'a' }, { name: 'a/b' }, true],
  [{ at: '0.name', is: 'begins', value: 'b' }, { name: 'a/b' }, false],
  [{ at: '0.name', is: 'ends', value: 'b' }, { name: 'a/b' }, true],
  [{ at: '0.name', is: 'has', value: 'x-z/' }, { name: 'a/b' }, true],
  [{ at: '0.name', is: 'has', value: 'x-z' }, { name: 'a/b' }, false],
  [{ at: '0.name', is: 'has', value: '\\]^' }, { name: 'a]b' }, true],
  [{ at: '0.name', is: 'has', value: '^a' }, { name: 'b' }, false],
  [{ at: '0.name', is: 'has', value: 'z-a' }, { name: 'a' }, false],
  [{ at: '0.name', is: 'lacks', value: 'a-zA-Z' }, { name: '?' }, true],
  [{ at: '0.name', is: 'lacks', value: 'a-zA-Z' }, { name: 'What?' }, false],
  [{ at: '0.name', is: 'lacks', value: 'a-z' }, {}, false],
  [{ at: '0.name', is: 'lacks', value: 'z-a' }, { name: 'a' }, false],
  [{ at: '0.*.count', is: 'above', value: 5 }, [{ count: 1 }, { count: 6 }], true],
  [{ at: '0.*.count', is: 'above', value: 5 }, [{ count: 1 }, {}], false],
  [{ at: '0.*', is: 'equal', value: 5 }, [], false],
  [{ at: '0.*.*', is: 'equal', value: 5 }, [[1], [2, 5]], true],
  [{ at: '0.*', is: 'equal', value: 5 }, { a: 5 }, false],
])('%j of %j is %s', (condition, argument, expected) => {
  expect(meant([condition], argument)).toBe(expected)
})

it('all conditions have to hold, and for this method', () => {
  const when = [
    { at: '0', is: 'above', value: 1 },
    { at: '1', is: 'equal', value: 'x' },
  ] as const
  expect(meant([...when], 2, 'x')).toBe(true)
  expect(meant([...when], 2, 'y')).toBe(false)
  expect(regionOf({ ...call(2, 'x'), method: 'cost' }, [{ method: 'price', when: [...when], reason: '' }])).toBe(
    undefined,
  )
})

it('a region that holds most of what is recorded is none', () => {
  const calls = [1, 2, 3, 4, 5, 6].map((count) => call(count))
  const above = (value: number) => [
    { method: 'price', when: [{ at: '0', is: 'above' as const, value }], reason: 'a fix' },
  ]
  expect(tooWide(above(3), calls)).toBe(undefined)
  expect(tooWide(above(2), calls)).toMatch(/price answers otherwise in 4 of 6 recorded calls/)
  expect(tooWide(above(0), calls.slice(0, 3))).toBe(undefined)
})
