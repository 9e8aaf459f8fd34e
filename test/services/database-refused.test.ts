/** Statements that reach beyond the rows of the database's file are refused, however they are spelled. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { DatabaseApi } from '../../modules/contracts/services.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
let db: Handle<DatabaseApi>

beforeEach(async () => {
  system = await startSystem({ 'configs/database.yml': 'prog: services/database\n' })
  db = system.getApi<DatabaseApi>('database')
  await db.execute('CREATE TABLE numbers (n INTEGER PRIMARY KEY)')
  await db.execute('INSERT INTO numbers VALUES (1)')
})
afterEach(() => system.stop())

const queryTool = (sql: string): Promise<unknown> =>
  system.getApi('database').as<{ query(params: object): unknown }>('tool').query({ sql })

describe('refused', () => {
  const REFUSED = [
    "ATTACH DATABASE ':memory:' AS other",
    'DETACH DATABASE main',
    'PRAGMA journal_mode = DELETE',
    'pragma writable_schema = on',
    "VACUUM INTO ':memory:'",
    'BEGIN',
    'BEGIN IMMEDIATE',
    'COMMIT',
    'END',
    'ROLLBACK',
    'SAVEPOINT a',
    'RELEASE a',
    '  \n\t PRAGMA user_version = 1',
    '-- a comment\nPRAGMA user_version = 1',
    '/* one */ /* two */PRAGMA user_version = 1',
    ';PRAGMA user_version = 1',
    ' ; ; PRAGMA user_version = 1',
    '\uFEFFPRAGMA user_version = 1',
    '-- a comment\r\nPRAGMA user_version = 1',
    ";ATTACH DATABASE ':memory:' AS other",
    ';BEGIN',
    'EXPLAIN PRAGMA user_version = 1',
    'EXPLAIN QUERY PLAN PRAGMA foreign_keys = OFF',
    'EXPLAIN PRAGMA foreign_keys = OFF',
  ]
  it.each(REFUSED)('%j', async (sql) => {
    expect((await rejection(db.execute(sql))).code).toBe('sql_refused')
    expect((await rejection(db.query(sql))).code).toBe('sql_refused')
    expect((await rejection(queryTool(sql))).code).toBe('sql_refused')
    expect(await db.query('SELECT user_version FROM pragma_user_version')).toEqual([{ user_version: 0 }])
    expect(await db.query('SELECT foreign_keys FROM pragma_foreign_keys')).toEqual([{ foreign_keys: 1 }])
  })
})

it('several statements in one text: none of them runs', async () => {
  const error = await rejection(db.execute('DELETE FROM numbers; DELETE FROM numbers'))
  expect(error.code).toMatch(/^sql_/)
  expect(error.message).toMatch(/more than one statement/)
  expect(await db.query('SELECT n FROM numbers')).toEqual([{ n: 1 }])
})

it('a word that only looks like one of them is not refused', async () => {
  await db.execute('CREATE TABLE pragma_notes (begin_at TEXT)')
  expect(await db.query("SELECT 'BEGIN; PRAGMA' AS text")).toEqual([{ text: 'BEGIN; PRAGMA' }])
  expect(await db.query('-- PRAGMA\nSELECT 1 AS one')).toEqual([{ one: 1 }])
})

it('comments before a statement are looked through in no time, however many', async () => {
  expect(await db.query(`${'/**/'.repeat(32)} SELECT 1 AS one`)).toEqual([{ one: 1 }])
})
