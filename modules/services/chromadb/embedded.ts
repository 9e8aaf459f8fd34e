/**
 * The vector store that needs no server: one SQLite file. Documents, metadata and vectors stand in one ordinary table;
 * every change is one transaction. Held by the service over its versions; see `nearest.ts` for the search.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Metadata, SqlRow, SqlValue } from '../../contracts/services.ts'
import { coded, codeOf } from '../../lib/errors.ts'
import { openDatabase, type Connection } from '../../lib/sqlite.ts'
import { writeFailure } from '../../lib/write-failure.ts'
import { bytesOf, loadExtension, nearestByExtension, nearestByScan, type FindNearest } from './nearest.ts'
import { filterSql, type Sql } from './sql-filter.ts'
import {
  checkMaker,
  keptMetadata,
  type ChangedRecord,
  type Collection,
  type FoundRecord,
  type Hit,
  type Maker,
  type NewRecord,
  type Selection,
  type VectorStore,
} from './store.ts'
import type { Filter } from './where.ts'

const TABLES = [
  `CREATE TABLE IF NOT EXISTS collections (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, metadata TEXT, embedder TEXT, dimension INTEGER)`,
  `CREATE TABLE IF NOT EXISTS records (
    n INTEGER PRIMARY KEY, collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE, id TEXT NOT NULL,
    metadata TEXT, document TEXT, embedding BLOB NOT NULL, UNIQUE (collection, id))`,
  'CREATE INDEX IF NOT EXISTS records_collection ON records (collection)',
]

/** Vectors of a thousand numbers fill a page of the usual size; a larger one halves the time of a search. */
const PRAGMAS = ['page_size = 16384', 'cache_size = -65536']

export interface EmbeddedOptions {
  file: string
  /** as errors name it */
  shown: string
  busyMs: number
  recordsMax: number
  collectionsMax: number
  extension: boolean
}

interface OpenCollection extends Collection {
  number: number
}

/** What the versions of the service share: no code of theirs, so that a new version searches with its own. */
export interface EmbeddedFile {
  connection: Connection
  /** why the extension is not there */
  missing: string | undefined
}

export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedFile> {
  const connection = await onDisk(options.shown, () => {
    mkdirSync(dirname(options.file), { recursive: true })
    return openDatabase(options.file, options.busyMs, PRAGMAS)
  })
  try {
    await onDisk(options.shown, () => TABLES.forEach((sql) => connection.prepare(sql).run([])))
    const missing = options.extension ? await loadExtension(connection) : 'it is switched off'
    return { connection, missing }
  } catch (error) {
    connection.close()
    throw error
  }
}

/** What the disk refuses is told as what it is; coded errors pass. */
async function onDisk<T>(shown: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw typeof (error as { hint?: unknown }).hint === 'string' && codeOf(error) !== undefined
      ? error
      : writeFailure(error, shown)
  }
}

export class EmbeddedStore implements VectorStore {
  readonly mode = 'embedded'
  readonly #connection: Connection
  readonly #options: EmbeddedOptions
  readonly #nearest: FindNearest
  readonly #note: string

  constructor({ connection, missing }: EmbeddedFile, options: EmbeddedOptions) {
    this.#connection = connection
    this.#options = options
    this.#nearest = missing === undefined ? nearestByExtension : nearestByScan
    const search = missing === undefined ? 'searched by sqlite-vec' : `searched by a plain scan, sqlite-vec: ${missing}`
    this.#note = `${options.shown}, ${search}`
  }

  note(): Promise<string> {
    return Promise.resolve(this.#note)
  }

  open(name: string, metadata: Metadata | null): Promise<Collection> {
    return this.#change(() => {
      const known = this.#lookUp(name)
      if (known !== undefined) return known
      const { collectionsMax } = this.#options
      if (this.#number('SELECT count(*) FROM collections') >= collectionsMax)
        throw coded('vector_limit', { what: 'the number of collections', limit: collectionsMax })
      this.#run('INSERT INTO collections (name, metadata) VALUES (?, ?)', name, textOf(metadata))
      return this.#need(name)
    })
  }

  find(name: string): Promise<Collection> {
    return this.#do(() => this.#need(name))
  }

  add(name: string, maker: Maker, records: readonly NewRecord[]): Promise<void> {
    return this.#change(() => {
      const { number } = this.#made(name, maker)
      const there = this.#present(
        number,
        records.map((one) => one.id),
      )
      if (there.length > 0) throw coded('vector_duplicate', { name, ids: there.slice(0, 5).join(', ') })
      const { recordsMax } = this.#options
      const count = this.#number('SELECT count(*) FROM records WHERE collection = ?', number)
      if (count + records.length > recordsMax)
        throw coded('vector_limit', { what: `the number of records in \`${name}\``, limit: recordsMax })
      const insert = this.#connection.prepare(
        'INSERT INTO records (collection, id, metadata, document, embedding) VALUES (?, ?, ?, ?, ?)',
      )
      for (const { id, metadata, document, embedding } of records)
        insert.run([number, id, textOf(metadata), document, vectorBytes(embedding)])
    })
  }

  update(name: string, maker: Maker | undefined, records: readonly ChangedRecord[]): Promise<void> {
    return this.#change(() => {
      const { number } = maker === undefined ? this.#need(name) : this.#made(name, maker)
      const ids = records.map((one) => one.id)
      const there = new Set(this.#present(number, ids))
      const absent = ids.filter((id) => !there.has(id))
      if (absent.length > 0) throw coded('vector_missing', { name, ids: absent.slice(0, 5).join(', ') })
      for (const { id, document, metadata, embedding } of records) {
        const where = 'WHERE collection = ? AND id = ?'
        if (document !== undefined) this.#run(`UPDATE records SET document = ? ${where}`, document, number, id)
        if (embedding !== undefined)
          this.#run(`UPDATE records SET embedding = ? ${where}`, vectorBytes(embedding), number, id)
        if (metadata === undefined) continue
        const [row] = this.#rows(`SELECT metadata FROM records ${where}`, number, id)
        const merged = keptMetadata({ ...metadataOf(row?.['metadata']), ...metadata })
        this.#run(`UPDATE records SET metadata = ? ${where}`, textOf(merged), number, id)
      }
    })
  }

  query(
    name: string,
    maker: Partial<Maker>,
    embedding: readonly number[],
    limit: number,
    filter: Filter | undefined,
  ): Promise<Hit[]> {
    return this.#do(() => {
      const collection = this.#need(name)
      checkMaker(collection, { embedder: maker.embedder, dimension: embedding.length })
      const near = this.#nearest(
        this.#connection,
        conditionOf(collection.number, { filter }),
        Float32Array.from(embedding),
        limit,
      )
      return near.flatMap(({ n, distance }) =>
        this.#rows('SELECT id, document, metadata FROM records WHERE n = ?', n).map((row) => ({
          ...foundOf(row),
          // Rounding may leave less than nothing.
          distance: Math.max(0, distance),
        })),
      )
    })
  }

  get(name: string, selection: Selection, limit: number, offset: number): Promise<FoundRecord[]> {
    return this.#do(() => {
      const { text, params } = conditionOf(this.#need(name).number, selection)
      const sql = `SELECT id, document, metadata FROM records WHERE ${text} ORDER BY n LIMIT ? OFFSET ?`
      return this.#rows(sql, ...params, limit, offset).map(foundOf)
    })
  }

  delete(name: string, selection: Selection): Promise<void> {
    return this.#change(() => {
      const { text, params } = conditionOf(this.#need(name).number, selection)
      this.#run(`DELETE FROM records WHERE ${text}`, ...params)
    })
  }

  count(name: string): Promise<number> {
    return this.#do(() => this.#number('SELECT count(*) FROM records WHERE collection = ?', this.#need(name).number))
  }

  list(): Promise<string[]> {
    return this.#do(() => this.#rows('SELECT name FROM collections ORDER BY name').map((row) => String(row['name'])))
  }

  drop(name: string): Promise<void> {
    return this.#change(() => this.#run('DELETE FROM collections WHERE number = ?', this.#need(name).number))
  }

  #do<T>(work: () => T): Promise<T> {
    return onDisk(this.#options.shown, work)
  }

  #change<T>(work: () => T): Promise<T> {
    return this.#do(() => this.#connection.transaction(work).immediate())
  }

  #run(sql: string, ...params: SqlValue[]): void {
    this.#connection.prepare(sql).run(params)
  }

  #rows(sql: string, ...params: SqlValue[]): SqlRow[] {
    return [...this.#connection.prepare(sql).iterate(params)]
  }

  #number(sql: string, ...params: SqlValue[]): number {
    const [row] = this.#rows(sql, ...params)
    return Number(Object.values(row ?? {})[0] ?? 0)
  }

  #lookUp(name: string): OpenCollection | undefined {
    const [row] = this.#rows('SELECT * FROM collections WHERE name = ?', name)
    if (row === undefined) return undefined
    const { number, metadata, embedder, dimension } = row
    const maker = typeof embedder === 'string' ? { embedder, dimension: Number(dimension) } : undefined
    return { number: Number(number), name, metadata: metadataOf(metadata), maker }
  }

  #need(name: string): OpenCollection {
    const found = this.#lookUp(name)
    if (found === undefined) throw coded('collection_missing', { name })
    return found
  }

  /** The collection, whose vectors are of this maker from now on. */
  #made(name: string, maker: Maker): OpenCollection {
    const collection = this.#need(name)
    checkMaker(collection, maker)
    if (collection.maker === undefined) {
      const sql = 'UPDATE collections SET embedder = ?, dimension = ? WHERE number = ?'
      this.#run(sql, maker.embedder, maker.dimension, collection.number)
    }
    return collection
  }

  #present(collection: number, ids: readonly string[]): string[] {
    const { text, params } = conditionOf(collection, { ids })
    return this.#rows(`SELECT id FROM records WHERE ${text}`, ...params).map((row) => String(row['id']))
  }
}

function conditionOf(collection: number, { ids, filter }: Selection): Sql {
  const parts: Sql[] = [{ text: 'collection = ?', params: [collection] }]
  if (ids !== undefined) parts.push({ text: 'id IN (SELECT value FROM json_each(?))', params: [JSON.stringify(ids)] })
  if (filter !== undefined) parts.push(filterSql(filter))
  return { text: parts.map((one) => one.text).join(' AND '), params: parts.flatMap((one) => one.params) }
}

const textOf = (metadata: Metadata | null): string | null => (metadata === null ? null : JSON.stringify(metadata))

const metadataOf = (text: SqlValue | undefined): Metadata | null =>
  typeof text === 'string' ? (JSON.parse(text) as Metadata) : null

const vectorBytes = (embedding: readonly number[]): Uint8Array => bytesOf(Float32Array.from(embedding))

const foundOf = (row: SqlRow): FoundRecord => ({
  id: String(row['id']),
  document: typeof row['document'] === 'string' ? row['document'] : null,
  metadata: metadataOf(row['metadata']),
})
