/**
 * Approvals on disk, in a file of their own beside the ledger: the database of all services is open to modules that may
 * be the ones who ask. States change by compare-and-set, so that of two deciders one wins. Used by the service only.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Approval, ApprovalScope, ApprovalState } from '../../contracts/approvals.ts'
import type { SqlRow } from '../../contracts/services.ts'
import { openDatabase, type Connection } from '../../lib/sqlite.ts'
import { writeFailure } from '../../lib/write-failure.ts'

const BUSY_MS = 5_000
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS approvals (
    id TEXT PRIMARY KEY, key TEXT, state TEXT NOT NULL, asked_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, record TEXT NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS approvals_by_state ON approvals (state, asked_at)',
  'CREATE INDEX IF NOT EXISTS approvals_by_key ON approvals (key)',
  `CREATE TABLE IF NOT EXISTS standing (
    class TEXT NOT NULL, target TEXT NOT NULL, approval TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (class, target))`,
]

export async function openApprovals(folder: string): Promise<Connection> {
  mkdirSync(folder, { recursive: true })
  const connection = await openDatabase(join(folder, 'approvals.db'), BUSY_MS)
  connection.pragma('synchronous = FULL')
  for (const statement of SCHEMA) connection.prepare(statement).run([])
  return connection
}

const approvalOf = (row: SqlRow): Approval => JSON.parse(String(row['record'])) as Approval
/** What a standing approval of a whole class has as its target. */
const ANY = '*'

export class ApprovalStore {
  private readonly connection: Connection

  constructor(connection: Connection) {
    this.connection = connection
  }

  add(approval: Approval): void {
    const { id, key = null, state, asked_at, expires_at } = approval
    this.run('INSERT INTO approvals (id, key, state, asked_at, expires_at, record) VALUES (?, ?, ?, ?, ?, ?)', [
      id,
      key,
      state,
      asked_at,
      expires_at,
      JSON.stringify(approval),
    ])
  }

  get(id: string): Approval | undefined {
    return this.rows('WHERE id = ?', [id])[0]
  }

  /** The one asked for last. */
  byKey(key: string): Approval | undefined {
    return this.rows('WHERE key = ? ORDER BY rowid DESC LIMIT 1', [key])[0]
  }

  list(state: ApprovalState | undefined, limit: number): Approval[] {
    return state === undefined
      ? this.rows('ORDER BY asked_at DESC, rowid DESC LIMIT ?', [limit])
      : this.rows('WHERE state = ? ORDER BY asked_at DESC, rowid DESC LIMIT ?', [state, limit])
  }

  /** Approved, and not yet done: a process ended in between. */
  owed(): Approval[] {
    return this.rows(`WHERE state = 'approved' AND done = 0 ORDER BY asked_at`, [])
  }

  pending(): number {
    const [row] = this.connection.prepare(`SELECT count(*) AS n FROM approvals WHERE state = 'pending'`).iterate([])
    return Number(row?.['n'] ?? 0)
  }

  /** False when it is no longer in the state it was read in. */
  replace(before: ApprovalState, approval: Approval): boolean {
    const done = approval.outcome === null ? 0 : 1
    const { changes } = this.run('UPDATE approvals SET state = ?, done = ?, record = ? WHERE id = ? AND state = ?', [
      approval.state,
      done,
      JSON.stringify(approval),
      approval.id,
      before,
    ])
    return changes === 1
  }

  stand(approval: Approval, scope: Exclude<ApprovalScope, 'once'>, until: number): void {
    const target = scope === 'class' ? ANY : approval.target
    this.run('INSERT OR REPLACE INTO standing (class, target, approval, until) VALUES (?, ?, ?, ?)', [
      approval.class,
      target,
      approval.id,
      until,
    ])
  }

  /** Id of the approval that allows it already. */
  standing(what: { class: string; target: string }, now: number): string | undefined {
    const statement = this.connection.prepare(
      'SELECT approval FROM standing WHERE class = ? AND target IN (?, ?) AND until > ? LIMIT 1',
    )
    const [row] = statement.iterate([what.class, what.target, ANY, now])
    return row === undefined ? undefined : String(row['approval'])
  }

  private rows(rest: string, values: readonly unknown[]): Approval[] {
    return Array.from(this.connection.prepare(`SELECT record FROM approvals ${rest}`).iterate(values), approvalOf)
  }

  private run(sql: string, values: readonly unknown[]): { changes: number } {
    try {
      return this.connection.prepare(sql).run(values)
    } catch (thrown) {
      throw writeFailure(thrown, 'runtime/control/approvals.db')
    }
  }
}
