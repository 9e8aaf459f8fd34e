/**
 * The service `chromadb`: collections of documents that are found by likeness. With `http_mode` it speaks to a Chroma
 * server; without, it keeps a file under runtime/ and needs none. Callers cannot tell which: names, shapes, filters,
 * distances (cosine) and errors are the same. Vectors are made here, by one embedder a collection.
 */
import { isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import type { KernelApi } from '../../contracts/module.ts'
import type { EmbeddingApi, Metadata, VectorStoreApi, Where } from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import { needPackage } from '../../lib/need-package.ts'
import { checkName, checkRecords, checkResults, checkVectors, readShape, shapes } from './checks.ts'
import { EmbeddedStore, openEmbedded } from './embedded.ts'
import { serviceEmbedder, type Embedder } from './embedder.ts'
import { ChromaStore } from './http.ts'
import { lexicalEmbedder } from './lexical.ts'
import { keptMetadata, type FoundRecord, type VectorStore } from './store.ts'
import { vectorTools } from './tools.ts'
import { readWhere } from './where.ts'

const positive = z.number().int().positive()

export const configSchema = z.object({
  http_mode: z.boolean().default(false),
  host: z.string().min(1).default('127.0.0.1'),
  port: positive.max(65_535).default(8000),
  ssl: z.boolean().default(false),
  tenant: z.string().optional(),
  database: z.string().optional(),
  /** as `secret:chroma` */
  token: z.string().optional(),
  /** for each request to the server */
  timeout_ms: positive.default(10_000),
  /** folder of the embedded store, under runtime/ */
  path: z.string().min(1).default('chroma_data'),
  /** `lexical`, or the api of an inference service that makes vectors */
  embedder: z.string().min(1).default('lexical'),
  /** search with sqlite-vec where it can be loaded */
  extension: z.boolean().default(true),
  batch_max: positive.default(1_000),
  results_max: positive.default(1_000),
  records_max: positive.default(100_000),
  collections_max: positive.default(1_000),
  document_bytes_max: positive.default(65_536),
  metadata_bytes_max: positive.default(16_384),
  dimension_max: positive.default(4_096),
  /** texts of one request to the inference service */
  embed_batch: positive.default(64),
  /** how long a statement waits for another process's lock */
  busy_ms: z.number().int().nonnegative().default(5_000),
})

type Config = z.infer<typeof configSchema>

/** Vectors that a caller brought, and nobody knows from where. */
const GIVEN = 'the caller'

export class Module implements VectorStoreApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #embedder: Embedder
  #store: VectorStore | undefined

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    const { embedder: name, embed_batch: batch } = config
    this.#embedder =
      name === 'lexical' ? lexicalEmbedder : serviceEmbedder(name, kernel.getApi<EmbeddingApi>(name), batch)
  }

  async init(): Promise<void> {
    this.#store = await this.#openStore()
  }

  #openStore(): Promise<VectorStore> {
    return this.#config.http_mode ? this.#openServer() : this.#openFile()
  }

  /** Goes live whether the server answers or not: a server that comes later needs no restart of anything. */
  async #openServer(): Promise<VectorStore> {
    const { host, port, ssl, tenant, database, token, timeout_ms: timeoutMs } = this.#config
    const why = '`http_mode` speaks to a Chroma server through it'
    const { ChromaClient } = await needPackage(this.#kernel, () => import('chromadb'), 'chromadb@3.5.0', why)
    const url = `${ssl ? 'https' : 'http'}://${host}:${port}`
    const client = new ChromaClient({
      host,
      port,
      ssl,
      ...(tenant === undefined ? {} : { tenant }),
      ...(database === undefined ? {} : { database }),
      ...(token === undefined ? {} : { headers: { 'x-chroma-token': token } }),
    })
    const writing = await this.#kernel.hold(
      `writes to ${url}`,
      () => new Map<string, Promise<unknown>>(),
      () => undefined,
    )
    return new ChromaStore({ client, url, timeoutMs, writing, sleep: (ms, signal) => this.#kernel.sleep(ms, signal) })
  }

  async #openFile(): Promise<VectorStore> {
    const config = this.#config
    const { runtime } = this.#kernel.paths
    const folder = resolve(runtime, config.path)
    if (isAbsolute(config.path) || !folder.startsWith(`${runtime}/`)) throw coded('path_outside', { path: config.path })
    const options = {
      file: join(folder, 'vectors.db'),
      shown: `runtime/${config.path}/vectors.db`,
      busyMs: config.busy_ms,
      recordsMax: config.records_max,
      collectionsMax: config.collections_max,
      extension: config.extension,
    }
    const file = await this.#kernel.hold(
      `vectors ${options.file} ${options.busyMs} ${options.extension}`,
      () => openEmbedded(options),
      ({ connection }) => connection.close(),
    )
    return new EmbeddedStore(file, options)
  }

  async describe(): Promise<{ mode: 'http' | 'embedded'; embedder: string; note: string }> {
    const store = this.#open()
    return { mode: store.mode, embedder: `${this.#config.embedder} (${this.#embedder.note})`, note: await store.note() }
  }

  async get_or_create_collection(
    name: string,
    metadata?: Metadata,
  ): Promise<{ name: string; metadata: Metadata | null }> {
    checkName(name)
    const given = readShape(shapes.metadata, metadata, this.#kernel.api, 'get_or_create_collection')
    const { metadata: kept } = await this.#open().open(name, keptMetadata(given))
    return { name, metadata: kept }
  }

  async add(name: string, records: Parameters<VectorStoreApi['add']>[1]): Promise<void> {
    checkName(name)
    const { api } = this.#kernel
    const given = readShape(shapes.add, records, api, 'add')
    checkRecords(given, this.#config, api)
    const store = this.#open()
    // An unknown collection is not worth a call to a model.
    await store.find(name)
    const { maker, vectors } = await this.#vectors(given.documents, given.embeddings)
    const all = given.ids.map((id, at) => ({
      id,
      document: given.documents[at] as string,
      metadata: keptMetadata(given.metadatas?.[at]),
      embedding: vectors[at] as number[],
    }))
    await store.add(name, maker, all)
  }

  async update(name: string, records: Parameters<VectorStoreApi['update']>[1]): Promise<void> {
    checkName(name)
    const { api } = this.#kernel
    const given = readShape(shapes.update, records, api, 'update')
    checkRecords(given, this.#config, api)
    const { documents, embeddings } = given
    const store = this.#open()
    await store.find(name)
    const renewed = documents === undefined && embeddings === undefined
    const made = renewed ? undefined : await this.#vectors(documents ?? [], embeddings)
    const all = given.ids.map((id, at) => ({
      id,
      ...(documents === undefined ? {} : { document: documents[at] as string }),
      ...(given.metadatas === undefined ? {} : { metadata: given.metadatas[at] as Metadata }),
      ...(made === undefined ? {} : { embedding: made.vectors[at] as number[] }),
    }))
    await store.update(name, made?.maker, all)
  }

  async query(name: string, query: Parameters<VectorStoreApi['query']>[1]): ReturnType<VectorStoreApi['query']> {
    checkName(name)
    const { api } = this.#kernel
    const {
      query_texts: texts,
      query_embeddings: given,
      n_results,
      where,
    } = readShape(shapes.query, query, api, 'query')
    if ((texts === undefined) === (given === undefined))
      throw coded('bad_arguments', { reason: 'query() takes query_texts or query_embeddings', api })
    const filter = readWhere(where)
    checkResults(n_results * (texts ?? given ?? []).length, this.#config)
    checkVectors(given, this.#config, api)
    const store = this.#open()
    await store.find(name)
    const made = texts === undefined ? { maker: {}, vectors: given ?? [] } : await this.#vectors(texts, undefined)
    const found = await Promise.all(made.vectors.map((one) => store.query(name, made.maker, one, n_results, filter)))
    return {
      ids: found.map((hits) => hits.map((hit) => hit.id)),
      documents: found.map((hits) => hits.map((hit) => hit.document)),
      metadatas: found.map((hits) => hits.map((hit) => hit.metadata)),
      distances: found.map((hits) => hits.map((hit) => hit.distance)),
    }
  }

  async get(name: string, query: Parameters<VectorStoreApi['get']>[1] = {}): ReturnType<VectorStoreApi['get']> {
    checkName(name)
    const { ids, where, limit, offset } = readShape(shapes.get, query, this.#kernel.api, 'get')
    const { results_max: max } = this.#config
    checkResults(limit ?? 0, this.#config)
    // Without a limit all is asked for: more than can be given is an error, not a part that looks like the whole.
    const found = await this.#open().get(name, { ids, filter: readWhere(where) }, limit ?? max + 1, offset)
    checkResults(found.length, this.#config)
    return columns(found)
  }

  async delete(name: string, what: { ids?: string[]; where?: Where }): Promise<void> {
    checkName(name)
    const { ids, where } = readShape(shapes.delete, what, this.#kernel.api, 'delete')
    if (ids === undefined && where === undefined)
      throw coded('bad_arguments', { reason: 'delete() takes ids, where or both', api: this.#kernel.api })
    await this.#open().delete(name, { ids, filter: readWhere(where) })
  }

  async count(name: string): Promise<number> {
    checkName(name)
    return this.#open().count(name)
  }

  async list_collections(): Promise<string[]> {
    return this.#open().list()
  }

  async delete_collection(name: string): Promise<void> {
    checkName(name)
    await this.#open().drop(name)
  }

  getAspect(name: string): object | undefined {
    return name === 'tool' ? vectorTools(this) : undefined
  }

  async #vectors(
    texts: readonly string[],
    given: number[][] | undefined,
  ): Promise<{ maker: { embedder: string; dimension: number }; vectors: number[][] }> {
    const { embedder, vectors } =
      given === undefined ? await this.#embedder.embed(texts) : { embedder: GIVEN, vectors: given }
    checkVectors(vectors, this.#config, this.#kernel.api)
    return { maker: { embedder, dimension: vectors[0]?.length ?? 0 }, vectors }
  }

  #open(): VectorStore {
    if (this.#store === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    return this.#store
  }
}

const columns = (found: readonly FoundRecord[]): Awaited<ReturnType<VectorStoreApi['get']>> => ({
  ids: found.map((one) => one.id),
  documents: found.map((one) => one.document),
  metadatas: found.map((one) => one.metadata),
})
