/** What keeps things for others, as its callers see it: the vector store, memory, packages. Read it through `services.ts`. */

export type Metadata = Record<string, string | number | boolean | null>

/** Chroma's operators: `{key: value}`, `{key: {$gt: 1}}`, `$and`, `$or`, `$in`, … */
export type Where = Record<string, unknown>

/** The paper's vector store, addressed by the collection's name. Lists are parallel, as in Chroma. */
export interface VectorStoreApi {
  describe(): Promise<{ mode: 'http' | 'embedded'; embedder: string; note: string }>
  get_or_create_collection(name: string, metadata?: Metadata): Promise<{ name: string; metadata: Metadata | null }>
  add(
    name: string,
    records: { ids: string[]; documents: string[]; metadatas?: Metadata[]; embeddings?: number[][] },
  ): Promise<void>
  /** Changes what is there; ids that are not there are an error. */
  update(
    name: string,
    records: { ids: string[]; documents?: string[]; metadatas?: Metadata[]; embeddings?: number[][] },
  ): Promise<void>
  query(
    name: string,
    query: { query_texts?: string[]; query_embeddings?: number[][]; n_results?: number; where?: Where },
  ): Promise<{
    ids: string[][]
    documents: (string | null)[][]
    metadatas: (Metadata | null)[][]
    distances: number[][]
  }>
  get(
    name: string,
    query?: { ids?: string[]; where?: Where; limit?: number; offset?: number },
  ): Promise<{ ids: string[]; documents: (string | null)[]; metadatas: (Metadata | null)[] }>
  delete(name: string, what: { ids?: string[]; where?: Where }): Promise<void>
  count(name: string): Promise<number>
  list_collections(): Promise<string[]>
  delete_collection(name: string): Promise<void>
}

/** The tools for clients of the Model Context Protocol; called by the service `http` for `/mcp`. */
export interface McpApi {
  /** `operator`: the request carried the system's own token. Never rejects: refusals are responses. */
  handle(request: Request, operator: boolean): Promise<Response>
}

export interface Memory {
  id: string
  text: string
  tags: string[]
  /** epoch milliseconds */
  remembered_at: number
}

/** What is to be known in later conversations; found by likeness, in whatever the vector store keeps it. */
export interface MemoryApi {
  /** The same text again is the same memory: its tags are added, and `known` is true. */
  remember(text: string, tags?: string[]): Promise<{ id: string; known: boolean }>
  /** Best first; a score of 1 is equal. With tags: only what has all of them. */
  recall(
    text: string,
    options?: { limit?: number; tags?: string[] },
  ): Promise<{ memories: (Memory & { score: number })[] }>
  forget(id: string): Promise<{ forgotten: boolean }>
}

export interface PackageRequest {
  /** `name@version` */
  id: string
  name: string
  version: string
  reason: string
  /** the services that asked, and start when it is there */
  requested_by: string[]
  state: 'pending' | 'confirmed' | 'installed' | 'denied' | 'failed' | 'removed'
  /** epoch milliseconds */
  requested_at: number
  decided_at: number | null
  /** of the tarball, as npm checked it; null until it is installed */
  integrity: string | null
  /** why it failed */
  error: string | null
}

/** Packages from npm, installed into `runtime/packages/` when a person has said yes. */
export interface PackagesApi {
  /** Asks for one exact version. The same again is the same request; one that was denied stays denied. */
  request(name: string, version: string, reason: string, requested_by?: string): PackageRequest
  list(): { packages: PackageRequest[] }
  /** An operator's word: `token` is the one in `runtime/token`. Returns at once; the install goes on by itself. */
  confirm(id: string, token: string): PackageRequest
  deny(id: string, token: string): PackageRequest
  remove(id: string, token: string): Promise<PackageRequest>
}
