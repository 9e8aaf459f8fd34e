/** The evolution log: what became of a cycle, from its entries in the ledger, which say nothing else than they do. Pure. */
import type { CycleLine, LedgerEntry } from '../../contracts/ledger.ts'

/** Of the entries of one cycle, in order; at least one. */
export function lineOf(entries: readonly LedgerEntry[]): CycleLine {
  const [first, last] = [entries[0] as LedgerEntry, entries.at(-1) as LedgerEntry]
  return {
    cycle: first.cycle as string,
    started_at: first.time,
    ended_at: last.time,
    actor: first.actor,
    origin: first.origin,
    entries: entries.length,
    actions: [...new Set(entries.map(({ action }) => action))],
    outcome: last.outcome,
    from: first.sequence,
    to: last.sequence,
  }
}
