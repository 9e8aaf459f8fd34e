/**
 * Snapshots and events of agents on disk, in a file of their own beside the ledger. A snapshot that stands there is never
 * altered: the database itself refuses. The oldest go, by number and by age. A line that cannot be read is skipped, and
 * counted. Used by the service only.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MetricHistoryPoint, MetricSnapshot, OperationEvent } from '../../contracts/meta-metrics.ts'
import type { SqlRow } from '../../contracts/services.ts'
import { ParsedTexts } from '../../lib/parsed-texts.ts'
import { openDatabase, type Connection } from '../../lib/sqlite.ts'
import { Statements } from '../../lib/statements.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { writeFailure } from '../../lib/write-failure.ts'
import { RecentEvents, type ReadEvent } from './recent-events.ts'
import type { HourCost } from './seen/spend.ts'

const BUSY_MS = 5_000
const KEY_BYTES = 32
const SECRET_MODE = 0o600
const FILE = 'runtime/control/metrics.db'
/** The loop reads a hundred snapshots a cycle; in a system of usual size all of them stay. */
const PARSED_CHARS_MAX = 4_000_000
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS snapshots (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, text TEXT NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS snapshots_by_at ON snapshots (at)',
  `CREATE TRIGGER IF NOT EXISTS snapshots_stay BEFORE UPDATE ON snapshots
    BEGIN SELECT RAISE(ABORT, 'a snapshot is never altered'); END`,
  `CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, bot TEXT NOT NULL, type TEXT NOT NULL,
    session TEXT, data TEXT NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS events_by_bot ON events (bot, at)',
  'CREATE INDEX IF NOT EXISTS events_by_at ON events (at)',
  // Tasks of a week are counted at every snapshot, without reading one of them.
  'CREATE INDEX IF NOT EXISTS events_by_type ON events (bot, type, at)',
  'CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, text TEXT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS spend (
    hour INTEGER PRIMARY KEY, usd REAL NOT NULL, answers INTEGER NOT NULL, priced INTEGER NOT NULL)`,
  // Until 2026-11 all hours stood in one text.
  `INSERT OR IGNORE INTO spend SELECT json_extract(value, '$[0]'), json_extract(value, '$[1].usd'),
    json_extract(value, '$[1].answers'), json_extract(value, '$[1].priced')
    FROM kept, json_each(CASE WHEN json_valid(text) THEN text ELSE '[]' END) WHERE name = 'spend'`,
  `DELETE FROM kept WHERE name = 'spend'`,
]

export interface MetricsFiles {
  connection: Connection
  /** of the hashes of texts */
  key: Buffer
}

export async function openMetrics(folder: string): Promise<MetricsFiles> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'metrics.key')
  if (!existsSync(file)) writeWhole(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`, { mode: SECRET_MODE })
  const connection = await openDatabase(join(folder, 'metrics.db'), BUSY_MS)
  for (const statement of SCHEMA) connection.prepare(statement).run([])
  return { connection, key: Buffer.from(readFileSync(file, 'utf8').trim(), 'hex') }
}

export class MetricsStore {
  private readonly connection: Connection
  private readonly statements: Statements
  private readonly parsed = new ParsedTexts<Omit<MetricSnapshot, 'id'>>(PARSED_CHARS_MAX)
  private readonly recent = new RecentEvents((bot, since, after) => this.eventsAfter(bot, since, after))
  private dataVersion = 0

  constructor(connection: Connection) {
    this.connection = connection
    this.statements = new Statements(connection)
  }

  /** Its id is that of its row. */
  addSnapshot(taken: Omit<MetricSnapshot, 'id'>): MetricSnapshot {
    return this.writing(() => {
      const sql = 'INSERT INTO snapshots (at, text) VALUES (?, ?)'
      const { lastInsertRowid } = this.statements.of(sql).run([taken.at, JSON.stringify(taken)])
      return { id: `s${lastInsertRowid}`, ...taken }
    })
  }

  /** Newest first. In an order that an index has: a sort would read every snapshot there is. */
  snapshots({
    since = 0,
    until = Number.MAX_SAFE_INTEGER,
    limit,
  }: {
    since?: number
    until?: number
    limit: number
  }): MetricSnapshot[] {
    const sql = 'SELECT number, text FROM snapshots WHERE at >= ? AND at <= ? ORDER BY at DESC, number DESC LIMIT ?'
    return this.rows(sql, [since, until, limit]).flatMap((row) => this.snapshotOf(row) ?? [])
  }

  /** The one that was taken last, also where the clock was set back since. */
  latest(): MetricSnapshot | undefined {
    const [row] = this.rows('SELECT number, text FROM snapshots ORDER BY number DESC LIMIT 1', [])
    return row === undefined ? undefined : this.snapshotOf(row)
  }

  snapshot(id: string): MetricSnapshot | undefined {
    const [, number] = /^s(\d{1,15})$/.exec(id) ?? []
    if (number === undefined) return undefined
    const [row] = this.rows('SELECT number, text FROM snapshots WHERE number = ?', [Number(number)])
    return row === undefined ? undefined : this.snapshotOf(row)
  }

  /** Oldest first: the newest so many of them. */
  history(path: string, { since = 0, limit }: { since?: number; limit: number }): MetricHistoryPoint[] {
    const sql = `SELECT number, at, json_extract(text, ?) AS value, json_extract(text, ?) AS samples FROM snapshots
      WHERE json_valid(text) AND at >= ? ORDER BY number DESC LIMIT ?`
    const place = `$.values."${path}"`
    return this.rows(sql, [`${place}.value`, `${place}.samples`, since, limit])
      .reverse()
      .map((row) => ({
        snapshot: `s${String(row['number'])}`,
        at: Number(row['at']),
        value: row['value'] === null ? null : Number(row['value']),
        samples: Number(row['samples'] ?? 0),
      }))
  }

  /** All of them or none. */
  addEvents(events: readonly OperationEvent[], max: number): void {
    this.writing(() => {
      const insert = this.statements.of('INSERT INTO events (at, bot, type, session, data) VALUES (?, ?, ?, ?, ?)')
      const all = this.connection.transaction(() => {
        for (const { at, bot_id, type, session_id, data } of events)
          insert.run([at, bot_id, type, session_id, JSON.stringify(data)])
        const last = 'SELECT max(number) FROM events'
        this.statements.of(`DELETE FROM events WHERE number <= (${last}) - ?`).run([max])
      })
      all.immediate()
    })
  }

  /** `skipped`: lines that are no events any more. */
  events(bot: string, now: number, windowMs: number): { events: OperationEvent[]; skipped: number } {
    const [row] = this.rows('SELECT min(number) AS first, max(number) AS last FROM events', [])
    // Somebody else wrote to the file: any line may be another one.
    const [{ data_version }] = this.connection.pragma('data_version') as [{ data_version: number }]
    if (data_version !== this.dataVersion) this.recent.forget()
    this.dataVersion = data_version
    const numbers = { first: Number(row?.['first'] ?? 0), last: Number(row?.['last'] ?? 0) }
    const read = this.recent.of(bot, now, windowMs, numbers)
    const events = read.flatMap(({ event }) => event ?? [])
    return { events, skipped: read.length - events.length }
  }

  newestEvents(bot: string, types: readonly string[], since: number, limit: number): OperationEvent[] {
    const marks = types.map(() => '?').join(', ')
    const sql = `SELECT at, type, session, data FROM events WHERE bot = ? AND at >= ? AND type IN (${marks})
      ORDER BY number DESC LIMIT ?`
    return this.rows(sql, [bot, since, ...types, limit]).flatMap((row) => eventOf(row, bot) ?? [])
  }

  tasks(bot: string, since: number): number {
    const sql = `SELECT count(*) AS n FROM events WHERE bot = ? AND at >= ? AND type IN ('task_complete', 'task_failed')`
    return Number(this.rows(sql, [bot, since])[0]?.['n'] ?? 0)
  }

  kept(name: string): string | undefined {
    const [row] = this.rows('SELECT text FROM kept WHERE name = ?', [name])
    return row === undefined ? undefined : String(row['text'])
  }

  keep(name: string, text: string): void {
    this.writing(() => this.statements.of('INSERT OR REPLACE INTO kept VALUES (?, ?)').run([name, text]))
  }

  spend(): HourCost[] {
    return this.rows('SELECT hour, usd, answers, priced FROM spend ORDER BY hour', []).map((row) => ({
      hour: Number(row['hour']),
      usd: Number(row['usd']),
      answers: Number(row['answers']),
      priced: Number(row['priced']),
    }))
  }

  saveSpend(hours: readonly HourCost[], forgetBefore: number): void {
    this.writing(() => {
      const save = this.statements.of('INSERT OR REPLACE INTO spend (hour, usd, answers, priced) VALUES (?, ?, ?, ?)')
      for (const { hour, usd, answers, priced } of hours) save.run([hour, usd, answers, priced])
      this.statements.of('DELETE FROM spend WHERE hour < ?').run([forgetBefore])
    })
  }

  forget(limits: { snapshots_before: number; snapshots_max: number; events_before: number }): void {
    this.writing(() => {
      const last = 'SELECT max(number) FROM snapshots'
      const sql = `DELETE FROM snapshots WHERE at < ? OR number <= (${last}) - ?`
      this.statements.of(sql).run([limits.snapshots_before, limits.snapshots_max])
      this.statements.of('DELETE FROM events WHERE at < ?').run([limits.events_before])
    })
  }

  private eventsAfter(bot: string, since: number, after: number): ReadEvent[] {
    // Where most are known, those above a number are few, of whatever agent; else an index has the window of this one.
    const which = after > 0 ? '+bot = ? AND +at >= ? AND number > ?' : 'bot = ? AND at >= ? AND +number > ?'
    const sql = `SELECT number, at, type, session, data FROM events WHERE ${which} ORDER BY number`
    return this.rows(sql, [bot, since, after]).map((row) => ({
      number: Number(row['number']),
      at: Number(row['at']),
      event: eventOf(row, bot),
    }))
  }

  private rows(sql: string, params: unknown[]): SqlRow[] {
    return Array.from(this.statements.of(sql).iterate(params))
  }

  private snapshotOf(row: SqlRow): MetricSnapshot | undefined {
    const number = Number(row['number'])
    try {
      return { id: `s${number}`, ...this.parsed.of(number, String(row['text'])) }
    } catch {
      return undefined
    }
  }

  private writing<T>(work: () => T): T {
    try {
      return work()
    } catch (thrown) {
      throw writeFailure(thrown, FILE)
    }
  }
}

function eventOf(row: SqlRow, bot_id: string): OperationEvent | undefined {
  try {
    const data = JSON.parse(String(row['data'])) as unknown
    if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined
    return {
      bot_id,
      type: String(row['type']) as OperationEvent['type'],
      session_id: row['session'] === null ? null : String(row['session']),
      data: data as Record<string, unknown>,
      at: Number(row['at']),
    }
  } catch {
    return undefined
  }
}
