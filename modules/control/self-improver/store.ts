/**
 * Improvements on disk, in a file of their own beside the ledger: each with its attempts, the texts of its prompts and
 * answers by their hashes, and the counterexamples that were found. Used by the service only; survives restart and kill.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Improvement } from '../../contracts/proposals.ts'
import type { SqlRow } from '../../contracts/services.ts'
import { openDatabase, type Connection } from '../../lib/sqlite.ts'
import { writeFailure } from '../../lib/write-failure.ts'

const BUSY_MS = 5_000
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS improvements (id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, state TEXT NOT NULL,
   record TEXT NOT NULL)`,
  'CREATE TABLE IF NOT EXISTS texts (hash TEXT PRIMARY KEY, improvement INTEGER NOT NULL, text TEXT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS counterexamples (service TEXT NOT NULL, call TEXT NOT NULL, at INTEGER NOT NULL,
   PRIMARY KEY (service, call))`,
]
/** Of one service, the newest. */
const COUNTEREXAMPLES_MAX = 200

export async function openImprovements(folder: string): Promise<Connection> {
  mkdirSync(folder, { recursive: true })
  const connection = await openDatabase(join(folder, 'self-improver.db'), BUSY_MS)
  connection.pragma('synchronous = FULL')
  for (const statement of SCHEMA) connection.prepare(statement).run([])
  return connection
}

export interface KeptCall {
  aspect: string
  method: string
  args: unknown[]
}

const improvementOf = (row: SqlRow): Improvement => JSON.parse(String(row['record'])) as Improvement
const numberOf = (id: string): number => (/^i\d{1,15}$/.test(id) ? Number(id.slice(1)) : -1)

export class ImprovementStore {
  private readonly connection: Connection
  private readonly kept_max: number

  constructor(connection: Connection, keptMax: number) {
    this.connection = connection
    this.kept_max = keptMax
  }

  /** Gives it its id. */
  add(improvement: Omit<Improvement, 'id'>): Improvement {
    return this.write(() => {
      const { service, state } = improvement
      const insert = this.connection.prepare('INSERT INTO improvements (service, state, record) VALUES (?, ?, ?)')
      const number = Number(insert.run([service, state, '{}']).lastInsertRowid)
      const whole = { ...improvement, id: `i${number}` }
      this.connection.prepare('UPDATE improvements SET record = ? WHERE id = ?').run([JSON.stringify(whole), number])
      for (const table of ['improvements WHERE id', 'texts WHERE improvement'])
        this.connection.prepare(`DELETE FROM ${table} <= ?`).run([number - this.kept_max])
      return whole
    })
  }

  save(improvement: Improvement): void {
    const { id, state } = improvement
    this.write(() =>
      this.connection
        .prepare('UPDATE improvements SET state = ?, record = ? WHERE id = ?')
        .run([state, JSON.stringify(improvement), numberOf(id)]),
    )
  }

  get(id: string): Improvement | undefined {
    return this.rows('SELECT record FROM improvements WHERE id = ?', [numberOf(id)]).map(improvementOf)[0]
  }

  list(service: string | undefined, limit: number): Improvement[] {
    const where = service === undefined ? '' : 'WHERE service = ? '
    const params = service === undefined ? [limit] : [service, limit]
    return this.rows(`SELECT record FROM improvements ${where}ORDER BY id DESC LIMIT ?`, params).map(improvementOf)
  }

  running(): Improvement[] {
    return this.rows("SELECT record FROM improvements WHERE state = 'running'", []).map(improvementOf)
  }

  keepText(hash: string, text: string, id: string): void {
    this.write(() =>
      this.connection.prepare('INSERT OR IGNORE INTO texts VALUES (?, ?, ?)').run([hash, numberOf(id), text]),
    )
  }

  keepCounterexample(service: string, call: KeptCall, at: number): void {
    this.write(() => {
      this.connection
        .prepare('INSERT OR REPLACE INTO counterexamples VALUES (?, ?, ?)')
        .run([service, JSON.stringify(call), at])
      this.connection
        .prepare(
          `DELETE FROM counterexamples WHERE service = ? AND rowid IN
           (SELECT rowid FROM counterexamples WHERE service = ? ORDER BY at DESC LIMIT -1 OFFSET ?)`,
        )
        .run([service, service, COUNTEREXAMPLES_MAX])
    })
  }

  counterexamples(service: string): KeptCall[] {
    const rows = this.rows('SELECT call FROM counterexamples WHERE service = ? ORDER BY at', [service])
    return rows.map((row) => JSON.parse(String(row['call'])) as KeptCall)
  }

  private rows(sql: string, params: unknown[]): SqlRow[] {
    return [...this.connection.prepare(sql).iterate(params)]
  }

  private write<T>(work: () => T): T {
    try {
      return this.connection.transaction(work).immediate()
    } catch (thrown) {
      throw writeFailure(thrown, 'runtime/control/self-improver.db')
    }
  }
}
