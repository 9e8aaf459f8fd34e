/** The vector store on a real Chroma server: the suite of the embedded one, and a server that dies, hangs and comes back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { MemoryApi, VectorStoreApi } from '../../modules/contracts/services.ts'
import { vectorStoreConformance } from '../conformance/vector-store.ts'
import { ChromaProcess, hasChroma, ownsChroma } from '../support/chroma.ts'
import { createRoot } from '../support/root.ts'
import { rejection, startSystem } from '../support/system.ts'

let chroma: ChromaProcess
beforeAll(async () => {
  if (hasChroma) chroma = await ChromaProcess.start()
})
afterAll(() => chroma?.dispose())

describe.skipIf(!hasChroma)('a real Chroma server', () =>
  vectorStoreConformance({ mode: 'http', config: () => chroma.config }),
)

describe.skipIf(!ownsChroma)('a Chroma server that goes away', () => {
  const start = async (more = '') => {
    const root = createRoot({
      'configs/chromadb.yml': `prog: services/chromadb\n${chroma.config}${more}`,
      'configs/memory.yml': 'prog: services/memory\n',
    })
    return startSystem(root)
  }

  it('is an error with its address in every method, and heals when it is back: nothing is lost', async () => {
    const system = await start()
    try {
      const store: Handle<VectorStoreApi> = system.getApi<VectorStoreApi>('chromadb')
      const memory = system.getApi<MemoryApi>('memory')
      await store.get_or_create_collection('kept-over-a-kill')
      await store.add('kept-over-a-kill', { ids: ['a', 'b'], documents: ['red apples', 'blue whales'] })
      await memory.remember('The spare key is under the mat.')
      await chroma.kill()
      for (const work of [
        store.get_or_create_collection('another'),
        store.add('kept-over-a-kill', { ids: ['c'], documents: ['c'] }),
        store.update('kept-over-a-kill', { ids: ['a'], documents: ['c'] }),
        store.query('kept-over-a-kill', { query_texts: ['whale'] }),
        store.get('kept-over-a-kill'),
        store.count('kept-over-a-kill'),
        store.delete('kept-over-a-kill', { ids: ['a'] }),
        store.list_collections(),
        memory.recall('where is the key?'),
      ]) {
        const { code, message } = await rejection(work)
        expect(code).toBe('vector_server')
        expect(message).toContain(String(chroma.port))
      }
      expect((await store.describe()).note).toContain('does not answer')
      expect((await system.show('chromadb')).state).toBe('live')
      await chroma.run()
      expect((await store.query('kept-over-a-kill', { query_texts: ['whale'], n_results: 1 })).ids).toEqual([['b']])
      expect((await memory.recall('where is the key?')).memories[0]?.text).toContain('under the mat')
      expect((await store.describe()).note).toMatch(/^Chroma \d/)
    } finally {
      await system.stop()
    }
  })

  it('killed in the middle of many writes loses nothing that was acknowledged', async () => {
    const system = await start()
    try {
      const store = system.getApi<VectorStoreApi>('chromadb')
      await store.get_or_create_collection('killed-writes')
      let acknowledged = 0
      const write = async (at: number): Promise<string | undefined> => {
        const add = store.add('killed-writes', { ids: [`id ${at}`], documents: [`text ${at}`] })
        const error = await add.then(
          () => undefined,
          (thrown: { code: string }) => thrown.code,
        )
        if (error === undefined && ++acknowledged === 20) void chroma.kill()
        return error
      }
      const codes = await Promise.all(Array.from({ length: 60 }, (_, at) => write(at)))
      expect(new Set(codes)).toEqual(new Set([undefined, 'vector_server']))
      await chroma.kill()
      await chroma.run()
      const { ids } = await store.get('killed-writes')
      const promised = codes.flatMap((code, at) => (code === undefined ? [`id ${at}`] : []))
      expect(ids).toEqual(expect.arrayContaining(promised) as string[])
    } finally {
      await system.stop()
    }
  })

  it('hangs: a call ends within its time, and the service with it', async () => {
    const system = await start('timeout_ms: 300\n')
    try {
      const store = system.getApi<VectorStoreApi>('chromadb')
      await store.list_collections()
      chroma.freeze(true)
      const { code, message } = await rejection(store.list_collections())
      expect(code).toBe('vector_server')
      expect(message).toContain('300 ms')
      chroma.freeze(false)
      expect(await store.list_collections()).toContain('killed-writes')
    } finally {
      chroma.freeze(false)
      await system.stop()
    }
  })

  it('is not there yet at the start: the service is live all the same, and works when it comes', async () => {
    await chroma.kill()
    const system = await start()
    try {
      const store = system.getApi<VectorStoreApi>('chromadb')
      expect((await system.show('chromadb')).state).toBe('live')
      expect((await rejection(store.list_collections())).code).toBe('vector_server')
      await chroma.run()
      expect(await store.list_collections()).toContain('kept-over-a-kill')
      expect((await system.getApi<MemoryApi>('memory').recall('spare key')).memories).toHaveLength(1)
    } finally {
      await system.stop()
    }
  })
})

describe.skipIf(!hasChroma)('a collection that another program made', () => {
  it('is read, filtered and searched with its vectors; texts are refused, since nobody knows its embedder', async () => {
    const { ChromaClient } = await import('chromadb')
    const client = new ChromaClient({ host: chroma.host, port: chroma.port })
    const name = `foreign-${process.pid}`
    const foreign = await client.getOrCreateCollection({ name, embeddingFunction: null })
    await foreign.add({ ids: ['x'], documents: ['their text'], embeddings: [[1, 2, 3]], metadatas: [{ a: 1 }] })
    const system = await startSystem({ 'configs/chromadb.yml': `prog: services/chromadb\n${chroma.config}` })
    try {
      const store = system.getApi<VectorStoreApi>('chromadb')
      expect(await store.get_or_create_collection(name)).toEqual({ name, metadata: null })
      expect((await store.get(name, { where: { a: 1 } })).documents).toEqual(['their text'])
      expect((await store.query(name, { query_embeddings: [[1, 2, 3]] })).ids).toEqual([['x']])
      expect(await rejection(store.query(name, { query_texts: ['text'] }))).toMatchObject({
        code: 'embedder_mismatch',
        message: expect.stringContaining('another program') as string,
      })
      // Deleted and made anew behind the service's back: it follows.
      await client.deleteCollection({ name })
      await client.createCollection({ name, embeddingFunction: null })
      expect(await store.count(name)).toBe(0)
      await store.add(name, { ids: ['y'], documents: ['ours'] })
      expect((await store.query(name, { query_texts: ['ours'] })).ids).toEqual([['y']])
    } finally {
      await client.deleteCollection({ name })
      await system.stop()
    }
  })
})
