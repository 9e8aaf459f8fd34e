/**
 * Copies of SQLite files that others write to, all as they were at one moment: while every file's writers wait, a
 * reading transaction is opened on each; then they go on, and each copy is made of what its transaction sees, by SQLite's
 * own backup, in one step. Writers wait for as long as opening takes, a few milliseconds.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { loadDriver, type RawConnection } from './sqlite.ts'

const MAGIC = 'SQLite format 3\0'
const BUSY_MS = 5_000
const ALL_PAGES = 2 ** 31 - 1

/** By its first bytes, whatever its name. An empty file is none. */
export function isDatabase(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const head = Buffer.alloc(MAGIC.length)
    return readSync(file, head, 0, head.length, 0) === head.length && head.toString('latin1') === MAGIC
  } finally {
    closeSync(file)
  }
}

/** Files to copy → where to. Rejects with what SQLite says; then nothing is left open. */
export async function snapshotAll(copies: ReadonlyMap<string, string>): Promise<void> {
  if (copies.size === 0) return
  const Driver = await loadDriver()
  const open: RawConnection[] = []
  const connect = (path: string): RawConnection => {
    const connection = new Driver(path, { fileMustExist: true })
    open.push(connection)
    connection.pragma(`busy_timeout = ${BUSY_MS}`)
    return connection
  }
  try {
    const paths = [...copies.keys()]
    const [writers, readers] = [paths.map(connect), paths.map(connect)]
    for (const writer of writers) writer.exec('BEGIN IMMEDIATE')
    for (const reader of readers) reader.exec('BEGIN; SELECT count(*) FROM sqlite_schema')
    for (const writer of writers) writer.exec('ROLLBACK')
    for (const [index, reader] of readers.entries())
      await reader.backup(copies.get(paths[index] ?? '') ?? '', { progress: () => ALL_PAGES })
  } finally {
    for (const connection of open) connection.close()
  }
}
