/** What the cache promises, as its author tested it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Module } from './cache.ts'

const log = { debug: () => undefined }

function fresh(): { cache: Module; pass(ms: number): void } {
  let now = 1_000
  let loads = 0
  const origin = { load: async (key: string) => ({ value: `${key}${++loads}`, n: loads }) }
  const cache = new Module({ getApi: () => origin, clock: { now: () => now }, log } as never)
  return { cache, pass: (ms) => (now += ms) }
}

void test('a value is loaded once for as long as it is young enough', async () => {
  const { cache, pass } = fresh()
  assert.deepEqual(await cache.read('a', 100), { value: 'a1', n: 1, hit: false })
  assert.deepEqual(await cache.read('a', 100), { value: 'a1', n: 1, hit: true })
  pass(100)
  assert.equal((await cache.read('a', 100)).value, 'a2')
})

void test('several are read in their order, and one may be dropped', async () => {
  const { cache } = fresh()
  assert.deepEqual(await cache.readAll(['a', 'b', 'a'], 100), ['a1', 'b2', 'a1'])
  assert.equal(cache.drop('a'), true)
  assert.equal(cache.size(), 1)
})
