/**
 * Vectors for texts, over `/v1/embeddings`. The numbers are asked for as numbers: the client would ask for base64 by
 * itself and read the lists of many servers wrongly. What comes back is checked before anybody stores it.
 */
import { z } from 'zod'
import { coded } from '../../lib/errors.ts'
import type { TryTime } from './call-time.ts'
import type { Config } from './config.ts'
import type { Server } from './server.ts'
import { countBytes } from './stream.ts'

/** Servers have limits of their own; this is below all that are known. */
const TEXTS_PER_REQUEST = 64
const TEXTS_MAX = 100_000

const listSchema = z.object({
  data: z.array(z.object({ index: z.number().int().optional(), embedding: z.array(z.number()).min(1) })),
  model: z.string().optional(),
})

/** Throws `bad_arguments`. */
export function checkTexts(texts: unknown): asserts texts is string[] {
  if (!Array.isArray(texts) || texts.length > TEXTS_MAX)
    throw coded('bad_arguments', { reason: `\`texts\` is a list of at most ${TEXTS_MAX} texts` })
  const at = texts.findIndex((text) => typeof text !== 'string' || text === '')
  if (at >= 0) throw coded('bad_arguments', { reason: `text ${at} is empty or no text` })
}

export function* batchesOf(texts: readonly string[]): Generator<string[]> {
  for (let at = 0; at < texts.length; at += TEXTS_PER_REQUEST) yield texts.slice(at, at + TEXTS_PER_REQUEST)
}

export async function embedBatch(
  { client, embeddingModel: model }: Server,
  input: string[],
  time: TryTime,
  { embedding_dimensions: dimensions, answer_bytes_max }: Config,
): Promise<{ vectors: number[][]; model: string }> {
  time.connecting()
  const body = { model, input, encoding_format: 'float' as const, ...(dimensions === undefined ? {} : { dimensions }) }
  const response = await (await client()).embeddings.create(body, { signal: time.controller.signal }).asResponse()
  time.reading()
  const parsed = listSchema.safeParse(await countBytes(response, time, answer_bytes_max).json())
  if (!parsed.success) throw new Error('its answer is no list of vectors')
  const { data, model: told = model } = parsed.data
  const sorted = data.map((one, at) => ({ at: one.index ?? at, vector: one.embedding })).sort((a, b) => a.at - b.at)
  if (sorted.length !== input.length || sorted.some(({ at }, nth) => at !== nth))
    throw new Error(`it was asked for ${input.length} vectors and gave ${sorted.length}`)
  return { vectors: sorted.map(({ vector }) => vector), model: told }
}
