/**
 * The service `memory`: short texts that are to be known later, found by likeness. It keeps nothing itself: memories are
 * a collection of the vector store, so they outlive restarts in both of its modes. A text is its own id: remembered
 * twice, it is one memory.
 */
import { z } from 'zod'
import type { Handle, KernelApi } from '../contracts/module.ts'
import type { Memory, MemoryApi, Metadata, VectorStoreApi, Where } from '../contracts/services.ts'
import { coded, codeOf } from '../lib/errors.ts'
import { shortHash } from '../lib/hash.ts'
import { tool } from '../lib/tool.ts'

export const configSchema = z.object({
  /** of the vector store */
  collection: z.string().min(3).default('memory'),
  text_chars_max: z.number().int().positive().default(8_000),
  /** memories that are less like the question are left out */
  score_min: z.number().min(0).max(1).default(0.1),
})

type Config = z.infer<typeof configSchema>

const RECALLED_MAX = 50
const TAG = 'tag:'

const textSchema = z.string().trim().min(1)
const tagsSchema = z
  .array(z.string().trim().toLowerCase().min(1).max(64))
  .max(16)
  .transform((tags) => [...new Set(tags)].sort())
const limitSchema = z.number().int().min(1).max(RECALLED_MAX)

export class Module implements MemoryApi {
  static readonly needs = ['chromadb']
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #store: Handle<VectorStoreApi>

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#store = kernel.getApi<VectorStoreApi>('chromadb')
  }

  async remember(given: string, givenTags: string[] = []): Promise<{ id: string; known: boolean }> {
    const text = this.#read(textSchema, given, 'the text')
    const tags = this.#read(tagsSchema, givenTags, 'tags')
    if (text.length > this.#config.text_chars_max)
      throw coded('vector_limit', { what: 'a memory (in characters)', limit: this.#config.text_chars_max })
    const name = await this.#collection()
    const id = shortHash(text)
    const metadata: Metadata = { remembered_at: this.#kernel.clock.now() }
    for (const tag of tags) metadata[TAG + tag] = true
    try {
      await this.#store.add(name, { ids: [id], documents: [text], metadatas: [metadata] })
      return { id, known: false }
    } catch (error) {
      if (codeOf(error) !== 'vector_duplicate') throw error
      await this.#store.update(name, { ids: [id], metadatas: [metadata] })
      return { id, known: true }
    }
  }

  async recall(
    given: string,
    options: { limit?: number; tags?: string[] } = {},
  ): Promise<{ memories: (Memory & { score: number })[] }> {
    const text = this.#read(textSchema, given, 'the text')
    const limit = this.#read(limitSchema, options.limit ?? 5, 'limit')
    const where = whereOf(this.#read(tagsSchema, options.tags ?? [], 'tags'))
    const name = await this.#collection()
    const query = { query_texts: [text], n_results: limit }
    const found = await this.#store.query(name, where === undefined ? query : { ...query, where })
    const memories = (found.ids[0] ?? []).map((id, at) => ({
      ...memoryOf(id, found.documents[0]?.[at], found.metadatas[0]?.[at]),
      score: Number((1 - (found.distances[0]?.[at] ?? 1)).toFixed(3)),
    }))
    return { memories: memories.filter((one) => one.score >= this.#config.score_min) }
  }

  async forget(given: string): Promise<{ forgotten: boolean }> {
    const id = this.#read(textSchema, given, 'the id')
    const name = await this.#collection()
    const { ids } = await this.#store.get(name, { ids: [id] })
    if (ids.length > 0) await this.#store.delete(name, { ids: [id] })
    return { forgotten: ids.length > 0 }
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    return {
      remember: tool({
        description: 'Remember a fact for later conversations. Write it as a whole sentence that stands by itself.',
        params: z.object({ text: textSchema, tags: z.array(z.string()).optional() }),
        run: ({ text, tags }) => this.remember(text, tags),
      }),
      recall: tool({
        description:
          'Recall what you know about something from earlier conversations, best match first (score 1 is equal).',
        params: z.object({
          text: textSchema.describe('what it is about'),
          tags: z.array(z.string()).optional().describe('only memories with all of these tags'),
          limit: limitSchema.default(5),
        }),
        read_only: true,
        run: ({ text, tags, limit }) => this.recall(text, tags === undefined ? { limit } : { limit, tags }),
      }),
      forget: tool({
        description: 'Forget one memory, by the id that recall gave.',
        params: z.object({ id: z.string() }),
        run: ({ id }) => this.forget(id),
      }),
    }
  }

  /** Made when it is first used: a store that was emptied meanwhile is no error. */
  async #collection(): Promise<string> {
    const { collection } = this.#config
    await this.#store.get_or_create_collection(collection)
    return collection
  }

  #read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
    const read = schema.safeParse(value)
    if (read.success) return read.data
    throw coded('bad_arguments', { reason: `${what}: ${read.error.issues[0]?.message ?? ''}`, api: this.#kernel.api })
  }
}

function whereOf(tags: readonly string[]): Where | undefined {
  return tags.length === 0 ? undefined : { $and: tags.map((tag) => ({ [TAG + tag]: true })) }
}

function memoryOf(id: string, text: string | null | undefined, metadata: Metadata | null | undefined): Memory {
  const tags = Object.keys(metadata ?? {}).filter((key) => key.startsWith(TAG))
  return {
    id,
    text: text ?? '',
    tags: tags.map((key) => key.slice(TAG.length)).sort(),
    remembered_at: Number(metadata?.['remembered_at'] ?? 0),
  }
}
