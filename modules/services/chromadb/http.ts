/**
 * The vector store that is a Chroma server, through the `chromadb` package. The server keeps no note of who made its
 * vectors and passes over ids in silence: both are added here, the first as metadata of the collection, the second by
 * looking before writing, one writer a collection. Calls do not wait for a server that is away; they say so.
 */
import type { ChromaClient, Collection as ChromaCollection } from 'chromadb'
import type { Metadata } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import { chromaFailure } from './chroma-failure.ts'
import { chromaWhere } from './chroma-where.ts'
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

const EMBEDDER = 'mm:embedder'
const DIMENSION = 'mm:dimension'
const LISTED = 500
const DIGITS = 6

export interface ChromaOptions {
  client: ChromaClient
  url: string
  timeoutMs: number
  /** rejects when `signal` aborts */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** the last write under way for each collection; shared by the versions of the service */
  writing: Map<string, Promise<unknown>>
}

interface Known {
  handle: ChromaCollection
  maker: Maker | undefined
}

export class ChromaStore implements VectorStore {
  readonly mode = 'http'
  readonly #options: ChromaOptions
  readonly #known = new Map<string, Known>()

  constructor(options: ChromaOptions) {
    this.#options = options
  }

  async note(): Promise<string> {
    const { client, url } = this.#options
    try {
      return `Chroma ${await this.#ask('', () => client.version())} at ${url}`
    } catch (error) {
      return (error as Error).message
    }
  }

  async open(name: string, metadata: Metadata | null): Promise<Collection> {
    const found = await this.find(name).catch((error: { code?: string }) => {
      if (error.code === 'collection_missing') return undefined
      throw error
    })
    if (found !== undefined) return found
    await this.#ask(name, () =>
      this.#options.client.getOrCreateCollection({
        name,
        ...(metadata === null ? {} : { metadata }),
        embeddingFunction: null,
        configuration: { hnsw: { space: 'cosine' } },
      }),
    )
    return this.find(name)
  }

  /** Asked of the server each time: others may have made it, changed it or deleted it. */
  find(name: string): Promise<Collection> {
    return this.#ask(name, async () => {
      this.#known.delete(name)
      const { handle, maker } = await this.#get(name)
      const own = Object.entries(handle.metadata ?? {}).filter(([key]) => key !== EMBEDDER && key !== DIMENSION)
      return { name, metadata: keptMetadata(Object.fromEntries(own) as Metadata), maker }
    })
  }

  add(name: string, maker: Maker, records: readonly NewRecord[]): Promise<void> {
    return this.#write(name, async ({ handle, maker: made }) => {
      checkMaker({ name, maker: made }, maker)
      const ids = records.map((one) => one.id)
      const there = await this.#present(handle, ids)
      if (there.length > 0) throw coded('vector_duplicate', { name, ids: there.slice(0, 5).join(', ') })
      if (made === undefined) {
        await handle.modify({
          metadata: { ...handle.metadata, [EMBEDDER]: maker.embedder, [DIMENSION]: maker.dimension },
        })
        this.#known.delete(name)
      }
      await handle.add({
        ids,
        documents: records.map((one) => one.document),
        embeddings: records.map((one) => [...one.embedding]),
        ...(records.some((one) => one.metadata !== null) ? { metadatas: records.map(metadataFor) } : {}),
      })
    })
  }

  update(name: string, maker: Maker | undefined, records: readonly ChangedRecord[]): Promise<void> {
    return this.#write(name, async ({ handle, maker: made }) => {
      if (maker !== undefined) checkMaker({ name, maker: made }, maker)
      const ids = records.map((one) => one.id)
      const there = new Set(await this.#present(handle, ids))
      const absent = ids.filter((id) => !there.has(id))
      if (absent.length > 0) throw coded('vector_missing', { name, ids: absent.slice(0, 5).join(', ') })
      const [first] = records
      await handle.update({
        ids,
        ...(first?.document === undefined ? {} : { documents: records.map((one) => one.document ?? '') }),
        ...(first?.metadata === undefined ? {} : { metadatas: records.map(metadataFor) }),
        ...(first?.embedding === undefined ? {} : { embeddings: records.map((one) => [...(one.embedding ?? [])]) }),
      })
    })
  }

  query(
    name: string,
    maker: Partial<Maker>,
    embedding: readonly number[],
    limit: number,
    filter: Filter | undefined,
  ): Promise<Hit[]> {
    return this.#read(name, async ({ handle, maker: made }) => {
      checkMaker({ name, maker: made }, { embedder: maker.embedder, dimension: embedding.length })
      // An empty collection has no length of vectors yet, and answers as one that finds nothing.
      if (made === undefined) return []
      const found = await handle.query({
        queryEmbeddings: [[...embedding]],
        nResults: limit,
        include: ['documents', 'metadatas', 'distances'],
        ...(filter === undefined ? {} : { where: chromaWhere(filter) }),
      })
      return (found.ids[0] ?? []).map((id, at) => ({
        id,
        document: found.documents[0]?.[at] ?? null,
        metadata: (found.metadatas[0]?.[at] ?? null) as Metadata | null,
        distance: Math.max(0, Number((found.distances[0]?.[at] ?? 1).toFixed(DIGITS))),
      }))
    })
  }

  get(name: string, selection: Selection, limit: number, offset: number): Promise<FoundRecord[]> {
    return this.#read(name, async ({ handle }) => {
      const found = await handle.get({ ...select(selection), limit, offset, include: ['documents', 'metadatas'] })
      return found.ids.map((id, at) => ({
        id,
        document: found.documents[at] ?? null,
        metadata: (found.metadatas[at] ?? null) as Metadata | null,
      }))
    })
  }

  delete(name: string, selection: Selection): Promise<void> {
    return this.#write(name, async ({ handle }) => {
      await handle.delete(select(selection))
    })
  }

  count(name: string): Promise<number> {
    return this.#read(name, ({ handle }) => handle.count())
  }

  async list(): Promise<string[]> {
    const names: string[] = []
    for (let found = LISTED; found === LISTED; ) {
      const page = { limit: LISTED, offset: names.length }
      const collections = await this.#ask('', () => this.#options.client.listCollections(page))
      names.push(...collections.map((one) => one.name))
      found = collections.length
    }
    return names.sort()
  }

  async drop(name: string): Promise<void> {
    this.#known.delete(name)
    await this.#ask(name, () => this.#options.client.deleteCollection({ name }))
  }

  /** With what is known of the collection; once more with what the server says, when it has become another one. */
  async #read<T>(name: string, work: (known: Known) => Promise<T>): Promise<T> {
    const before = this.#known.get(name)
    const ask = (): Promise<T> => this.#ask(name, async () => work(await this.#get(name)))
    try {
      return await ask()
    } catch (error) {
      if (before === undefined || (error as { code?: string }).code !== 'collection_missing') throw error
      this.#known.delete(name)
      return ask()
    }
  }

  /** One at a time for each collection, in the order they were asked for. */
  #write<T>(name: string, work: (known: Known) => Promise<T>): Promise<T> {
    const { writing } = this.#options
    const before = writing.get(name) ?? Promise.resolve()
    const mine = before.then(() => this.#read(name, work))
    const settled = mine.then(
      () => undefined,
      () => undefined,
    )
    writing.set(name, settled)
    void settled.then(() => {
      if (writing.get(name) === settled) writing.delete(name)
    })
    return mine
  }

  async #get(name: string): Promise<Known> {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const handle = await this.#options.client.getCollection({ name, embeddingFunction: null } as never)
    const maker = await makerOf(handle)
    // While nobody has made vectors, somebody else may do so first: ask again next time.
    if (maker !== undefined) this.#known.set(name, { handle, maker })
    return { handle, maker }
  }

  async #present(handle: ChromaCollection, ids: string[]): Promise<string[]> {
    return (await handle.get({ ids, include: [] })).ids
  }

  /** Every way to the server: within the time, and with failures told in our codes. */
  async #ask<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { url, timeoutMs, sleep } = this.#options
    const done = new AbortController()
    const late = sleep(timeoutMs, done.signal).then(
      () => Promise.reject(coded('vector_server', { url, reason: `no answer within ${timeoutMs} ms` })),
      () => new Promise<never>(() => {}),
    )
    try {
      return await Promise.race([work(), late])
    } catch (error) {
      throw chromaFailure(error, url, name)
    } finally {
      done.abort()
    }
  }
}

/** Noted by this service; a collection that others filled was made by others, and its vectors have a length all the same. */
async function makerOf(handle: ChromaCollection): Promise<Maker | undefined> {
  const { [EMBEDDER]: embedder, [DIMENSION]: dimension } = handle.metadata ?? {}
  if (typeof embedder === 'string') return { embedder, dimension: Number(dimension) }
  const { embeddings } = await handle.get({ limit: 1, include: ['embeddings'] })
  const [first] = embeddings
  return first === undefined ? undefined : { embedder: 'another program', dimension: first.length }
}

const metadataFor = ({ metadata }: { metadata?: Metadata | null }): Metadata =>
  // The package's types know no record without metadata; the server does.
  metadata === undefined || metadata === null || Object.keys(metadata).length === 0
    ? (null as unknown as Metadata)
    : metadata

const select = ({ ids, filter }: Selection): { ids?: string[]; where?: ReturnType<typeof chromaWhere> } => ({
  ...(ids === undefined ? {} : { ids: [...ids] }),
  ...(filter === undefined ? {} : { where: chromaWhere(filter) }),
})
