/**
 * The ledger on disk: `ledger.db` holds the rows, `ledger.head` beside it says how long the chain is, `ledger.key` (0600)
 * makes and checks the hashes. An append is answered when both files are on the disk, rows first: after a kill the file
 * may be longer than the head says, by entries nobody was told of, and never shorter. Both files put back together from an
 * earlier time are not found out: keep a head elsewhere (`mm ledger verify` prints it). The ledger's module is the only user.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { LedgerCheck, LedgerEntry, LedgerHead, LedgerQuery } from '../../contracts/ledger.ts'
import type { SqlRow } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import { openDatabase, type Connection } from '../../lib/sqlite.ts'
import { Statements } from '../../lib/statements.ts'
import { writeWhole, writeWholeLater } from '../../lib/whole-file.ts'
import { writeFailure } from '../../lib/write-failure.ts'
import { ChainCheck, entryOf, GENESIS, hashOf, isEqual, sealOf, type LedgerRow } from './chain.ts'

const KEY_BYTES = 32
const SECRET_MODE = 0o600
const BUSY_MS = 5_000
/** Rows read in one go, between which others have their turn. */
const SLICE = 500
/** What can be asked for is read out of the text itself, so that no column can say something else. */
const FIELDS = ['time', 'actor', 'action', 'resource', 'cycle'] as const
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS entries (
    sequence INTEGER PRIMARY KEY, text TEXT NOT NULL, hash TEXT NOT NULL,
    ${FIELDS.map((name) => `${name} AS (json_extract(text, '$.${name}'))`).join(', ')})`,
  ...FIELDS.map((name) => `CREATE INDEX IF NOT EXISTS by_${name} ON entries (${name})`),
]

const rowOf = (row: SqlRow): LedgerRow => ({
  sequence: Number(row['sequence']),
  text: String(row['text']),
  hash: String(row['hash']),
})

/** What versions of the module share: opened once, closed when the service goes. */
export interface LedgerFiles {
  connection: Connection
  key: Buffer
  folder: string
}

export async function openLedger(folder: string): Promise<LedgerFiles> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'ledger.db')
  const isNew = !existsSync(file) && !existsSync(join(folder, 'ledger.head'))
  const key = keyIn(folder, isNew)
  const connection = await openDatabase(file, BUSY_MS)
  try {
    connection.pragma('synchronous = FULL')
    for (const statement of SCHEMA) connection.prepare(statement).run([])
    const files = { connection, key, folder }
    if (isNew) await new LedgerStore(files).keepHead({ sequence: 0, hash: GENESIS })
    return files
  } catch (thrown) {
    connection.close()
    throw thrown
  }
}

export class LedgerStore {
  /** the last entry that is in the file */
  head: LedgerHead = { sequence: 0, hash: GENESIS }
  private readonly connection: Connection
  private readonly statements: Statements
  private readonly key: Buffer
  private readonly folder: string
  private readonly onBad: (sequence: number) => void

  /** `onBad`: told of each entry that cannot be read, whenever it is met. */
  constructor({ connection, key, folder }: LedgerFiles, onBad: (sequence: number) => void = () => undefined) {
    this.connection = connection
    this.statements = new Statements(connection)
    this.key = key
    this.folder = folder
    this.onBad = onBad
    this.refresh()
  }

  /** Another version of the module may have appended until now. */
  refresh(): void {
    const [last] = this.rows('ORDER BY sequence DESC LIMIT 1', [])
    if (last !== undefined) this.head = { sequence: last.sequence, hash: last.hash }
  }

  /** Writes the texts as the next entries, all or none. Throws what the disk throws. */
  add(texts: readonly string[]): LedgerHead[] {
    const insert = this.statements.of('INSERT INTO entries (sequence, text, hash) VALUES (?, ?, ?)')
    const heads: LedgerHead[] = []
    let { sequence, hash } = this.head
    const all = this.connection.transaction(() => {
      for (const text of texts) {
        hash = hashOf(this.key, ++sequence, hash, text)
        insert.run([sequence, text, hash])
        heads.push({ sequence, hash })
      }
    })
    try {
      all.immediate()
    } catch (thrown) {
      throw writeFailure(thrown, 'runtime/control/ledger.db')
    }
    this.head = { sequence, hash }
    return heads
  }

  /** Resolves when the head is on the disk. */
  async keepHead(head: LedgerHead): Promise<void> {
    const text = `${JSON.stringify({ ...head, seal: sealOf(this.key, head) })}\n`
    try {
      await writeWholeLater(join(this.folder, 'ledger.head'), text, { mode: SECRET_MODE, flush: true })
    } catch (thrown) {
      throw writeFailure(thrown, 'runtime/control/ledger.head')
    }
  }

  /** Between slices others have their turn; entries appended meanwhile are not looked at. */
  async check(from = 1, to = this.head.sequence): Promise<LedgerCheck> {
    const kept = this.readHead()
    const first = Math.max(1, from)
    const [before] = this.rows('WHERE sequence = ?', [first - 1])
    const check = new ChainCheck(this.key, before ?? { sequence: first - 1, hash: GENESIS })
    for (let after = first - 1; check.bad === undefined && after < to; ) {
      const rows = this.rows('WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?', [after, to, SLICE])
      const last = rows.at(-1)
      if (last === undefined) break
      for (const row of rows) if (!check.take(row)) break
      after = last.sequence
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (to >= this.head.sequence && kept !== undefined) check.end(kept)
    if (check.bad === undefined && kept === undefined) check.bad = { at: check.last.sequence, fault: 'head_altered' }
    return {
      valid: check.bad === undefined,
      entries: check.entries,
      head: check.last.sequence === 0 ? null : check.last,
      at: check.bad?.at ?? null,
      fault: check.bad?.fault ?? null,
    }
  }

  /** What can be seen at once: that the kept head is the ledger's own and the file is not shorter than it says. */
  looksWhole(): boolean {
    const kept = this.readHead()
    return kept !== undefined && kept.sequence <= this.head.sequence
  }

  /** What cannot be read is left out, and told: the check says by itself that it was altered. */
  read({ after, before, since, limit = 100, ...wanted }: LedgerQuery): LedgerEntry[] {
    const named = FIELDS.filter((name) => name !== 'time' && wanted[name] !== undefined)
    const conditions = named.map((name) => `${name} = ?`)
    const values: unknown[] = named.map((name) => wanted[name as keyof typeof wanted])
    if (after !== undefined) conditions.push('sequence > ?')
    if (after !== undefined) values.push(after)
    if (before !== undefined) conditions.push('sequence < ?')
    if (before !== undefined) values.push(before)
    if (since !== undefined) conditions.push('time >= ?')
    if (since !== undefined) values.push(since)
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const sql = `SELECT sequence, text, hash,
      (SELECT hash FROM entries AS before WHERE before.sequence = entries.sequence - 1) AS hash_before
      FROM entries ${where} ORDER BY ${orderOf(after, since)} LIMIT ?`
    const rows = Array.from(this.statements.of(sql).iterate([...values, limit]), (row) => {
      const { hash_before: hash } = row
      return { row: rowOf(row), hash_before: hash === null ? GENESIS : String(hash) }
    })
    rows.sort((a, b) => a.row.sequence - b.row.sequence)
    return rows.flatMap(({ row, hash_before }) => {
      const entry = entryOf(row, hash_before)
      if (entry === undefined) this.onBad(row.sequence)
      return entry ?? []
    })
  }

  /** Names of cycles, the one that was heard of last first. */
  cycles(limit: number): string[] {
    const statement = this.statements.of(
      'SELECT cycle FROM entries WHERE cycle IS NOT NULL GROUP BY cycle ORDER BY max(sequence) DESC LIMIT ?',
    )
    return Array.from(statement.iterate([limit]), (row) => String(row['cycle']))
  }

  bytes(): number {
    return statSync(join(this.folder, 'ledger.db')).size
  }

  private rows(rest: string, values: readonly unknown[]): LedgerRow[] {
    const statement = this.statements.of(`SELECT sequence, text, hash FROM entries ${rest}`)
    return Array.from(statement.iterate(values), rowOf)
  }

  private readHead(): LedgerHead | undefined {
    try {
      const { sequence, hash, seal } = JSON.parse(
        readFileSync(join(this.folder, 'ledger.head'), 'utf8'),
      ) as LedgerHead & { seal: string }
      return isEqual(String(seal), sealOf(this.key, { sequence, hash })) ? { sequence, hash } : undefined
    } catch {
      return undefined // gone or torn: as bad as one that somebody else wrote
    }
  }
}

/** The last ones, unless it is said after which. Of a time they come by its index: by their number, all there are would be read. */
function orderOf(after: number | undefined, since: number | undefined): string {
  if (after !== undefined) return 'sequence ASC'
  return since === undefined ? 'sequence DESC' : 'time DESC, sequence DESC'
}

/** A ledger without its key can be read by nobody, and a new key would make every entry look altered. */
function keyIn(folder: string, isNew: boolean): Buffer {
  const file = join(folder, 'ledger.key')
  if (!existsSync(file)) {
    if (!isNew) throw coded('ledger_key_missing', { path: 'runtime/control/ledger.key' })
    writeWhole(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`, { mode: SECRET_MODE })
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex')
  if (key.length !== KEY_BYTES) throw coded('ledger_key_missing', { path: 'runtime/control/ledger.key' })
  return key
}
