/** Calls that nobody has made yet: near to what the sources name, in two of the recorded calls, and others' answers changed. */
import { expect, it } from 'vitest'
import { madeAnswers } from '../../../modules/control/self-improver/made-answers.ts'
import { freshened, madeCalls, namedIn } from '../../../modules/control/self-improver/made-calls.ts'

const call = (...args: unknown[]) => ({ aspect: 'default', method: 'price', args })

it('each value that the source names is tried, and what lies beside it, in calls that were answered', () => {
  const named = namedIn(["if (count > 500) return 0; if (name === 'teapot') return 1"])
  const calls = madeCalls([{ ...call('gone', 0), outcome: 'item_missing' }, call('cup', 3), call('jug', 7)], named, 500)
  const has = (...args: unknown[]) => calls.some((one) => JSON.stringify(one.args) === JSON.stringify(args))
  for (const count of [499, 500, 501]) expect(has('cup', count) || has('jug', count), String(count)).toBe(true)
  expect(has('teapot', 3) || has('teapot', 7)).toBe(true)
  expect(new Set(calls.map((one) => JSON.stringify(one))).size).toBe(calls.length)
})

it('a number in a text is a number too', () => {
  const calls = madeCalls([call('add 12 3')], { numbers: [], texts: [] }, 500).map(({ args }) => args[0])
  expect(calls).toEqual(expect.arrayContaining(['add -12 3', 'add 6.25 3', 'add 12 -3', 'add 12 1.75']))
})

it('one value of one answer is another, and the question stays', () => {
  const question = JSON.stringify(['stock', 'default', 'of', ['cup']])
  const asking = { ...call('cup', 3), asked: new Map([[question, { left: 4, place: 'cellar' }]]) }
  const calls = madeAnswers([asking], { numbers: [], texts: ['attic'] }, 100)
  expect(calls.every(({ args }) => JSON.stringify(args) === '["cup",3]')).toBe(true)
  const answers = calls.map(({ given }) => given[question])
  expect(answers).toEqual(
    expect.arrayContaining([
      { left: -4, place: 'cellar' },
      { left: 4, place: 'attic' },
    ]),
  )
})

it('what was never there before is the first text among the arguments', () => {
  expect(freshened([1, 'a', 'b'], 7)).toEqual([1, 'a~7', 'b'])
  expect(freshened([{ count: 1, name: 'a' }], 7)).toEqual([{ count: 1, name: 'a~7' }])
  expect(freshened([1, [2]], 7)).toEqual([1, [2]])
})
