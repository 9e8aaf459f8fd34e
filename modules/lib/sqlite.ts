/** Opens SQLite through the build that fits this Node. The only file that knows better-sqlite3; used by the services that keep a file. */
import type { SqlRow } from '../contracts/services.ts'
import { coded, reasonOf } from './errors.ts'
import { nativePackage } from './native.ts'
import { writeFailure } from './write-failure.ts'

export interface Statement {
  readonly reader: boolean
  readonly readonly: boolean
  run(params: unknown): { changes: number; lastInsertRowid: number | bigint }
  iterate(params: unknown): IterableIterator<SqlRow>
}

export interface Connection {
  prepare(sql: string): Statement
  transaction<T>(work: () => T): { immediate(): T }
  pragma(text: string): unknown
  loadExtension(file: string): void
  readonly inTransaction: boolean
  close(): void
}

/** What a copy of a whole file needs. */
export interface RawConnection extends Connection {
  exec(sql: string): void
  backup(file: string, options: { progress: () => number }): Promise<unknown>
}

type Driver = new (file: string, options?: { fileMustExist?: boolean }) => RawConnection

/** Rejects with `native_missing`. */
export async function loadDriver(): Promise<Driver> {
  const name = nativePackage('better-sqlite3')
  try {
    return ((await import(name)) as { default: Driver }).default
  } catch (error) {
    throw coded('native_missing', { package: name, reason: reasonOf(error), node: process.versions.node }, {}, error)
  }
}

/** `first`: pragmas that must come before the file is written to, as `page_size = 16384`. */
export async function openDatabase(file: string, busyMs: number, first: readonly string[] = []): Promise<Connection> {
  const Database = await loadDriver()
  try {
    const connection = new Database(file)
    for (const pragma of first) connection.pragma(pragma)
    connection.pragma(`busy_timeout = ${Math.trunc(busyMs)}`)
    connection.pragma('journal_mode = WAL')
    connection.pragma('synchronous = NORMAL')
    connection.pragma('foreign_keys = ON')
    return connection
  } catch (error) {
    throw writeFailure(error, file)
  }
}
