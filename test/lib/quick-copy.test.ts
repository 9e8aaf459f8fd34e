/** A copy of state is the same state, and as quick as the first. */
import { isDeepStrictEqual } from 'node:util'
import { expect, it } from 'vitest'
import { quickCopy } from '../../modules/lib/quick-copy.ts'

const times = (count: number, work: () => void): number => {
  const since = performance.now()
  for (let time = 0; time < count; time++) work()
  return performance.now() - since
}
const bestOf = (work: () => number): number => Math.min(...Array.from({ length: 7 }, work))

it('it is what a structured clone is: dates, bytes, sets, holes, names on lists, and keys like __proto__', () => {
  const list = Object.assign([1, undefined, 3], { name: 'odd' })
  const holes = [1, , 3] // eslint-disable-line no-sparse-arrays
  const made = Object.assign([, 2], { and: [3] }) // eslint-disable-line no-sparse-arrays
  const key = Object.defineProperty({}, '__proto__', {
    value: [1],
    enumerable: true,
    configurable: true,
    writable: true,
  })
  const state = {
    list,
    holes,
    made,
    key,
    deep: [[[undefined, null, -0, Number.NaN, 10n, 'é']]],
    map: new Map<unknown, unknown>([[['k'], new Map([[{ a: [1] }, [2]]])]]),
    set: new Set<unknown>([[1], { b: [2] }]),
    at: new Date(7),
    bytes: new Uint8Array([1, 2]),
    error: new RangeError('no'),
    pattern: /a/g,
  }
  const copy = quickCopy(state)
  expect(isDeepStrictEqual(copy, structuredClone(state))).toBe(true)
  expect(Object.keys(copy.holes)).toEqual(['0', '2'])
  expect(copy.list.name).toBe('odd')
  expect(Object.getPrototypeOf(copy.key)).toBe(Object.prototype)
  expect(copy.deep[0]).not.toBe(state.deep[0])
  expect(() => quickCopy([() => 1])).toThrow(/could not be cloned/)
  expect([quickCopy(3), quickCopy(null), quickCopy(undefined)]).toEqual([3, null, undefined])
})

it('what is shared stays shared, and a ring stays a ring', () => {
  const shared = [1, 2]
  const ring: { self?: unknown; lists: unknown[]; by: Map<unknown, unknown> } = {
    lists: [shared, shared],
    by: new Map([[shared, 1]]),
  }
  ring.self = ring
  ring.lists.push(ring.lists)
  const copy = quickCopy(ring)
  expect(copy.self).toBe(copy)
  expect(copy.lists[0]).toBe(copy.lists[1])
  expect(copy.lists[2]).toBe(copy.lists)
  expect(copy.by.get(copy.lists[0])).toBe(1)
})

it('lists of a copy are as quick as those it was made of; those of a structured clone are not', () => {
  const state = Array.from({ length: 200 }, (_, index) => ({
    vector: Array.from({ length: 64 }, (__, at) => (at * index) % 3),
  }))
  const cost = (docs: typeof state): number => bestOf(() => times(3, () => docs.forEach((doc) => structuredClone(doc))))
  const [own, cloned, quick] = [cost(state), cost(structuredClone(state)), cost(quickCopy(state))]
  expect(quick).toBeLessThan((own + cloned) / 2)
})
