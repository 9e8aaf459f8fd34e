/** What the store of values promises, as its author tested it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Module } from './kv.ts'

const store = { write: async () => undefined }
const fresh = (): Module => new Module({ getApi: () => store } as never)

void test('a value is read as it was put, and its revision grows', async () => {
  const kv = fresh()
  assert.equal(await kv.put('a', '1'), 1)
  assert.equal(await kv.put('a', '2'), 2)
  assert.deepEqual(kv.get('a'), { value: '2', revision: 2 })
  assert.equal(kv.get('b'), null)
})

void test('keys are listed in order', async () => {
  const kv = fresh()
  for (const key of ['b2', 'a1', 'b1']) await kv.put(key, 'x')
  assert.deepEqual(kv.list('b'), ['b1', 'b2'])
})

void test('the next version goes on where this one was', async () => {
  const before = fresh()
  await before.put('a', '1')
  const after = fresh()
  after.takeOver(before.handOver())
  assert.deepEqual(after.get('a'), { value: '1', revision: 1 })
  assert.equal(await after.remove('a'), true)
})
