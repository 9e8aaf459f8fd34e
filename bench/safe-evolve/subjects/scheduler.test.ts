/** What plans promise, as their author tested them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Module } from './scheduler.ts'

const offers = [
  { name: 'slow', cents: 100, days: 3 },
  { name: 'fast', cents: 300, days: 1 },
]
const services = { free: async () => 4, offers: async () => offers, next: async (day: number) => day + 1 }
const scheduler = new Module({ getApi: () => services } as never)

void test('the cheapest carrier takes what there is', async () => {
  const plan = { sku: 'a', quantity: 9, ships: 4, carrier: 'slow', cents: 100, day: 6 }
  assert.deepEqual(await scheduler.plan('a', 9, 2), plan)
  assert.deepEqual(await scheduler.planAll([{ sku: 'a', quantity: 9, day: 2 }]), [plan])
})

void test('nothing cannot be planned', async () => {
  await assert.rejects(scheduler.plan('a', 0, 1))
})
