/** What the buckets promise, as their author tested them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema, Module } from './limits.ts'

void test('a bucket is emptied by calls and filled by time', () => {
  let now = 0
  const limits = new Module({ clock: { now: () => now } } as never, configSchema.parse({ burst: 2, per_second: 1 }))
  assert.deepEqual(limits.allow('a'), { allowed: true, left: 1 })
  assert.deepEqual(limits.allow('a'), { allowed: true, left: 0 })
  assert.equal(limits.allow('a').allowed, false)
  now = 1_000
  assert.equal(limits.allow('a').allowed, true)
  assert.deepEqual(limits.settings(), { per_second: 1, burst: 2 })
})
