/**
 * Proposals on disk, in a file of their own beside the ledger, with the exact bytes that were there before each. What
 * has happened to one and what the ledger is still to be told of it are written in one step, so that no process that
 * ends in between loses either. Open ones are kept in memory too: there is one writer. Used by the service only.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { LedgerInput } from '../../contracts/ledger.ts'
import type { ValueChange } from '../../contracts/policy.ts'
import type { Proposal, ProposalState } from '../../contracts/proposals.ts'
import type { Json } from '../../contracts/seams.ts'
import type { SqlRow } from '../../contracts/services.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { ParsedTexts } from '../../lib/parsed-texts.ts'
import { openDatabase, type Connection } from '../../lib/sqlite.ts'
import { Statements } from '../../lib/statements.ts'
import { writeFailure } from '../../lib/write-failure.ts'
import type { FileBytes } from './batch.ts'
import type { Sample } from './samples.ts'

const BUSY_MS = 5_000
const FILE = 'runtime/control/rollouts.db'
/** Of the proposals that were listed last: the control plane lists them every few minutes, and few of them change. */
const PARSED_CHARS_MAX = 4_000_000
/** Different questions that are answered without reading, until the next write. */
const LISTS_MAX = 20
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS proposals (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE, state TEXT NOT NULL, service TEXT NOT NULL,
    open INTEGER NOT NULL, changed_at INTEGER NOT NULL, record TEXT NOT NULL, inside TEXT NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS proposals_by_state ON proposals (state, changed_at)',
  'CREATE INDEX IF NOT EXISTS proposals_open ON proposals (open) WHERE open = 1',
  `CREATE TABLE IF NOT EXISTS originals (
    number INTEGER NOT NULL, path TEXT NOT NULL, bytes BLOB, PRIMARY KEY (number, path))`,
  'CREATE TABLE IF NOT EXISTS owed (id INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER NOT NULL, entry TEXT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS approved (
    file TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, last TEXT NOT NULL, PRIMARY KEY (file, key))`,
]

/** What a version is made from. */
export interface VersionHashes {
  source_hash: string | null
  config_hash: string | null
}

/** It is on its way back; written before the first byte moves, so that the way is gone to its end. */
export interface GoingBack {
  to: 'restored' | 'undone' | 'failed'
  reason: string
  by: string
  origin: 'human' | 'self' | 'test' | 'system'
}

/** What nobody outside needs. */
export interface Inside {
  /** hash of what is approved */
  content: string
  approval_until: number | null
  values: ValueChange[]
  /** versions before, by service; null: there was none */
  versions: Record<string, VersionHashes | null>
  /** measured before, by service */
  baseline: Record<string, Sample>
  going_back: GoingBack | null
  /** the way back has failed, and somebody was told */
  alarmed: boolean
}

export interface Kept {
  number: number
  proposal: Proposal
  inside: Inside
}

export async function openRollouts(folder: string): Promise<Connection> {
  mkdirSync(folder, { recursive: true })
  const connection = await openDatabase(join(folder, 'rollouts.db'), BUSY_MS)
  connection.pragma('synchronous = FULL')
  for (const statement of SCHEMA) connection.prepare(statement).run([])
  return connection
}

const OVER: ReadonlySet<ProposalState> = new Set([
  'refused',
  'rejected',
  'expired',
  'stale',
  'failed',
  'confirmed',
  'restored',
  'undone',
])

export const isOver = ({ proposal, inside }: Kept): boolean => OVER.has(proposal.state) && inside.going_back === null

const keptOf = (row: SqlRow): Kept => ({
  number: Number(row['number']),
  proposal: JSON.parse(String(row['record'])) as Proposal,
  inside: JSON.parse(String(row['inside'])) as Inside,
})

export class RolloutStore {
  private readonly connection: Connection
  private readonly statements: Statements
  private readonly parsed = new ParsedTexts<Proposal>(PARSED_CHARS_MAX)
  private readonly lists = new Map<string, readonly Proposal[]>()
  private opened: Map<number, Kept> | undefined

  constructor(connection: Connection) {
    this.connection = connection
    this.statements = new Statements(connection)
  }

  /** Oldest first. */
  open(): Kept[] {
    this.opened ??= new Map(this.rows('WHERE open = 1 ORDER BY number', []).map((kept) => [kept.number, kept]))
    return [...this.opened.values()]
  }

  /** Another version has written meanwhile. */
  forget(): void {
    this.opened = undefined
    this.lists.clear()
  }

  add(kept: Kept): void {
    const { key = null, state, service } = kept.proposal
    const sql =
      'INSERT INTO proposals (number, key, state, service, open, changed_at, record, inside) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
    this.writing(() => {
      this.statements.of(sql).run([kept.number, key, state, service, ...this.columns(kept)])
      return kept
    })
  }

  /** One nobody has had. */
  nextNumber(): number {
    const row = this.first(`SELECT seq FROM sqlite_sequence WHERE name = 'proposals'`, [])
    return Number(row?.['seq'] ?? 0) + 1
  }

  /** With what the ledger is to be told of it, and what only this step brings. */
  save(kept: Kept, owed: readonly LedgerInput[] = [], also: () => void = () => {}): void {
    this.writing(() => {
      also()
      this.statements
        .of('UPDATE proposals SET state = ?, open = ?, changed_at = ?, record = ?, inside = ? WHERE number = ?')
        .run([kept.proposal.state, ...this.columns(kept), kept.number])
      this.owe(kept.number, owed)
      return kept
    })
  }

  get(number: number): Kept | undefined {
    this.open()
    return this.opened?.get(number) ?? this.rows('WHERE number = ?', [number])[0]
  }

  byKey(key: string): Kept | undefined {
    const row = this.first('SELECT number FROM proposals WHERE key = ?', [key])
    return row === undefined ? undefined : this.get(Number(row['number']))
  }

  /** The last first, as they stand on disk; frozen. */
  list(query: { state?: string | undefined; service?: string | undefined }, limit: number): Proposal[] {
    const asked = (['state', 'service'] as const).filter((name) => query[name] !== undefined)
    const where = asked.length === 0 ? '' : `WHERE ${asked.map((name) => `${name} = ?`).join(' AND ')}`
    const values = [...asked.map((name) => query[name]), limit]
    const question = JSON.stringify([where, values])
    const known = this.lists.get(question)
    if (known !== undefined) return [...known]
    const statement = this.statements.of(`SELECT number, record FROM proposals ${where} ORDER BY number DESC LIMIT ?`)
    const found = Array.from(statement.iterate(values), (row) =>
      this.parsed.of(Number(row['number']), String(row['record'])),
    )
    if (this.lists.size >= LISTS_MAX) this.lists.clear()
    this.lists.set(question, found)
    return [...found]
  }

  /** Those whose `builds_on` names it. */
  buildingOn(id: string): Kept[] {
    const where = `WHERE EXISTS (SELECT 1 FROM json_each(record, '$.builds_on') WHERE json_each.value = ?)`
    return this.rows(where, [id]).map((kept) => this.get(kept.number) ?? kept)
  }

  /** How many were taken back since (epoch ms). */
  restoredSince(time: number): number {
    const row = this.first(`SELECT count(*) AS n FROM proposals WHERE state = 'restored' AND changed_at > ?`, [time])
    return Number(row?.['n'] ?? 0)
  }

  keepOriginals(number: number, files: readonly FileBytes[]): void {
    const statement = this.statements.of('INSERT OR REPLACE INTO originals (number, path, bytes) VALUES (?, ?, ?)')
    for (const { path, bytes } of files) statement.run([number, path, bytes])
  }

  originals(number: number): FileBytes[] {
    const rows = this.statements.of('SELECT path, bytes FROM originals WHERE number = ?').iterate([number])
    return Array.from(rows, (row) => {
      const bytes = row['bytes']
      return { path: String(row['path']), bytes: bytes === null ? null : Buffer.from(bytes as Uint8Array) }
    })
  }

  /** Of the oldest that are over; their bytes go with them. */
  prune(keptMax: number): void {
    this.writing(() => {
      const old = 'SELECT number FROM proposals WHERE open = 0 ORDER BY number DESC LIMIT -1 OFFSET ?'
      this.statements.of(`DELETE FROM originals WHERE number IN (${old})`).run([keptMax])
      this.statements.of(`DELETE FROM proposals WHERE number IN (${old})`).run([keptMax])
      return undefined
    })
  }

  owed(): { id: number; number: number; entry: LedgerInput }[] {
    const rows = this.statements.of('SELECT id, number, entry FROM owed ORDER BY id LIMIT 100').iterate([])
    return Array.from(rows, (row) => ({
      id: Number(row['id']),
      number: Number(row['number']),
      entry: JSON.parse(String(row['entry'])) as LedgerInput,
    }))
  }

  paid(id: number, kept: Kept | undefined): void {
    const paid = (): void => void this.statements.of('DELETE FROM owed WHERE id = ?').run([id])
    if (kept === undefined) this.writing(paid)
    else this.save(kept, [], paid)
  }

  /** The value a person approved last: what the system moved since is not that, what else moved is. */
  approved(file: string, key: string, now: Json | undefined): Json | undefined {
    const row = this.first('SELECT value, last FROM approved WHERE file = ? AND key = ?', [file, key])
    const isOurs = row !== undefined && now !== undefined && String(row['last']) === canonicalJson(now)
    return isOurs ? (JSON.parse(String(row['value'])) as Json) : now
  }

  /** `last`: the value it has from now on. */
  approve(file: string, key: string, value: Json, last: Json): void {
    const sql = 'INSERT OR REPLACE INTO approved (file, key, value, last) VALUES (?, ?, ?, ?)'
    this.statements.of(sql).run([file, key, canonicalJson(value), canonicalJson(last)])
  }

  private columns(kept: Kept): unknown[] {
    return [isOver(kept) ? 0 : 1, kept.proposal.changed_at, JSON.stringify(kept.proposal), JSON.stringify(kept.inside)]
  }

  private owe(number: number, entries: readonly LedgerInput[]): void {
    const statement = this.statements.of('INSERT INTO owed (number, entry) VALUES (?, ?)')
    for (const entry of entries) statement.run([number, JSON.stringify(entry)])
  }

  private writing<T>(work: () => T): T {
    this.open()
    this.lists.clear()
    let done: T
    try {
      done = this.connection.transaction(work).immediate()
    } catch (thrown) {
      throw (thrown as { code?: unknown }).code === undefined ? thrown : writeFailure(thrown, FILE)
    }
    this.remember(done)
    return done
  }

  private remember(done: unknown): void {
    const kept = done as Kept | undefined
    if (kept?.proposal === undefined) return
    if (isOver(kept)) this.opened?.delete(kept.number)
    else this.opened?.set(kept.number, kept)
  }

  /** Read to its end, as the statement is used again. */
  private first(sql: string, values: readonly unknown[]): SqlRow | undefined {
    return Array.from(this.statements.of(sql).iterate(values))[0]
  }

  private rows(rest: string, values: readonly unknown[]): Kept[] {
    const statement = this.statements.of(`SELECT number, record, inside FROM proposals ${rest}`)
    return Array.from(statement.iterate(values), keptOf)
  }
}
