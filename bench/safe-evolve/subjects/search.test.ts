/** What the search promises, as its author tested it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Module } from './search.ts'

const embed = async (text: string): Promise<number[]> => ['a', 'b', 'c'].map((letter) => text.split(letter).length - 1)
const fresh = (): Module => new Module({ getApi: () => ({ embed }) } as never)

void test('the nearest come first', async () => {
  const search = fresh()
  for (const text of ['a', 'abb', 'c']) await search.add(text, text)
  assert.deepEqual(await search.find('a', 2), [
    { id: 'a', score: 1 },
    { id: 'abb', score: 0.4472 },
  ])
})

void test('the next version knows the same texts', async () => {
  const before = fresh()
  await before.add('a', 'a')
  const after = fresh()
  after.takeOver(before.handOver())
  assert.equal(after.size(), 1)
  assert.equal(after.remove('a'), true)
})
