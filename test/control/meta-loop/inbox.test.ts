/** Signals as files: read once by whoever comes first, in order, and nothing is lost to a kill or a bad file. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Inbox } from '../../../modules/control/meta-loop/inbox.ts'
import { createRoot, type TestRoot } from '../../support/root.ts'

const LIMITS = { signal_bytes_max: 500, signals_max: 5 }

let root: TestRoot
let now = 1_000
const inbox = (): Inbox =>
  new Inbox(
    join(root.path, 'runtime/signals'),
    () => now,
    () => LIMITS,
  )
const thrown = (work: () => unknown): { code: string; message: string } => {
  try {
    work()
  } catch (error) {
    return error as { code: string; message: string }
  }
  throw new Error('it did not throw')
}

beforeEach(() => {
  now = 1_000
  root = createRoot()
})
afterEach(() => root.dispose())

it('what one reader takes the other does not have', () => {
  const [one, other] = [inbox(), inbox()]
  for (let count = 0; count < 4; count++) {
    now += 1
    one.push({ source: `s${count}` })
  }
  const taken = [one.drain(), other.drain(), one.drain()].map(({ signals }) => signals.map(({ source }) => source))
  expect(taken).toEqual([['s0', 's1', 's2', 's3'], [], []])
})

it('of the same moment too each is kept', () => {
  const one = inbox()
  for (let count = 0; count < 5; count++) one.push({ source: 'same' })
  expect(one.drain().signals).toHaveLength(5)
})

it('what was taken when the process was killed comes back at the next start; what is done does not', () => {
  const one = inbox()
  one.push({ source: 'done' })
  one.drain()
  one.done()
  one.push({ source: 'taken' })
  one.drain()
  const next = inbox()
  next.recover()
  expect(next.drain().signals.map(({ source }) => source)).toEqual(['taken'])
})

it('lives as long as it says', () => {
  const one = inbox()
  one.push({ source: 'short', ttl_s: 10 })
  now += 10_000
  expect(one.drain()).toMatchObject({ signals: [{ source: 'short' }], expired: 0 })
  one.push({ source: 'late', ttl_s: 10 })
  now += 10_001
  expect(one.drain()).toMatchObject({ signals: [], expired: 1 })
})

it('refuses what is none, with the priorities there are, and writes nothing', () => {
  const one = inbox()
  const wrong = [{ source: '' }, { source: 'x', priority: 'banana' }, { source: 'x', ttl_s: 0 }, { payload: {} }, null]
  for (const given of wrong) expect(thrown(() => one.push(given as never)).code).toBe('signal_invalid')
  expect(thrown(() => one.push({ source: 'x', priority: 'banana' as never })).message).toContain(
    'low, normal, high, urgent',
  )
  expect(thrown(() => one.push({ source: 'x', payload: { text: 'x'.repeat(600) } })).message).toContain('500 bytes')
  expect(one.drain().signals).toEqual([])
})

it('holds so many at most', () => {
  const one = inbox()
  for (let count = 0; count < LIMITS.signals_max; count++) one.push({ source: 'x' })
  expect(thrown(() => one.push({ source: 'x' })).code).toBe('signal_invalid')
})

it('sets aside what is no signal, whole', () => {
  const one = inbox()
  root.write('runtime/signals/1.json', '{')
  root.write('runtime/signals/2.json', 'x'.repeat(1_000))
  root.write('runtime/signals/3.txt', 'no signal, and nobody said so')
  expect(one.drain().bad.map(({ file }) => file)).toEqual(['1.json', '2.json'])
  expect(readdirSync(join(root.path, 'runtime/signals/bad')).sort()).toEqual(['1.json', '2.json'])
  expect(existsSync(join(root.path, 'runtime/signals/3.txt'))).toBe(true)
})
