/** A disk that takes no more, and a native part that is not there, are told as what they are. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { nativePackage } from '../../modules/lib/native.ts'
import { writeFailure } from '../../modules/lib/write-failure.ts'
import { openDatabase } from '../../modules/lib/sqlite.ts'
import { rejection } from '../support/system.ts'

const folder = mkdtempSync(join(tmpdir(), 'mm-db-'))
afterEach(() => {
  vi.doUnmock(nativePackage('better-sqlite3'))
  vi.resetModules()
  rmSync(folder, { recursive: true, force: true })
})

it('a database that may not grow says that the disk is full, and what was in it stays', async () => {
  const connection = await openDatabase(join(folder, 'full.db'), 100)
  connection.prepare('CREATE TABLE t (a TEXT)').run([])
  connection.prepare('INSERT INTO t VALUES (?)').run(['kept'])
  connection.pragma('max_page_count = 4')
  let thrown: unknown
  try {
    for (let row = 0; row < 1_000; row++) connection.prepare('INSERT INTO t VALUES (?)').run(['x'.repeat(1_000)])
  } catch (error) {
    thrown = error
  }
  expect(writeFailure(thrown, 'runtime/full.db')).toMatchObject({ code: 'disk_full' })
  expect([...connection.prepare("SELECT a FROM t WHERE a = 'kept'").iterate([])]).toEqual([{ a: 'kept' }])
  connection.close()
})

it('a missing native package is named, with what to do', async () => {
  const name = nativePackage('better-sqlite3')
  vi.doMock(name, () => {
    throw new Error('was compiled against another version')
  })
  const fresh = await import('../../modules/lib/sqlite.ts')
  const error = await rejection(fresh.openDatabase(join(folder, 'none.db'), 100))
  expect(error).toMatchObject({ code: 'native_missing', hint: expect.stringContaining('npm ci') as string })
  expect(error.message).toContain(name)
})
