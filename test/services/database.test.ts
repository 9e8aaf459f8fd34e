/** The database service: values in and out, all or nothing, what is refused, and a connection that outlives reloads. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { DatabaseApi, SqlRow } from '../../modules/contracts/services.ts'
import { packageRoot } from '../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const CONFIG = 'prog: services/database\nrows_max: 5\n'
/** A module of the root's own that is the product's, so that a test can edit it. */
const OWN = `export { Module, configSchema } from '${packageRoot}/modules/services/database/index.ts'\n`

let system: TestSystem
let db: Handle<DatabaseApi>

async function start(files: Record<string, string> = { 'configs/database.yml': CONFIG }): Promise<void> {
  system = await startSystem(files)
  db = system.getApi<DatabaseApi>('database')
}

const queryTool = (params: object): Promise<unknown> =>
  system.getApi('database').as<{ query(params: object): unknown }>('tool').query(params)

async function withNumbers(count: number): Promise<void> {
  await db.execute('CREATE TABLE numbers (n INTEGER PRIMARY KEY, word TEXT)')
  for (let n = 1; n <= count; n++) await db.execute('INSERT INTO numbers VALUES (?, ?)', [n, `word ${n}`])
}

afterEach(() => system.stop())

describe('statements', () => {
  beforeEach(() => start())

  it('change the file and say how much they changed', async () => {
    await withNumbers(2)
    expect(await db.execute('INSERT INTO numbers (word) VALUES (?)', ['three'])).toEqual({
      changes: 1,
      last_insert_rowid: 3,
    })
    expect(await db.execute('UPDATE numbers SET word = ?', ['same'])).toMatchObject({ changes: 3 })
  })

  it('take values by position and by name, and give them back as they were', async () => {
    const bytes = new Uint8Array([0, 255])
    const [row] = await db.query('SELECT ? AS word, ? AS half, ? AS none, ? AS bytes', ['ä"\'', 0.5, null, bytes])
    expect(row).toEqual({ word: 'ä"\'', half: 0.5, none: null, bytes: Buffer.from(bytes) })
    expect(await db.query('SELECT :a + @b + $c AS sum', { a: 1, b: 2, c: 3 })).toEqual([{ sum: 6 }])
  })

  it('treat a value as a value, never as SQL', async () => {
    await withNumbers(2)
    const evil = "x'; DROP TABLE numbers; --"
    await db.execute('UPDATE numbers SET word = ? WHERE n = 1', [evil])
    expect(await db.query('SELECT word FROM numbers WHERE word = ?', [evil])).toEqual([{ word: evil }])
  })

  it('give at most the configured number of rows', async () => {
    await withNumbers(9)
    expect(await db.query('SELECT n FROM numbers ORDER BY n')).toEqual([1, 2, 3, 4, 5].map((n) => ({ n })))
    expect(await db.execute('DELETE FROM numbers')).toMatchObject({ changes: 9 })
  })

  it('see a column that was added after they were first used', async () => {
    await withNumbers(1)
    expect(await db.query('SELECT * FROM numbers')).toEqual([{ n: 1, word: 'word 1' }])
    await db.execute('ALTER TABLE numbers ADD COLUMN extra INTEGER DEFAULT 7')
    expect(await db.query('SELECT * FROM numbers')).toEqual([{ n: 1, word: 'word 1', extra: 7 }])
  })
})

describe('a transaction', () => {
  beforeEach(async () => {
    await start()
    await withNumbers(1)
  })

  it('does all of its statements', async () => {
    const done = await db.transaction([
      { sql: 'INSERT INTO numbers VALUES (?, ?)', params: [2, 'two'] },
      { sql: 'UPDATE numbers SET word = :w', params: { w: 'same' } },
    ])
    expect(done.map(({ changes }) => changes)).toEqual([1, 2])
    expect(await db.query('SELECT count(*) AS rows FROM numbers WHERE word = ?', ['same'])).toEqual([{ rows: 2 }])
  })

  it('does none of them when one fails, whichever it is and for whatever reason', async () => {
    const good = { sql: 'INSERT INTO numbers VALUES (2, NULL)' }
    const bad = [
      { sql: 'INSERT INTO numbers VALUES (1, NULL)' },
      { sql: 'INSERT INTO nowhere VALUES (1)' },
      { sql: 'SELEC 1' },
      { sql: 'COMMIT' },
    ]
    for (const one of bad) {
      const error = await rejection(db.transaction([good, one, good]))
      expect(error.code).toMatch(/^sql_(failed|refused)$/)
      expect(await db.query('SELECT n FROM numbers')).toEqual([{ n: 1 }])
    }
    await db.transaction([good])
    expect(await db.query('SELECT n FROM numbers')).toEqual([{ n: 1 }, { n: 2 }])
  })

  it('that is no list of statements is refused', async () => {
    const error = await rejection(db.transaction('DELETE FROM numbers' as never))
    expect(error.code).toBe('bad_arguments')
    expect((await rejection(db.transaction([null] as never))).code).toBe('bad_arguments')
  })
})

describe('a mistake is told with a code', () => {
  beforeEach(() => start())

  it('sql_failed, with the reason of the database', async () => {
    const samples: [sql: string, params: unknown, reason: RegExp][] = [
      ['SELEC 1', [], /syntax error/],
      ['SELECT * FROM nowhere', [], /no such table: nowhere/],
      ['SELECT ?', [], /parameter/i],
      ['SELECT 1', [1], /parameter/i],
      ['SELECT :a', { b: 1 }, /parameter/i],
      ['SELECT ?', [{}], /bind/i],
    ]
    for (const [sql, params, reason] of samples) {
      const error = await rejection(db.query(sql, params as never))
      expect({ sql, code: error.code }).toEqual({ sql, code: 'sql_failed' })
      expect(error.message).toMatch(reason)
      expect(error.hint).not.toBe('')
    }
  })

  it('bad_arguments, when the statement is no text', async () => {
    expect((await rejection(db.query(undefined as never))).code).toBe('bad_arguments')
    expect((await rejection(db.execute({ sql: 'SELECT 1' } as never))).code).toBe('bad_arguments')
  })
})

describe('the tools', () => {
  beforeEach(async () => {
    await start()
    await withNumbers(7)
  })

  it('query reads, and says when there was more', async () => {
    expect(await queryTool({ sql: 'SELECT word FROM numbers WHERE n = ?', params: [3] })).toEqual({
      rows: [{ word: 'word 3' }],
      truncated: false,
    })
    const all = (await queryTool({ sql: 'SELECT n FROM numbers' })) as { rows: SqlRow[]; truncated: boolean }
    expect([all.rows.length, all.truncated]).toEqual([5, true])
  })

  it('query does not call a whole answer cut because it is just as long as the limit', async () => {
    expect(await queryTool({ sql: 'SELECT n FROM numbers WHERE n <= 5' })).toMatchObject({ truncated: false })
  })

  it('query refuses to write', async () => {
    for (const sql of [
      'DELETE FROM numbers',
      "INSERT INTO numbers VALUES (99, 'x') RETURNING n",
      'WITH gone AS (SELECT 1) DELETE FROM numbers RETURNING n',
      'DROP TABLE numbers',
      'CREATE TABLE more (a)',
    ]) {
      expect({ sql, code: (await rejection(queryTool({ sql }))).code }).toEqual({ sql, code: 'sql_refused' })
    }
    expect(await db.query('SELECT count(*) AS rows FROM numbers')).toEqual([{ rows: 7 }])
  })

  it('tables lists tables with their columns, rows and statement, odd names too', async () => {
    await db.execute('CREATE TABLE "odd ""name" (a, "b c")')
    expect(await system.getApi('database').as<{ tables(params: object): unknown }>('tool').tables({})).toEqual({
      tables: [
        {
          table: 'numbers',
          columns: ['n', 'word'],
          rows: 7,
          sql: expect.stringContaining('CREATE TABLE numbers') as string,
        },
        { table: 'odd "name', columns: ['a', 'b c'], rows: 0, sql: 'CREATE TABLE "odd ""name" (a, "b c")' },
      ],
    })
  })
})

describe('the file', () => {
  it('is in WAL mode, in runtime/, with foreign keys on', async () => {
    await start()
    expect(await db.query('SELECT journal_mode FROM pragma_journal_mode')).toEqual([{ journal_mode: 'wal' }])
    expect(await db.query('SELECT foreign_keys FROM pragma_foreign_keys')).toEqual([{ foreign_keys: 1 }])
    // Bytes 18 and 19 of the header are 2 in WAL mode.
    await db.execute('CREATE TABLE t (a)')
    expect([...readFileSync(join(system.root.path, 'runtime', 'data.db')).subarray(18, 20)]).toEqual([2, 2])
  })

  it('may stand in a folder of runtime/ that is not there yet', async () => {
    await start({ 'configs/database.yml': `${CONFIG}file: deep/er/own.db\n` })
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(readFileSync(join(system.root.path, 'runtime/deep/er/own.db'))).toBeDefined()
  })

  it.each(['../data.db', '/tmp/data.db', 'a/../../data.db', '.', '..'])('%s is refused at start', async (file) => {
    await start({ 'configs/database.yml': `${CONFIG}file: ${JSON.stringify(file)}\n` })
    const { state, last_error } = await system.show('database')
    expect(state).toBe('failed')
    expect(last_error?.message).toContain('path_outside')
    expect((await rejection(db.query('SELECT 1'))).code).toBe('service_failed')
  })

  it('that is no database is told at start, and stays as it is', async () => {
    const text = 'not a database, and long enough to be read as one. '.repeat(20)
    await start({ 'configs/database.yml': CONFIG, 'runtime/data.db': text })
    const { state, last_error } = await system.show('database')
    expect([state, last_error?.code]).toEqual(['failed', 'init_threw'])
    expect(last_error?.message).toContain('file_failed')
    expect(system.root.read('runtime/data.db')).toBe(text)
  })
})

describe('over a reload of the module', () => {
  const files = { 'configs/database.yml': 'prog: own\n', 'modules/own.ts': OWN }

  it('the connection stays: a temporary table, which belongs to it alone, is still there', async () => {
    await start(files)
    await db.execute('CREATE TEMP TABLE mine (a)')
    await db.execute('INSERT INTO mine VALUES (1)')
    for (const generation of [2, 3, 4]) {
      system.root.write('modules/own.ts', `${OWN}// ${generation}\n`)
      await system.live('database', generation)
      expect(await db.query('SELECT a FROM mine')).toEqual([{ a: 1 }])
    }
  })

  it('no call fails and no write is lost while callers go on', async () => {
    await start(files)
    await db.execute('CREATE TABLE log (caller INTEGER, step INTEGER, generation INTEGER)')
    const reloads = { done: false }
    const work = async (caller: number): Promise<number> => {
      let step = 0
      for (; !reloads.done || step === 0; step++) {
        await db.execute('INSERT INTO log VALUES (?, ?, 0)', [caller, step])
        await db.transaction([
          { sql: 'UPDATE log SET generation = 1 WHERE caller = ? AND step = ?', params: [caller, step] },
        ])
        // Lets the file watcher and the kernel work between two calls.
        await new Promise((resolve) => setImmediate(resolve))
      }
      return step
    }
    const workers = [0, 1, 2, 3].map(work)
    for (const generation of [2, 3, 4, 5, 6]) {
      system.root.write('modules/own.ts', `${OWN}// ${generation}\n`)
      await system.live('database', generation)
    }
    reloads.done = true
    const steps = await Promise.all(workers)
    const rows = await db.query('SELECT count(*) AS rows, sum(generation) AS updated FROM log')
    const all = steps.reduce((sum, one) => sum + one, 0)
    expect(rows).toEqual([{ rows: all, updated: all }])
    expect((await system.show('database')).errors).toBe(0)
  })

  it('a broken edit leaves the old version answering', async () => {
    await start(files)
    await db.execute('CREATE TABLE t (a)')
    const refused = system.event('service.refused', ({ api }) => api === 'database')
    system.root.write('modules/own.ts', 'export class Module {{\n')
    await refused
    expect(await db.query('SELECT count(*) AS rows FROM t')).toEqual([{ rows: 0 }])
  })

  it('another file in the config opens that file, and the first one is closed', async () => {
    await start()
    await db.execute('CREATE TABLE first (a)')
    system.root.write('configs/database.yml', `${CONFIG}file: second.db\n`)
    await system.live('database', 2)
    expect((await rejection(db.query('SELECT a FROM first'))).code).toBe('sql_failed')
    await system.happened('service.drained', ({ api, generation }) => api === 'database' && generation === 1)
    const held = (await system.show('database')).owned.filter((one) => one.kind === 'held').map((one) => one.label)
    expect(held).toEqual([expect.stringContaining('second.db')])
  })
})
