/** The tools of the vector store: what a model may do with collections. Deleting is left to modules and people. */
import { z } from 'zod'
import type { Metadata, VectorStoreApi } from '../../contracts/services.ts'
import type { Tool } from '../../contracts/tool.ts'
import { tool } from '../../lib/tool.ts'

const collection = z.string().describe('name of the collection')
const where = z
  .record(z.string(), z.unknown())
  .optional()
  .describe('filter on metadata, as {"year": {"$gt": 2020}}; join several with {"$and": [...]} or {"$or": [...]}')
const metadata = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))

interface ToolRecord {
  id: string
  document: string | null
  metadata: Metadata | null
}

export function vectorTools(store: VectorStoreApi): object {
  return {
    search: searchTool(store),
    get: getTool(store),
    add: tool({
      description: 'Add one document to a collection, which is made when it is not there.',
      params: z.object({ collection, id: z.string(), document: z.string(), metadata: metadata.optional() }),
      run: async (given) => {
        await store.get_or_create_collection(given.collection)
        const metadatas = given.metadata ? { metadatas: [given.metadata] } : {}
        await store.add(given.collection, { ids: [given.id], documents: [given.document], ...metadatas })
        return { added: given.id }
      },
    }),
    collections: tool({
      description:
        'List the collections of the vector store with their number of documents, and what makes its vectors.',
      params: z.object({}),
      read_only: true,
      run: async () => {
        const names = await store.list_collections()
        const counts = await Promise.all(names.map((name) => store.count(name)))
        const { embedder } = await store.describe()
        return { collections: names.map((name, at) => ({ name, documents: counts[at] ?? 0 })), embedder }
      },
    }),
  }
}

const searchTool = (store: VectorStoreApi): Tool =>
  tool({
    description: 'Find the documents of a collection that are most like a text, nearest first (distance 0 is equal).',
    params: z.object({ collection, text: z.string(), limit: z.number().int().min(1).max(50).default(5), where }),
    read_only: true,
    run: async (given) => {
      const query = { query_texts: [given.text], n_results: given.limit }
      const found = await store.query(given.collection, given.where ? { ...query, where: given.where } : query)
      const [ids = [], documents = [], metadatas = [], distances = []] = [
        found.ids[0],
        found.documents[0],
        found.metadatas[0],
        found.distances[0],
      ]
      const results = ids.map((id, at) => ({
        id,
        document: documents[at] ?? null,
        metadata: metadatas[at] ?? null,
        distance: Number((distances[at] ?? 0).toFixed(4)),
      }))
      return { results }
    },
  })

const getTool = (store: VectorStoreApi): Tool =>
  tool({
    description: 'Read documents of a collection by id or by metadata, in the order they were added.',
    params: z.object({
      collection,
      ids: z.array(z.string()).optional(),
      where,
      limit: z.number().int().min(1).max(100).default(20),
      offset: z.number().int().nonnegative().default(0),
    }),
    read_only: true,
    run: async ({ collection: name, ids, where: filter, limit, offset }) => {
      const query = { limit, offset, ...(ids ? { ids } : {}), ...(filter ? { where: filter } : {}) }
      const found = await store.get(name, query)
      const records: ToolRecord[] = found.ids.map((id, at) => ({
        id,
        document: found.documents[at] ?? null,
        metadata: found.metadatas[at] ?? null,
      }))
      return { records }
    },
  })
