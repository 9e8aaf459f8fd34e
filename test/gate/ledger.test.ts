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

/** Entries of the chain whose every place is tried. */
const SHORT = 300

const CHANGES: Record<string, (chain: readonly LedgerRow[], index: number) => [LedgerRow[], at: number]> = {
  removed: (chain, index) => [chain.filter((_, at) => at !== index), index + 1],
  'swapped with the next': (chain, index) => {
    const [one, other] = [chain[index] as LedgerRow, chain[(index + 1) % SHORT] as LedgerRow]
    const changed = chain.map((row) =>
      row === one ? { ...other, sequence: one.sequence } : row === other ? { ...one, sequence: other.sequence } : row,
    )
    return [changed, Math.min(one.sequence, other.sequence)]
  },
  doubled: (chain, index) => [inserted(chain, index, chain[index] as LedgerRow), index + 2],
  'followed by one of another hand': (chain, index) => {
    const { sequence, hash, text } = chain[index] as LedgerRow
    const forged = { sequence: sequence + 1, text, hash: hashOf(Buffer.alloc(32, 8), sequence + 1, hash, text) }
    return [inserted(chain, index, forged), index + 2]
  },
  'hashed anew from here': (chain, index) => {
    const changed = [...chain]
    for (let at = index, previous = chain[index - 1]?.hash ?? GENESIS; at < SHORT; at++) {
      const { sequence, text } = chain[at] as LedgerRow
      previous = hashOf(Buffer.alloc(32, 8), sequence, previous, text)
      changed[at] = { sequence, text, hash: previous }
    }
    return [changed, index + 1]
  },
  'cut from here': (chain, index) => [chain.slice(0, index), index + 1],
}

function inserted(chain: readonly LedgerRow[], index: number, row: LedgerRow): LedgerRow[] {
  const rest = chain.slice(index + 1).map((one) => ({ ...one, sequence: one.sequence + 1 }))
  return [...chain.slice(0, index + 1), { ...row, sequence: index + 2 }, ...rest]
}

it.each(Object.keys(CHANGES))('an entry %s is found at its place, wherever that is', (name) => {
  const chain = rows.slice(0, SHORT)
  const head = chain.at(-1) as LedgerRow
  const found = chain.map((_, index) => {
    const [changed, at] = CHANGES[name]?.(chain, index) ?? [[], 0]
    const check = new ChainCheck(KEY)
    for (const row of changed) if (!check.take(row)) break
    check.end({ sequence: head.sequence, hash: head.hash })
    return [index, check.bad?.at, at]
  })
  expect(found.filter(([, bad, at]) => bad !== at)).toEqual([])
})
