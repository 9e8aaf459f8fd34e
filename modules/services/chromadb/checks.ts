/**
 * What callers send, checked before anything is made or kept: names, shapes, lists of one length, limits. Pure. What
 * passes here is sound for both stores.
 */
import { z, type ZodType } from 'zod'
import { coded } from '../../lib/errors.ts'

export interface Limits {
  batch_max: number
  results_max: number
  document_bytes_max: number
  metadata_bytes_max: number
  dimension_max: number
}

/** Control characters, and halves of characters, which no file and no network keeps as they are. */
const UNSOUND = /[\p{Cc}\p{Cs}]/u
const id = z
  .string()
  .min(1)
  .max(512)
  .refine((text) => !UNSOUND.test(text), 'an id has no control characters')
const ids = z.array(id).min(1)
const metadata = z.record(
  z
    .string()
    .min(1)
    .refine((key) => !key.startsWith('$') && !key.startsWith('mm:'), 'a key does not begin with $ or mm:'),
  z.union([z.string(), z.number(), z.boolean(), z.null()]),
)
const vector = z.array(z.number()).min(1)
const where = z.record(z.string(), z.unknown())
const count = z.number().int().nonnegative()

export const shapes = {
  metadata: metadata.nullish(),
  add: z.object({
    ids,
    documents: z.array(z.string()),
    metadatas: z.array(metadata.nullable()).optional(),
    embeddings: z.array(vector).optional(),
  }),
  update: z.object({
    ids,
    documents: z.array(z.string()).optional(),
    metadatas: z.array(metadata).optional(),
    embeddings: z.array(vector).optional(),
  }),
  query: z.object({
    query_texts: z.array(z.string()).min(1).optional(),
    query_embeddings: z.array(vector).min(1).optional(),
    n_results: z.number().int().positive().default(10),
    where: where.optional(),
  }),
  get: z.object({ ids: ids.optional(), where: where.optional(), limit: count.optional(), offset: count.default(0) }),
  delete: z.object({ ids: ids.optional(), where: where.optional() }),
}

/** `api` and `method` name the call in the error. */
export function readShape<T extends ZodType>(schema: T, value: unknown, api: string, method: string): z.output<T> {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  const issue = read.error.issues[0]
  const at = issue?.path.join('.') ?? ''
  const reason = `${method}(): ${at === '' ? '' : `${at}: `}${issue?.message ?? 'not what it takes'}`
  throw coded('bad_arguments', { reason, api })
}

/** Chroma's rule, in both modes. */
export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9._-]{1,510}[a-z0-9]$/i.test(name))
    throw coded('collection_name', { name: String(name).slice(0, 80) })
}

const tooMuch = (what: string, limit: number): Error => coded('vector_limit', { what, limit })

interface Lists {
  ids: readonly string[]
  documents?: readonly string[] | undefined
  metadatas?: readonly unknown[] | undefined
  embeddings?: readonly number[][] | undefined
}

export function checkRecords(lists: Lists, limits: Limits, api: string): void {
  const { ids: names, documents, metadatas, embeddings } = lists
  if (names.length > limits.batch_max) throw tooMuch('the number of records of one call', limits.batch_max)
  const twice = names.filter((one, at) => names.indexOf(one) !== at)
  if (twice.length > 0) throw coded('vector_duplicate', { name: 'this call', ids: twice.slice(0, 5).join(', ') })
  for (const [key, list] of Object.entries({ documents, metadatas, embeddings })) {
    if (list !== undefined && list.length !== names.length)
      throw coded('bad_arguments', { reason: `${names.length} ids, but ${list.length} ${key}`, api })
  }
  for (const text of documents ?? []) {
    if (Buffer.byteLength(text) > limits.document_bytes_max)
      throw tooMuch('a document (in bytes)', limits.document_bytes_max)
  }
  for (const one of metadatas ?? []) {
    if (Buffer.byteLength(JSON.stringify(one)) > limits.metadata_bytes_max)
      throw tooMuch('the metadata of a record (in bytes)', limits.metadata_bytes_max)
  }
  checkVectors(embeddings, limits, api)
}

export function checkVectors(vectors: readonly number[][] | undefined, limits: Limits, api: string): void {
  if (vectors === undefined) return
  const length = vectors[0]?.length ?? 0
  if (length > limits.dimension_max) throw tooMuch('the length of a vector', limits.dimension_max)
  const other = vectors.find((one) => one.length !== length)
  if (other !== undefined)
    throw coded('bad_arguments', { reason: `vectors of ${length} and of ${other.length} numbers`, api })
}

export function checkResults(found: number, limits: Limits): void {
  if (found > limits.results_max) throw tooMuch('the number of results of one call', limits.results_max)
}
