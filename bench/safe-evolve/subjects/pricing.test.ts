/** What the price list promises, as its author tested it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Module } from './pricing.ts'

const prices = new Module()

void test('one piece costs what the list says, with tax', () => {
  assert.deepEqual(prices.quote('a1', 1), {
    sku: 'a1',
    quantity: 1,
    unit_cents: 8_018,
    net_cents: 8_018,
    tax_cents: 1_523,
    total_cents: 9_541,
  })
})

void test('fifty cost less each', () => {
  assert.equal(prices.quote('a1', 50, 'US').unit_cents, 7_617)
})

void test('a basket is taxed as a whole', () => {
  const lines = [
    { sku: 'a1', quantity: 1 },
    { sku: 'a2', quantity: 1 },
  ]
  assert.deepEqual(prices.basket(lines), { lines: 2, net_cents: 23_955, total_cents: 28_506 })
})

void test('no part of a piece is sold, and nothing unknown', () => {
  assert.throws(() => prices.quote('a1', 0.5))
  assert.throws(() => prices.quote('b1', 1))
})
