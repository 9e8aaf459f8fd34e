/**
 * The service `database`: one SQLite file (WAL) for all services. Values go in as parameters only. The connection is
 * held by the service over its versions; a reload of this module neither closes it nor loses a statement.
 */
import { isAbsolute, join, resolve } from 'node:path'
import { mkdirSync } from 'node:fs'
import { z } from 'zod'
import type { KernelApi } from '../../contracts/module.ts'
import type { DatabaseApi, SqlParams, SqlRow } from '../../contracts/services.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { tool } from '../../lib/tool.ts'
import { writeRefusal } from '../../lib/write-failure.ts'
import { openDatabase, type Connection, type Statement } from '../../lib/sqlite.ts'

export const configSchema = z.object({
  /** path of the file, from runtime/ */
  file: z.string().min(1).default('data.db'),
  rows_max: z.number().int().positive().default(1000),
  /** how long a statement waits for another process's lock */
  busy_ms: z.number().int().nonnegative().default(5000),
})

type Config = z.infer<typeof configSchema>

/** Statements that reach beyond the rows of this file. */
const REFUSED = new Set('attach detach pragma vacuum begin commit end rollback savepoint release'.split(' '))
/** Between words: spaces, comments, and empty statements before the first one. Read one by one, so that it stays linear. */
const GAP = /[\s;\uFEFF]+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y
const WORD = /[a-z]+/iy
const STATEMENTS_KEPT = 200

export class Module implements DatabaseApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  #connection: Connection | undefined
  readonly #statements = new Map<string, Statement>()
  /** the statements of a transaction are under way */
  #inside = false

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  async init(): Promise<void> {
    const runtime = this.#kernel.paths.runtime
    const file = resolve(runtime, this.#config.file)
    if (isAbsolute(this.#config.file) || !file.startsWith(`${runtime}/`))
      throw coded('path_outside', { path: this.#config.file })
    mkdirSync(join(file, '..'), { recursive: true })
    this.#connection = await this.#kernel.hold(
      `database ${this.#config.file}`,
      () => openDatabase(file, this.#config.busy_ms),
      (connection) => connection.close(),
    )
  }

  execute(sql: string, params: SqlParams = []): { changes: number; last_insert_rowid: number } {
    return this.#run(sql, (statement) => change(statement, params))
  }

  query(sql: string, params: SqlParams = []): SqlRow[] {
    return this.#run(sql, (statement) => this.#rows(statement, params))
  }

  /** All of the statements or none. */
  transaction(statements: { sql: string; params?: SqlParams }[]): { changes: number; last_insert_rowid: number }[] {
    if (!Array.isArray(statements) || statements.some((one) => typeof one?.sql !== 'string'))
      throw coded('bad_arguments', { reason: 'transaction() takes a list of {sql, params}' })
    const connection = this.#open()
    this.#endLeftOver(connection)
    const all = connection.transaction(() => {
      this.#inside = true
      return statements.map(({ sql, params }) => this.execute(sql, params))
    })
    try {
      return all.immediate()
    } catch (error) {
      throw this.#told(error)
    } finally {
      this.#inside = false
    }
  }

  /** A disk that fails may fail the rollback too: what stays half done must not become part of what comes next. */
  #endLeftOver(connection: Connection): void {
    if (this.#inside || !connection.inTransaction) return
    try {
      connection.prepare('ROLLBACK').run([])
    } catch (error) {
      throw this.#told(error)
    }
  }

  #told(error: unknown): unknown {
    if (typeof (error as { hint?: unknown }).hint === 'string') return error
    const refusal = writeRefusal(error, `runtime/${this.#config.file}`)
    return refusal ?? coded('sql_failed', { reason: reasonOf(error) }, {}, error)
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    const sql = z.string().describe('one SELECT statement; values as ? with params')
    const params = z.array(z.union([z.string(), z.number(), z.null()])).optional()
    return {
      query: tool({
        description: 'Query the SQL database with one read-only SELECT statement and return its rows.',
        params: z.object({ sql, params }),
        read_only: true,
        run: (given) => this.#readOnly(given.sql, given.params ?? []),
      }),
      execute: tool({
        description:
          'Change the SQL database with one statement: INSERT, UPDATE, DELETE, CREATE, ALTER or DROP. Values as ? with params.',
        params: z.object({ sql: z.string().describe('one statement; values as ? with params'), params }),
        run: (given) => this.execute(given.sql, given.params ?? []),
      }),
      tables: tool({
        description: 'List the tables of the SQL database with their columns, number of rows and CREATE statement.',
        params: z.object({}),
        read_only: true,
        run: () => ({ tables: this.#tables() }),
      }),
    }
  }

  #readOnly(sql: string, params: SqlParams): { rows: SqlRow[]; truncated: boolean } {
    return this.#run(sql, (statement) => {
      if (!statement.readonly || !statement.reader)
        throw coded('sql_refused', { reason: 'this tool only reads: use SELECT' })
      const rows = this.#rows(statement, params, this.#config.rows_max + 1)
      return { rows: rows.slice(0, this.#config.rows_max), truncated: rows.length > this.#config.rows_max }
    })
  }

  #tables(): { table: string; columns: string[]; rows: number; sql: string }[] {
    const names = this.query(
      `SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
    )
    return names.map((row) => {
      const table = String(row['name'])
      const columns = this.query('SELECT name FROM pragma_table_info(?)', [table]).map((column) =>
        String(column['name']),
      )
      const [count] = this.query(`SELECT count(*) AS rows FROM "${table.replaceAll('"', '""')}"`)
      return { table, columns, rows: Number(count?.['rows'] ?? 0), sql: String(row['sql']) }
    })
  }

  #rows(statement: Statement, params: SqlParams, max = this.#config.rows_max): SqlRow[] {
    if (!statement.reader)
      throw coded('sql_refused', { reason: 'query() is for statements that return rows; use execute()' })
    const rows: SqlRow[] = []
    for (const row of statement.iterate(bind(params))) {
      rows.push(row)
      if (rows.length >= max) break
    }
    return rows
  }

  #run<T>(sql: string, work: (statement: Statement) => T): T {
    if (typeof sql !== 'string') throw coded('bad_arguments', { reason: 'the first argument is the SQL text' })
    const refused = refusedWord(sql)
    if (refused !== undefined) throw coded('sql_refused', { reason: `${refused.toUpperCase()} is not open to callers` })
    this.#endLeftOver(this.#open())
    try {
      return work(this.#prepare(sql))
    } catch (error) {
      throw this.#told(error)
    }
  }

  #prepare(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#open().prepare(sql)
    if (this.#statements.size >= STATEMENTS_KEPT) this.#statements.delete(this.#statements.keys().next().value ?? '')
    this.#statements.set(sql, statement)
    return statement
  }

  #open(): Connection {
    if (this.#connection === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    return this.#connection
  }
}

/** The word that makes a statement one of the refused; EXPLAIN does not help, since SQLite runs some PRAGMAs while it compiles. */
function refusedWord(sql: string): string | undefined {
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(sql)?.[0]
    at += found?.length ?? 0
    return found
  }
  for (;;) {
    while (take(GAP) !== undefined);
    const word = take(WORD)?.toLowerCase()
    if (word === undefined) return undefined
    if (REFUSED.has(word)) return word
    if (word !== 'explain' && word !== 'query' && word !== 'plan') return undefined
  }
}

/** better-sqlite3 takes a list as positions and a map as names, and no booleans. */
function bind(params: SqlParams): unknown {
  const plain = (one: unknown): unknown => (typeof one === 'boolean' ? Number(one) : one)
  if (Array.isArray(params)) return params.map(plain)
  return Object.fromEntries(Object.entries(params).map(([name, one]) => [name, plain(one)]))
}

function change(statement: Statement, params: SqlParams): { changes: number; last_insert_rowid: number } {
  if (statement.reader) {
    const rows = [...statement.iterate(bind(params))]
    return { changes: rows.length, last_insert_rowid: 0 }
  }
  const { changes, lastInsertRowid } = statement.run(bind(params))
  return { changes, last_insert_rowid: Number(lastInsertRowid) }
}
