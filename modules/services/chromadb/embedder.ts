/**
 * Who makes vectors of texts: the lexical one, which is always there, or an inference service. The name it gives with
 * the vectors is kept with the collection, so that vectors of two makers never stand side by side.
 */
import type { Handle } from '../../contracts/module.ts'
import type { EmbeddingApi } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'

export interface Embedder {
  /** what it is, for people */
  readonly note: string
  embed(texts: readonly string[]): Promise<{ embedder: string; vectors: number[][] }>
}

/** `api` is the inference service. What it answers is checked: a model behind a network may send anything. */
export function serviceEmbedder(api: string, service: Handle<EmbeddingApi>, batch: number): Embedder {
  return {
    note: `the model of the service ${api}`,
    embed: async (texts) => {
      const vectors: number[][] = []
      let model: string | undefined
      for (let at = 0; at < texts.length; at += batch) {
        const part = texts.slice(at, at + batch)
        const made = await service.embed(part)
        checkAnswer(api, part.length, made)
        if (model !== undefined && model !== made.model)
          throw coded('embedder_failed', { api, reason: `it changed from ${model} to ${made.model} meanwhile` })
        model = made.model
        vectors.push(...made.vectors)
      }
      return { embedder: `${api} ${model ?? ''}`, vectors }
    },
  }
}

function checkAnswer(api: string, texts: number, made: Awaited<ReturnType<EmbeddingApi['embed']>>): void {
  const wrong = (reason: string): Error => coded('embedder_failed', { api, reason })
  if (typeof made?.model !== 'string' || !Array.isArray(made.vectors)) throw wrong('its answer is not {vectors, model}')
  if (made.vectors.length !== texts) throw wrong(`${texts} texts gave ${made.vectors.length} vectors`)
  const length = made.vectors[0]?.length ?? 0
  const sound = (one: unknown): boolean =>
    Array.isArray(one) && one.length === length && one.every((number) => Number.isFinite(number))
  if (length === 0 || !made.vectors.every(sound)) throw wrong('its vectors are not lists of numbers of one length')
}
