/**
 * The record of every decision and change: append-only, chained, checked. Who decides or changes something appends what
 * it is about to do, and does it only when that has been answered: no entry, no action.
 */
import type { JsonMap } from './seams.ts'

/** Who wanted what is recorded. `system`: the machine itself, as at a start. */
export type LedgerOrigin = 'human' | 'self' | 'test' | 'system'

/** What is appended. Names have 200 characters at most; an entry is as large as the config of the ledger allows. */
export interface LedgerInput {
  /** who did it: a person, a service, a model */
  actor: string
  origin: LedgerOrigin
  /** what was done, as `change_approved` */
  action: string
  /** what it was done to, as `service:api` or `configs/api.yml` */
  resource: string
  /** what became of it: `ok`, `refused`, `pending`, … */
  outcome: string
  /** the part of the control plane that speaks. Default: the action's first word */
  subsystem?: string
  reason?: string
  /** joins the entries of one cycle */
  cycle?: string
  payload?: JsonMap
}

export interface LedgerEntry extends LedgerInput {
  /** from 1, without a gap */
  sequence: number
  /** epoch milliseconds */
  time: number
  subsystem: string
  /** of the entry before; 64 zeros for the first */
  previous_hash: string
  /** HMAC-SHA-256 over sequence, previous hash and every field, in hex */
  hash: string
}

export interface LedgerHead {
  sequence: number
  hash: string
}

export type LedgerFault =
  /** a field, the hash or the place of an entry is not what was written */
  | 'altered'
  /** an entry is not there, and later ones are */
  | 'missing'
  /** the last entries are not there: cut off, or an older file was put back */
  | 'cut'
  /** the head that is kept beside the file is gone, or is not the ledger's own */
  | 'head_altered'

export interface LedgerCheck {
  valid: boolean
  /** entries that were found right, up to the first bad one */
  entries: number
  head: LedgerHead | null
  /** sequence of the first bad entry */
  at: number | null
  fault: LedgerFault | null
}

export interface LedgerQuery {
  /** entries after this sequence. Default: the newest ones */
  after?: number
  /** the newest entries before this sequence; not together with `after` */
  before?: number
  actor?: string
  action?: string
  resource?: string
  cycle?: string
  /** epoch milliseconds */
  since?: number
  limit?: number
}

/** One line of the evolution log: all entries of one cycle. */
export interface CycleLine {
  cycle: string
  /** epoch milliseconds */
  started_at: number
  ended_at: number
  /** who began it */
  actor: string
  origin: LedgerOrigin
  entries: number
  /** in order, each once */
  actions: string[]
  /** of its last entry */
  outcome: string
  /** sequences of its first and last entry */
  from: number
  to: number
}

export interface LedgerApi {
  /**
   * Resolves when the entry is on the disk and the head beside it. Rejects with `ledger_broken`, `ledger_entry_invalid`,
   * `disk_full` or `read_only`; then the action it stands for must not happen.
   */
  append(entry: LedgerInput): Promise<LedgerHead>
  /** In the order of their sequence. */
  read(query?: LedgerQuery): LedgerEntry[]
  /** Checks a range, the whole by default. */
  verify(range?: { from?: number; to?: number }): Promise<LedgerCheck>
  status(): { open: boolean; head: LedgerHead | null; checked: LedgerCheck | null; bytes: number }
  /** The evolution log: a line for each cycle, whatever became of it, the last first. */
  cycles(query?: { limit?: number }): CycleLine[]
  /** Every entry of a cycle, in order. Rejects with `cycle_unknown`. */
  replay(cycle: string): LedgerEntry[]
  /** Every entry from a sequence on. */
  entries(from?: number): AsyncGenerator<LedgerEntry>
}
