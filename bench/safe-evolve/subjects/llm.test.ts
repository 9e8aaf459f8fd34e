/** What the answers promise, as their author tested them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Module } from './llm.ts'

const steps = [{ tool: 'add', args: ['2', '3'] }, { text: 'It is 5' }]
const fresh = (answers: unknown[]): Module => {
  const left = [...answers]
  return new Module({ getApi: () => ({ next: async () => left.shift(), about: async () => 'a city' }) } as never)
}

void test('a tool that the model asks for is used', async () => {
  const llm = fresh(steps)
  const { text, steps: taken, words } = await llm.complete('add 2 3')
  assert.deepEqual({ text, taken, words }, { text: 'It is 5', taken: 2, words: 3 })
  assert.equal(llm.answered(), 1)
})

void test('an empty prompt is refused', async () => {
  await assert.rejects(fresh([]).complete(' '))
})

void test('an answer can be had word by word', async () => {
  const words: string[] = []
  for await (const word of fresh([{ text: 'a b' }]).stream('say a b')) words.push(word)
  assert.deepEqual(words, ['a', 'b'])
})
