/**
 * What makes a chain of entries: each hash covers the sequence, the hash before and the canonical text of all fields,
 * with a key that is not in the file. Pure: rows in, verdict out. Whoever has no key can make no row that is found right.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { LedgerEntry, LedgerFault, LedgerHead } from '../../contracts/ledger.ts'

/** An entry as it stands in the file. */
export interface LedgerRow {
  sequence: number
  /** canonical JSON of every field but sequence and hashes */
  text: string
  hash: string
}

export const GENESIS = '0'.repeat(64)

export function hashOf(key: Buffer, sequence: number, previous: string, text: string): string {
  return createHmac('sha256', key).update(`${sequence}\n${previous}\n${text}`).digest('hex')
}

/** Keeps a head from being written by someone who has no key. */
export function sealOf(key: Buffer, { sequence, hash }: LedgerHead): string {
  return createHmac('sha256', key).update(`head\n${sequence}\n${hash}`).digest('hex')
}

export function isEqual(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Checks rows one after the other; `bad` names the first that is not what was written. */
export class ChainCheck {
  entries = 0
  last: LedgerHead
  bad: { at: number; fault: LedgerFault } | undefined
  private readonly key: Buffer

  /** `before`: the head the first row stands on. */
  constructor(key: Buffer, before: LedgerHead = { sequence: 0, hash: GENESIS }) {
    this.key = key
    this.last = before
  }

  /** False once a row was bad. */
  take({ sequence, text, hash }: LedgerRow): boolean {
    if (this.bad !== undefined) return false
    const expected = this.last.sequence + 1
    if (sequence !== expected) this.bad = { at: expected, fault: 'missing' }
    else if (!isEqual(hash, hashOf(this.key, sequence, this.last.hash, text)))
      this.bad = { at: sequence, fault: 'altered' }
    else {
      this.entries++
      this.last = { sequence, hash }
    }
    return this.bad === undefined
  }

  /** The head kept elsewhere says how long the chain was: it may be longer by what nobody was told of, never shorter. */
  end(kept: LedgerHead): void {
    if (this.bad === undefined && this.last.sequence < kept.sequence)
      this.bad = { at: this.last.sequence + 1, fault: 'cut' }
  }
}

/** undefined: its text is not what any entry is. */
export function entryOf({ sequence, text, hash }: LedgerRow, previous_hash: string): LedgerEntry | undefined {
  try {
    return { sequence, ...(JSON.parse(text) as Omit<LedgerEntry, 'sequence'>), previous_hash, hash }
  } catch {
    return undefined
  }
}
