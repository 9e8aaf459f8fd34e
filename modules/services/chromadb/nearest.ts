/**
 * The nearest vectors of a collection in the SQLite file. With the extension sqlite-vec the distance is computed inside
 * the query; without it the same rows are read and compared here, some five times slower. Both are exact, and read the
 * same table: a file may be opened either way.
 */
import { reasonOf } from '../../lib/errors.ts'
import type { Connection } from '../../lib/sqlite.ts'
import type { Sql } from './sql-filter.ts'

export interface Near {
  n: number
  distance: number
}

export type FindNearest = (connection: Connection, condition: Sql, wanted: Float32Array, limit: number) => Near[]

/** What the vectors' 32-bit numbers can tell apart: beyond it the order would be chance, and differ between the two. */
const DIGITS = 6

/** Loads the extension into the connection, or says why it cannot. */
export async function loadExtension(connection: Connection): Promise<string | undefined> {
  try {
    const { getLoadablePath } = await import('sqlite-vec')
    connection.loadExtension(getLoadablePath())
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

export const bytesOf = (vector: Float32Array): Uint8Array =>
  new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)

export const nearestByExtension: FindNearest = (connection, { text, params }, wanted, limit) => {
  const statement = connection.prepare(
    `SELECT n, round(coalesce(vec_distance_cosine(embedding, ?), 1), ${DIGITS}) AS distance FROM records WHERE ${text} ORDER BY 2, n LIMIT ?`,
  )
  return [...(statement.iterate([bytesOf(wanted), ...params, limit]) as Iterable<unknown>)] as Near[]
}

export const nearestByScan: FindNearest = (connection, { text, params }, wanted, limit) => {
  const near: Near[] = []
  const rows = connection.prepare(`SELECT n, embedding FROM records WHERE ${text}`).iterate([...params])
  for (const { n, embedding } of rows as Iterable<unknown> as Iterable<{ n: number; embedding: Uint8Array }>) {
    near.push({ n, distance: cosineDistance(wanted, floatsOf(embedding)) })
  }
  return near.sort((a, b) => a.distance - b.distance || a.n - b.n).slice(0, limit)
}

/** A view where the bytes lie right for one, else a copy. */
function floatsOf(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, byteLength } = byteOffsetFits(bytes) ? bytes : bytes.slice()
  return new Float32Array(buffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT)
}

const byteOffsetFits = ({ byteOffset }: Uint8Array): boolean => byteOffset % Float32Array.BYTES_PER_ELEMENT === 0

/** 0 for the same direction, 2 for the opposite; 1 where one of them has no direction. */
export function cosineDistance(a: Float32Array, b: Float32Array): number {
  let dot = 0
  let squaresA = 0
  let squaresB = 0
  for (let at = 0; at < a.length; at++) {
    const x = a[at] as number
    const y = b[at] as number
    dot += x * y
    squaresA += x * x
    squaresB += y * y
  }
  const lengths = Math.sqrt(squaresA * squaresB)
  return lengths === 0 ? 1 : Number((1 - dot / lengths).toFixed(DIGITS))
}
