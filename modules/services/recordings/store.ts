/**
 * Where recorded calls are kept: one SQLite file in runtime/, written in batches. The connection and what waits to be
 * written are held by the service over its versions, so a reload loses nothing.
 */
import { chmodSync } from 'node:fs'
import { openDatabase, type Connection, type Statement } from '../../lib/sqlite.ts'
import type { Kind } from './choose.ts'

export interface CallRow {
  api: string
  kind: string
  place: number
  at: number
  ms: number
  aspect: string
  method: string
  caller: string
  generation: number
  source_hash: string
  config_hash: string
  outcome: string
  message: string
  args: string
  result: string
}

export interface AnswerRow {
  caller: string
  api: string
  aspect: string
  method: string
  args: string
  at: number
  outcome: string
  message: string
  result: string
}

export interface Book {
  connection: Connection
  /** by service, then by kind */
  kinds: Map<string, Map<string, Kind>>
  bytes: Map<string, number>
  calls: CallRow[]
  answers: AnswerRow[]
}

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS calls (api TEXT, kind TEXT, place INTEGER, at REAL, ms REAL, aspect TEXT, method TEXT,
   caller TEXT, generation INTEGER, source_hash TEXT, config_hash TEXT, outcome TEXT, message TEXT, args TEXT,
   result TEXT, PRIMARY KEY (api, kind, place))`,
  `CREATE TABLE IF NOT EXISTS kinds (api TEXT, kind TEXT, seen INTEGER, kept INTEGER, PRIMARY KEY (api, kind))`,
  `CREATE TABLE IF NOT EXISTS answers (caller TEXT, api TEXT, aspect TEXT, method TEXT, args TEXT, at REAL,
   outcome TEXT, message TEXT, result TEXT, PRIMARY KEY (caller, api, aspect, method, args))`,
  `CREATE INDEX IF NOT EXISTS calls_by_method ON calls (api, aspect, method)`,
]

const BUSY_MS = 5_000
const CALL_COLUMNS: (keyof CallRow)[] = [
  'api',
  'kind',
  'place',
  'at',
  'ms',
  'aspect',
  'method',
  'caller',
  'generation',
  'source_hash',
  'config_hash',
  'outcome',
  'message',
  'args',
  'result',
]
const ANSWER_COLUMNS: (keyof AnswerRow)[] = [
  'caller',
  'api',
  'aspect',
  'method',
  'args',
  'at',
  'outcome',
  'message',
  'result',
]

export async function openBook(file: string): Promise<Book> {
  const connection = await openDatabase(file, BUSY_MS)
  // What was said to services is for the owner of the system only; SQLite gives its other files the same rights.
  chmodSync(file, 0o600)
  for (const sql of SCHEMA) connection.prepare(sql).run([])
  const book: Book = { connection, kinds: new Map(), bytes: new Map(), calls: [], answers: [] }
  for (const row of read<Kind & { api: string; kind: string }>(connection, 'SELECT * FROM kinds'))
    kindsOf(book, row.api).set(row.kind, { seen: row.seen, kept: row.kept })
  const sums = 'SELECT api, sum(length(args) + length(result)) AS bytes FROM calls GROUP BY api'
  for (const { api, bytes } of read<{ api: string; bytes: number }>(connection, sums)) book.bytes.set(api, bytes)
  return book
}

export function kindsOf(book: Book, api: string): Map<string, Kind> {
  let kinds = book.kinds.get(api)
  if (kinds === undefined) {
    kinds = new Map()
    book.kinds.set(api, kinds)
  }
  return kinds
}

export const read = <T>(connection: Connection, sql: string, params: unknown[] = []): T[] => [
  ...(connection.prepare(sql).iterate(params) as unknown as Iterable<T>),
]

/** Writes what waits, each text cleaned first. Throws when the disk takes nothing; then it goes on waiting. */
export function writeBook(book: Book, clean: (text: string) => string, answersMax: number): void {
  const { connection, calls, answers } = book
  if (calls.length === 0 && answers.length === 0) return
  const cleanRow = <R extends { args: string; result: string; message: string }>(row: R): R => ({
    ...row,
    args: clean(row.args),
    result: clean(row.result),
    message: clean(row.message),
  })
  connection
    .transaction(() => {
      const call = inserting(connection, 'calls', CALL_COLUMNS)
      for (const row of calls) call(cleanRow(row))
      const kind = connection.prepare('INSERT OR REPLACE INTO kinds VALUES (?, ?, ?, ?)')
      for (const api of new Set(calls.map((row) => row.api)))
        for (const [name, { seen, kept }] of kindsOf(book, api)) kind.run([api, name, seen, kept])
      const answer = inserting(connection, 'answers', ANSWER_COLUMNS)
      for (const row of answers) answer(cleanRow(row))
      const cut = connection.prepare(
        `DELETE FROM answers WHERE caller = ? AND rowid IN (SELECT rowid FROM answers WHERE caller = ?
         ORDER BY at DESC LIMIT -1 OFFSET ?)`,
      )
      for (const caller of new Set(answers.map((row) => row.caller))) cut.run([caller, caller, answersMax])
    })
    .immediate()
  calls.length = 0
  answers.length = 0
}

function inserting<R extends object>(connection: Connection, table: string, columns: (keyof R)[]): (row: R) => void {
  const places = columns.map(() => '?').join(', ')
  const names = columns.join(', ')
  const statement: Statement = connection.prepare(`INSERT OR REPLACE INTO ${table} (${names}) VALUES (${places})`)
  return (row) => {
    statement.run(columns.map((name) => row[name]))
  }
}

/** Replaced calls made room: what is said to be full is counted again. */
export function countBytes({ connection, bytes }: Book, limit: number): void {
  const sum = connection.prepare('SELECT sum(length(args) + length(result)) AS bytes FROM calls WHERE api = ?')
  for (const [api, known] of bytes) {
    if (known <= limit) continue
    for (const row of sum.iterate([api])) bytes.set(api, Number(row['bytes'] ?? 0))
  }
}

export function forgetService(book: Book, api: string): number {
  const forgotten = [...kindsOf(book, api).values()].reduce((sum, { kept }) => sum + kept, 0)
  for (const table of ['calls', 'kinds']) book.connection.prepare(`DELETE FROM ${table} WHERE api = ?`).run([api])
  book.connection.prepare('DELETE FROM answers WHERE caller = ?').run([api])
  book.kinds.delete(api)
  book.bytes.delete(api)
  book.calls = book.calls.filter((row) => row.api !== api)
  book.answers = book.answers.filter((row) => row.caller !== api)
  return forgotten
}
