/**
 * Events on disk, in a file of their own beside the ledger, each with a seal by the system's key (`events.key`, 0600):
 * what was written there by somebody else is not given out. The oldest go when there are too many. Used by the service.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SqlRow } from '../../contracts/services.ts'
import type { KeptEvent, TakenEvent } from '../../contracts/signed-events.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { openDatabase, type Connection } from '../../lib/sqlite.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { writeFailure } from '../../lib/write-failure.ts'
import { hmac, isSame } from './signature.ts'

const KEY_BYTES = 32
const SECRET_MODE = 0o600
const BUSY_MS = 5_000
const FIELDS = ['type', 'source', 'time'] as const
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, seal TEXT NOT NULL,
    ${FIELDS.map((name) => `${name} AS (json_extract(text, '$.${name}'))`).join(', ')})`,
  ...FIELDS.map((name) => `CREATE INDEX IF NOT EXISTS events_by_${name} ON events (${name})`),
]

export interface EventQuery {
  type?: string
  source?: string
  after?: number
  since?: number
  limit: number
}

export interface EventFiles {
  connection: Connection
  key: Buffer
}

export async function openEvents(folder: string): Promise<EventFiles> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'events.key')
  if (!existsSync(file)) writeWhole(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`, { mode: SECRET_MODE })
  const connection = await openDatabase(join(folder, 'events.db'), BUSY_MS)
  connection.pragma('synchronous = FULL')
  for (const statement of SCHEMA) connection.prepare(statement).run([])
  return { connection, key: Buffer.from(readFileSync(file, 'utf8').trim(), 'hex') }
}

export class EventStore {
  altered = 0
  private readonly connection: Connection
  private readonly key: Buffer
  private readonly keptMax: number

  constructor({ connection, key }: EventFiles, keptMax: number) {
    this.connection = connection
    this.key = key
    this.keptMax = keptMax
  }

  /** All of them or none. */
  add(events: readonly TakenEvent[]): void {
    const insert = this.connection.prepare('INSERT INTO events (text, seal) VALUES (?, ?)')
    const trim = this.connection.prepare('DELETE FROM events WHERE sequence <= (SELECT max(sequence) FROM events) - ?')
    const all = this.connection.transaction(() => {
      for (const event of events) {
        const text = canonicalJson(event)
        insert.run([text, hmac(this.key, text)])
      }
      trim.run([this.keptMax])
    })
    try {
      all.immediate()
    } catch (thrown) {
      throw writeFailure(thrown, 'runtime/control/events.db')
    }
  }

  read({ after, since, limit, ...wanted }: EventQuery): KeptEvent[] {
    const asked: [string, unknown][] = [
      ['type = ?', wanted.type],
      ['source = ?', wanted.source],
      ['sequence > ?', after],
      ['time >= ?', since],
    ]
    const given = asked.filter(([, value]) => value !== undefined)
    const where = given.length === 0 ? '' : `WHERE ${given.map(([condition]) => condition).join(' AND ')}`
    const order = after === undefined ? 'DESC' : 'ASC'
    const statement = this.connection.prepare(
      `SELECT sequence, text, seal FROM events ${where} ORDER BY sequence ${order} LIMIT ?`,
    )
    const rows = Array.from(statement.iterate([...given.map(([, value]) => value), limit]))
    if (after === undefined) rows.reverse()
    return rows.flatMap((row) => this.eventOf(row))
  }

  count(): number {
    const [row] = this.connection.prepare('SELECT count(*) AS n FROM events').iterate([])
    return Number(row?.['n'] ?? 0)
  }

  private eventOf(row: SqlRow): KeptEvent[] {
    const text = String(row['text'])
    if (!isSame(String(row['seal']), hmac(this.key, text))) {
      this.altered++
      return []
    }
    return [{ ...(JSON.parse(text) as TakenEvent), sequence: Number(row['sequence']) }]
  }
}
