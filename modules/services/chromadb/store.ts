/**
 * What the service asks of a place that keeps vectors: the embedded file (`embedded.ts`) or a Chroma server (`http.ts`).
 * The service has checked names, shapes and limits and has made the vectors; a store keeps, finds and tells apart. Both
 * throw the same codes: one suite runs on both.
 */
import type { Metadata } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import type { Filter } from './where.ts'

/** What made the vectors of a collection. Vectors of another maker say nothing beside them. */
export interface Maker {
  embedder: string
  dimension: number
}

export interface Collection {
  name: string
  metadata: Metadata | null
  /** undefined while nothing was added */
  maker: Maker | undefined
}

export interface NewRecord {
  id: string
  document: string
  metadata: Metadata | null
  embedding: readonly number[]
}

/** Absent means: as it was. A metadata key that is null goes. */
export interface ChangedRecord {
  id: string
  document?: string
  metadata?: Metadata
  embedding?: readonly number[]
}

export interface FoundRecord {
  id: string
  document: string | null
  metadata: Metadata | null
}

export interface Hit extends FoundRecord {
  distance: number
}

export interface Selection {
  ids?: readonly string[] | undefined
  filter?: Filter | undefined
}

export interface VectorStore {
  readonly mode: 'http' | 'embedded'
  /** what it is and whether it answers, for people; never throws */
  note(): Promise<string>
  open(name: string, metadata: Metadata | null): Promise<Collection>
  find(name: string): Promise<Collection>
  /** All or nothing. An id that is there is an error. */
  add(name: string, maker: Maker, records: readonly NewRecord[]): Promise<void>
  /** All or nothing. An id that is not there is an error. `maker` when vectors are among the changes. */
  update(name: string, maker: Maker | undefined, records: readonly ChangedRecord[]): Promise<void>
  /** Nearest first; cosine distances, 0 to 2. `maker` has no embedder when the caller brought the vector. */
  query(
    name: string,
    maker: Partial<Maker>,
    embedding: readonly number[],
    limit: number,
    filter: Filter | undefined,
  ): Promise<Hit[]>
  /** In the order they were added. */
  get(name: string, selection: Selection, limit: number, offset: number): Promise<FoundRecord[]>
  delete(name: string, selection: Selection): Promise<void>
  count(name: string): Promise<number>
  list(): Promise<string[]>
  drop(name: string): Promise<void>
}

/** Refuses vectors of another maker than the collection's. `embedder` is undefined for a vector a caller brought to search with. */
export function checkMaker(
  { name, maker }: Pick<Collection, 'name' | 'maker'>,
  made: { embedder: string | undefined; dimension: number },
): void {
  if (maker === undefined) return
  if (made.embedder !== undefined && made.embedder !== maker.embedder)
    throw coded('embedder_mismatch', { name, expected: maker.embedder, found: made.embedder })
  if (made.dimension !== maker.dimension)
    throw coded('vector_dimension', { name, expected: maker.dimension, found: made.dimension })
}

/** Keys that are null are not kept, and nothing at all is null: as Chroma has it. */
export function keptMetadata(metadata: Metadata | null | undefined): Metadata | null {
  const kept = Object.entries(metadata ?? {}).filter(([, value]) => value !== null)
  return kept.length === 0 ? null : Object.fromEntries(kept)
}
