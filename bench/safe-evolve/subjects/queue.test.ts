/** What the queue promises, as its author tested it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Module } from './queue.ts'

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(new Error('stopped'))
    })
  })
const fresh = (): Module => new Module({ sleep } as never)

void test('a job that was pushed is done in the background', async () => {
  const queue = fresh()
  const id = queue.push('hello')
  assert.equal(queue.result(id).state, 'waiting')
  const stop = new AbortController()
  const running = queue.run(stop.signal).catch(() => undefined)
  while (queue.result(id).state !== 'done') await new Promise((resolve) => setTimeout(resolve, 1))
  stop.abort()
  await running
  assert.deepEqual(queue.result(id), { state: 'done', value: '4f9f2cab' })
})

void test('what waits is done by the next version', () => {
  const before = fresh()
  before.push('a')
  const after = fresh()
  after.takeOver(before.handOver())
  assert.deepEqual(after.stats(), { pushed: 1, waiting: 1, done: 0 })
})
