/**
 * The loop on disk, in a file of its own beside the ledger: a row for each attempt, what was proposed, what is still to be
 * evaluated, alerts, and a few values that outlive a restart. A cycle's row is there from its begin, as one that failed:
 * so a process that ends in the middle has said the truth, and the cycle counts. It is settled when the ledger has its end.
 * Used by the service only.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Cycle, LoopAlert } from '../../contracts/meta-loop.ts'
import type { Json } from '../../contracts/seams.ts'
import type { SqlRow } from '../../contracts/services.ts'
import { ParsedTexts } from '../../lib/parsed-texts.ts'
import { openDatabase, type Connection } from '../../lib/sqlite.ts'
import { Statements } from '../../lib/statements.ts'
import { writeFailure } from '../../lib/write-failure.ts'
import { begunCycle } from './begun-cycle.ts'
import type { Begun } from './cadence.ts'

const BUSY_MS = 5_000
const FILE = 'runtime/control/meta-loop.db'
/** Of the cycles that were read last: each look of the watch reads the same few. */
const PARSED_CHARS_MAX = 2_000_000
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER NOT NULL, trigger TEXT NOT NULL, started_at INTEGER NOT NULL,
    status TEXT NOT NULL, open INTEGER NOT NULL, record TEXT NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS attempts_by_time ON attempts (started_at)',
  'CREATE INDEX IF NOT EXISTS attempts_open ON attempts (open) WHERE open = 1',
  'CREATE INDEX IF NOT EXISTS attempts_unsettled ON attempts (open) WHERE open = 2',
  `CREATE TABLE IF NOT EXISTS proposed (
    fingerprint TEXT NOT NULL, proposal TEXT NOT NULL, key TEXT NOT NULL, cycle INTEGER NOT NULL, rule TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (fingerprint, proposal))`,
  `CREATE TABLE IF NOT EXISTS proposals_of (
    cycle INTEGER NOT NULL, proposal TEXT NOT NULL, is_new INTEGER NOT NULL, PRIMARY KEY (cycle, proposal))`,
  'CREATE TABLE IF NOT EXISTS evaluations (id TEXT PRIMARY KEY, pending INTEGER NOT NULL, record TEXT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL, over_at INTEGER)`,
  'CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL)',
]

export interface Proposed {
  fingerprint: string
  proposal: string
  key: string
  cycle: number
  /** the rule or goal it is for */
  rule: string
  at: number
}

/** How an attempt's row stands (column `open`): done in full; begun; ended, and the ledger may have no line of it yet. */
const SETTLED = 0
const BEGUN = 1
const ENDED = 2

/** A row that is not settled: of a process that ended too early, or with a ledger that took no line. */
export interface UnsettledAttempt {
  id: number
  cycle: Cycle
  /** what became of it stands in its row: only the ledger may lack it */
  ended: boolean
}

export async function openLoop(folder: string): Promise<Connection> {
  mkdirSync(folder, { recursive: true })
  const connection = await openDatabase(join(folder, 'meta-loop.db'), BUSY_MS)
  connection.pragma('synchronous = FULL')
  for (const statement of SCHEMA) connection.prepare(statement).run([])
  return connection
}

export class LoopStore {
  private readonly connection: Connection
  private readonly statements: Statements
  private readonly parsed = new ParsedTexts<Cycle>(PARSED_CHARS_MAX)
  private readonly onBad: (id: number) => void

  /** `onBad`: told of each row that cannot be read, whenever it is met. */
  constructor(connection: Connection, onBad: (id: number) => void) {
    this.connection = connection
    this.statements = new Statements(connection)
    this.onBad = onBad
  }

  /** One that grows by one with each cycle. */
  nextNumber(): number {
    const [row] = this.rows('SELECT number FROM attempts WHERE number > 0 ORDER BY id DESC LIMIT 1', [])
    return Number(row?.['number'] ?? 0) + 1
  }

  /** Its row; `ended`: there is nothing more to come of it. */
  add(cycle: Cycle, ended: boolean, keptMax: number): number {
    return this.writing(() => {
      const sql = 'INSERT INTO attempts (number, trigger, started_at, status, open, record) VALUES (?, ?, ?, ?, ?, ?)'
      const { number, trigger, started_at, status } = cycle
      const values = [number, trigger, started_at, status, ended ? ENDED : BEGUN, JSON.stringify(cycle)]
      const id = Number(this.statements.of(sql).run(values).lastInsertRowid)
      this.statements.of(`DELETE FROM attempts WHERE id <= ? AND open != ${BEGUN}`).run([id - keptMax])
      return id
    })
  }

  end(id: number, cycle: Cycle): void {
    this.writing(() =>
      this.statements
        .of(`UPDATE attempts SET status = ?, open = ${ENDED}, record = ? WHERE id = ?`)
        .run([cycle.status, JSON.stringify(cycle), id]),
    )
  }

  /** The ledger says what became of it. */
  settle(id: number): void {
    this.writing(() => this.statements.of(`UPDATE attempts SET open = ${SETTLED} WHERE id = ?`).run([id]))
  }

  unsettled(): UnsettledAttempt[] {
    const which = [BEGUN, ENDED].map(
      (open) => `SELECT id, number, trigger, started_at, open, record FROM attempts WHERE open = ${open}`,
    )
    return this.rows(`${which.join(' UNION ALL ')} ORDER BY id`, []).map((row) => ({
      id: Number(row['id']),
      cycle: this.read(row)[0] ?? begunOf(row),
      ended: Number(row['open']) === ENDED,
    }))
  }

  /** Cycles that were begun, since (epoch ms). */
  begun(since: number): Begun[] {
    const sql = 'SELECT started_at, trigger FROM attempts WHERE started_at > ? AND number > 0'
    return this.rows(sql, [since]).map((row) => ({ at: Number(row['started_at']), trigger: String(row['trigger']) }))
  }

  /** When a cycle was last begun, or a scheduled one refused; 0: never. */
  lastAttempt(): number {
    const which = `WHERE number > 0 OR trigger = 'scheduled'`
    const sql = `SELECT started_at FROM attempts ${which} ORDER BY started_at DESC LIMIT 1`
    return Number(this.rows(sql, [])[0]?.['started_at'] ?? 0)
  }

  /** Newest first, also of those that were not begun. `before`: a cycle's number. */
  cycles({ limit, before }: { limit: number; before?: number | undefined }): Cycle[] {
    const where = before === undefined ? '' : 'AND number < ? AND number > 0 '
    const values = before === undefined ? [limit] : [before, limit]
    const sql = `SELECT id, record FROM attempts WHERE open != ${BEGUN} ${where}ORDER BY id DESC LIMIT ?`
    return this.rows(sql, values).flatMap((row) => this.read(row))
  }

  /** Newest first. */
  completed(limit: number): Cycle[] {
    const sql = `SELECT id, record FROM attempts WHERE open != ${BEGUN} AND status = 'completed' ORDER BY id DESC LIMIT ?`
    return this.rows(sql, [limit]).flatMap((row) => this.read(row))
  }

  since(time: number, limit: number): Cycle[] {
    const sql = `SELECT id, record FROM attempts WHERE open != ${BEGUN} AND started_at >= ? ORDER BY id DESC LIMIT ?`
    return this.rows(sql, [time, limit]).flatMap((row) => this.read(row))
  }

  /** `isNew`: no earlier cycle has made it. */
  propose(one: Proposed, isNew: boolean): void {
    this.writing(() => {
      if (isNew) {
        const sql =
          'INSERT OR REPLACE INTO proposed (fingerprint, proposal, key, cycle, rule, at) VALUES (?, ?, ?, ?, ?, ?)'
        const values = [one.fingerprint, one.proposal, one.key, one.cycle, one.rule, one.at]
        this.statements.of(sql).run(values)
      }
      const seen = 'INSERT OR REPLACE INTO proposals_of (cycle, proposal, is_new) VALUES (?, ?, ?)'
      this.statements.of(seen).run([one.cycle, one.proposal, isNew ? 1 : 0])
    })
  }

  /** The last with that fingerprint. */
  lastProposed(fingerprint: string): Proposed | undefined {
    return this.rows('SELECT * FROM proposed WHERE fingerprint = ? ORDER BY at DESC, rowid DESC LIMIT 1', [
      fingerprint,
    ]).map(proposedOf)[0]
  }

  /** When the last with that key was proposed; 0: none was. */
  lastAt(key: string): number {
    const [row] = this.rows('SELECT max(at) AS at FROM proposed WHERE key = ?', [key])
    return Number(row?.['at'] ?? 0)
  }

  /** Newest first. */
  proposedSince(time: number): Proposed[] {
    return this.rows('SELECT * FROM proposed WHERE at >= ? ORDER BY at DESC, rowid DESC LIMIT 1000', [time]).map(
      proposedOf,
    )
  }

  /** In the order they were made, or found again. */
  proposalsOf(cycle: number): { proposal: string; is_new: boolean }[] {
    return this.rows('SELECT proposal, is_new FROM proposals_of WHERE cycle = ? ORDER BY rowid', [cycle]).map(
      (row) => ({
        proposal: String(row['proposal']),
        is_new: Number(row['is_new']) === 1,
      }),
    )
  }

  /** Of the cycle that made a proposal; null: none that is kept. */
  cycleOf(proposal: string): number | null {
    const [row] = this.rows('SELECT cycle FROM proposals_of WHERE proposal = ? AND is_new = 1', [proposal])
    return row === undefined ? null : Number(row['cycle'])
  }

  saveEvaluation(id: string, pending: boolean, record: Json): void {
    const sql = 'INSERT OR REPLACE INTO evaluations (id, pending, record) VALUES (?, ?, ?)'
    this.writing(() => this.statements.of(sql).run([id, pending ? 1 : 0, JSON.stringify(record)]))
  }

  hasEvaluation(id: string): boolean {
    return this.rows('SELECT id FROM evaluations WHERE id = ?', [id]).length > 0
  }

  pendingEvaluations(): Json[] {
    const rows = this.rows('SELECT record FROM evaluations WHERE pending = 1 ORDER BY rowid', [])
    return rows.map((row) => JSON.parse(String(row['record'])) as Json)
  }

  /** False when it holds already. */
  alert(key: string, message: string, at: number): boolean {
    return this.writing(() => {
      const [known] = this.rows('SELECT id FROM alerts WHERE key = ? AND over_at IS NULL', [key])
      if (known !== undefined) return false
      this.statements.of('INSERT INTO alerts (key, message, at) VALUES (?, ?, ?)').run([key, message, at])
      return true
    })
  }

  /** Those that hold and are not among `keys` are over. */
  overAlerts(keys: ReadonlySet<string>, at: number): void {
    const gone = this.alerts().filter(({ key, over_at }) => over_at === null && !keys.has(key))
    if (gone.length === 0) return
    const statement = this.statements.of('UPDATE alerts SET over_at = ? WHERE key = ? AND over_at IS NULL')
    this.writing(() => {
      for (const { key } of gone) statement.run([at, key])
    })
  }

  /** Newest first. */
  alerts(): LoopAlert[] {
    return this.rows('SELECT * FROM alerts ORDER BY id DESC LIMIT 500', []).map((row) => ({
      key: String(row['key']),
      message: String(row['message']),
      at: Number(row['at']),
      over_at: row['over_at'] === null ? null : Number(row['over_at']),
    }))
  }

  get(name: string): Json | undefined {
    const [row] = this.rows('SELECT value FROM kept WHERE name = ?', [name])
    return row === undefined ? undefined : (JSON.parse(String(row['value'])) as Json)
  }

  set(name: string, value: Json): void {
    const sql = 'INSERT OR REPLACE INTO kept (name, value) VALUES (?, ?)'
    this.writing(() => this.statements.of(sql).run([name, JSON.stringify(value)]))
  }

  /** Nothing for a row that is no cycle any more: the others stand. */
  private read(row: SqlRow): Cycle[] {
    try {
      return [this.parsed.of(Number(row['id']), String(row['record']))]
    } catch {
      this.onBad(Number(row['id']))
      return []
    }
  }

  private rows(sql: string, values: readonly unknown[]): SqlRow[] {
    return [...this.statements.of(sql).iterate(values)]
  }

  private writing<T>(work: () => T): T {
    if (this.connection.inTransaction) return work()
    try {
      return this.connection.transaction(work).immediate()
    } catch (thrown) {
      throw writeFailure(thrown, FILE)
    }
  }
}

/** What its columns still say of one that was begun. */
const begunOf = (row: SqlRow): Cycle =>
  begunCycle(Number(row['number']), String(row['trigger']), Number(row['started_at']))

const proposedOf = (row: SqlRow): Proposed => ({
  fingerprint: String(row['fingerprint']),
  proposal: String(row['proposal']),
  key: String(row['key']),
  cycle: Number(row['cycle']),
  rule: String(row['rule']),
  at: Number(row['at']),
})
