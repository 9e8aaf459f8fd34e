/** What the chain finds, whatever was done to which row: always the first one that is not what was written. */
import { expect, it } from 'vitest'
import type { LedgerHead } from '../../../modules/contracts/ledger.ts'
import { ChainCheck, GENESIS, hashOf, type LedgerRow } from '../../../modules/control/ledger/chain.ts'

const KEY = Buffer.alloc(32, 7)

function chainOf(length: number, key = KEY): LedgerRow[] {
  const rows: LedgerRow[] = []
  for (let sequence = 1, previous = GENESIS; sequence <= length; sequence++) {
    const text = `{"action":"a","n":${sequence},"time":${sequence * 1_000}}`
    previous = hashOf(key, sequence, previous, text)
    rows.push({ sequence, text, hash: previous })
  }
  return rows
}

function check(rows: readonly LedgerRow[], kept: LedgerHead): ChainCheck {
  const found = new ChainCheck(KEY)
  for (const row of rows) if (!found.take(row)) break
  found.end(kept)
  return found
}

const ROWS = chainOf(20)
const KEPT = ROWS.at(-1) as LedgerHead
const row = (sequence: number): LedgerRow => ROWS[sequence - 1] as LedgerRow
const rehashed = (from: number): LedgerRow[] => [
  ...ROWS.slice(0, from - 1),
  ...chainOf(20, Buffer.alloc(32, 8)).slice(from - 1),
]

it('an untouched chain is right, also when it is longer than the head that was kept', () => {
  expect(check(ROWS, KEPT)).toMatchObject({ entries: 20, bad: undefined, last: { sequence: 20 } })
  expect(check(ROWS, { sequence: 18, hash: row(18).hash }).bad).toBe(undefined)
})

it.each<[string, LedgerRow[], number, string]>([
  [
    'a field edited',
    ROWS.map((one) => (one.sequence === 7 ? { ...one, text: one.text.replace('7', '8') } : one)),
    7,
    'altered',
  ],
  [
    'a time edited',
    ROWS.map((one) => (one.sequence === 3 ? { ...one, text: one.text.replace('000', '001') } : one)),
    3,
    'altered',
  ],
  ['a hash edited', ROWS.map((one) => (one.sequence === 5 ? { ...one, hash: row(6).hash } : one)), 5, 'altered'],
  ['a row deleted', ROWS.filter(({ sequence }) => sequence !== 9), 9, 'missing'],
  ['the first deleted', ROWS.slice(1), 1, 'missing'],
  ['the first replaced', [{ ...row(1), text: '{"action":"b"}' }, ...ROWS.slice(1)], 1, 'altered'],
  [
    'two swapped',
    ROWS.map((one) =>
      one.sequence === 4 ? { ...row(11), sequence: 4 } : one.sequence === 11 ? { ...row(4), sequence: 11 } : one,
    ),
    4,
    'altered',
  ],
  [
    'one inserted',
    [
      ...ROWS.slice(0, 6),
      { sequence: 7, text: '{}', hash: GENESIS },
      ...ROWS.slice(6).map((one) => ({ ...one, sequence: one.sequence + 1 })),
    ],
    7,
    'altered',
  ],
  [
    'one doubled',
    [
      ...ROWS.slice(0, 6),
      { ...row(6), sequence: 7 },
      ...ROWS.slice(6).map((one) => ({ ...one, sequence: one.sequence + 1 })),
    ],
    7,
    'altered',
  ],
  [
    'one appended without the key',
    [...ROWS, { sequence: 21, text: '{}', hash: hashOf(Buffer.alloc(32), 21, KEPT.hash, '{}') }],
    21,
    'altered',
  ],
  ['hashed anew from one on, with another key', rehashed(12), 12, 'altered'],
  ['the tail cut', ROWS.slice(0, 15), 16, 'cut'],
  ['all gone', [], 1, 'cut'],
])('%s: found, with its place', (_name, rows, at, fault) => {
  const { bad, entries } = check(rows, KEPT)
  expect(bad).toEqual({ at, fault })
  expect(entries).toBe(at - 1)
})

it('Aetherra 37: an entry edited, one deleted in the middle, a tail that is cut and two out of order are all found', () => {
  const swapped = [...ROWS.slice(0, 4), row(6), row(5), ...ROWS.slice(6)]
  const edited = ROWS.map((one) => (one.sequence === 7 ? { ...one, text: one.text.replace('a', 'b') } : one))
  const found = [edited, ROWS.filter(({ sequence }) => sequence !== 9), ROWS.slice(0, 15), swapped].map(
    (rows) => check(rows, KEPT).bad?.at,
  )
  expect(found).toEqual([7, 9, 16, 5])
})
