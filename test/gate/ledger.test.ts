/** R13: ten thousand entries, ten thousand edits of one byte somewhere, each found at the very entry it was made in. */
import { expect, it } from 'vitest'
import { ChainCheck, GENESIS, hashOf, type LedgerRow } from '../../modules/control/ledger/chain.ts'

const ENTRIES = 10_000
const EDITS = 10_000
/** How many of the edits are looked for from the first entry on; the rest from shortly before them. */
const WHOLE = 100
const KEY = Buffer.alloc(32, 7)

/** Numbers from 0 up to `below`, the same in each run. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const rows: LedgerRow[] = []
for (let sequence = 1, previous = GENESIS; sequence <= ENTRIES; sequence++) {
  const text = `{"action":"change_approved","actor":"actor ${sequence % 17}","payload":{"n":${sequence}},"time":${sequence}}`
  previous = hashOf(KEY, sequence, previous, text)
  rows.push({ sequence, text, hash: previous })
}

const edited = (text: string, at: number, by: number): string =>
  text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ by) + text.slice(at + 1)

/** Sequence of the first row that is not right, from `from` on. */
function firstBad(from: number): number | undefined {
  const before = rows[from - 2]
  const check = new ChainCheck(KEY, before ?? { sequence: 0, hash: GENESIS })
  for (let index = from - 1; index < rows.length; index++) if (!check.take(rows[index] as LedgerRow)) break
  return check.bad?.at
}

it('an edit of any byte of any entry is found where it was made', () => {
  expect(firstBad(1)).toBe(undefined)
  const next = random(13)
  let wrong = 0
  for (let edit = 0; edit < EDITS; edit++) {
    const at = next(ENTRIES)
    const row = rows[at] as LedgerRow
    const field = next(4) === 0 ? 'hash' : 'text'
    rows[at] = { ...row, [field]: edited(row[field], next(row[field].length), 1 << next(7)) }
    if (firstBad(edit < WHOLE ? 1 : Math.max(1, at - 2)) !== at + 1) wrong++
    rows[at] = row
  }
  expect(wrong).toBe(0)
  expect(firstBad(1)).toBe(undefined)
})
