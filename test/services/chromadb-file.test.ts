/** The file of the embedded vector store: how it is searched, and what it outlives. */
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { VectorStoreApi } from '../../modules/contracts/services.ts'
import { SmallDisk } from '../support/disk.ts'
import { createRoot, type TestRoot } from '../support/root.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const CONFIG = 'prog: services/chromadb\n'
const SCAN = `${CONFIG}extension: false\n`

let system: TestSystem
let store: Handle<VectorStoreApi>
let root: TestRoot

async function start(config = CONFIG, files: Record<string, string> = {}): Promise<void> {
  root = createRoot({ 'configs/chromadb.yml': config, ...files })
  await startOn()
}

async function startOn(): Promise<void> {
  system = await startSystem(root)
  store = system.getApi<VectorStoreApi>('chromadb')
}

afterEach(() => system.stop())

const someTexts = (count: number): { ids: string[]; documents: string[] } => {
  const ids = Array.from({ length: count }, (_, at) => `id ${at}`)
  return { ids, documents: ids.map((id, at) => `${id} is text ${at % 7} about thing ${at % 11}`) }
}

describe('a search', () => {
  it('says how it is done, and finds the same with the extension and without', async () => {
    await start()
    expect((await store.describe()).note).toBe('runtime/chroma_data/vectors.db, searched by sqlite-vec')
    await store.get_or_create_collection('texts')
    await store.add('texts', someTexts(300))
    const query = { query_texts: ['id 38 is text 3 about thing 5', 'id 17'], n_results: 20 }
    const before = await store.query('texts', query)
    root.write('configs/chromadb.yml', SCAN)
    await system.live('chromadb', 2)
    expect((await store.describe()).note).toContain('searched by a plain scan')
    const after = await store.query('texts', query)
    expect(after.ids).toEqual(before.ids)
    for (const [at, list] of before.distances.entries())
      for (const [place, distance] of list.entries()) expect(after.distances[at]?.[place]).toBeCloseTo(distance, 5)
  })
})

describe('the file', () => {
  it('is there after a restart, with its metadata, its embedder and its vectors', async () => {
    await start()
    await store.get_or_create_collection('texts', { about: 'things' })
    await store.add('texts', { ...someTexts(3), metadatas: [{ a: 1 }, { a: 2 }, { a: 3 }] })
    const before = await store.query('texts', { query_texts: ['id 2'], n_results: 3 })
    await system.kernel.stop('test', 2_000)
    await startOn()
    expect(await store.get_or_create_collection('texts')).toEqual({ name: 'texts', metadata: { about: 'things' } })
    expect(await store.query('texts', { query_texts: ['id 2'], n_results: 3 })).toEqual(before)
    const given = { ids: ['b'], documents: ['b'], embeddings: [[1, 2]] }
    expect((await rejection(store.add('texts', given))).code).toBe('embedder_mismatch')
  })

  it('stands under runtime/, wherever the config says', async () => {
    await start(`${CONFIG}path: ../outside\n`)
    const { last_error: error } = await system.show('chromadb')
    expect(error?.message ?? (await system.show('chromadb')).state).toContain('path_outside')
    root.write('configs/chromadb.yml', `${CONFIG}path: deep/er\n`)
    await system.live('chromadb')
    await store.get_or_create_collection('texts')
    expect((await store.describe()).note).toContain('runtime/deep/er/vectors.db')
  })

  it('holds as many collections and records as the config says', async () => {
    await start(`${CONFIG}records_max: 3\ncollections_max: 2\n`)
    await store.get_or_create_collection('one')
    await store.get_or_create_collection('two')
    expect((await rejection(store.get_or_create_collection('three'))).code).toBe('vector_limit')
    await store.get_or_create_collection('one')
    await store.add('one', someTexts(3))
    expect((await rejection(store.add('one', { ids: ['x'], documents: ['x'] }))).code).toBe('vector_limit')
    await store.add('two', someTexts(1))
  })
})

describe.skipIf(!SmallDisk.possible)('a full disk', () => {
  it('is told as one, loses nothing, and heals by itself', async () => {
    root = createRoot({ 'configs/chromadb.yml': `${CONFIG}batch_max: 50\n` })
    const disk = SmallDisk.mount(join(root.path, 'runtime'), 8_192)
    try {
      await startOn()
      await store.get_or_create_collection('texts')
      await store.add('texts', { ids: ['kept'], documents: ['this stays'] })
      disk.keepFull()
      const documents = Array.from({ length: 50 }, () => 'x'.repeat(20_000))
      const big = { ids: documents.map((_, at) => `id ${at}`), documents }
      expect(await rejection(store.add('texts', big))).toMatchObject({ code: 'disk_full' })
      expect((await store.query('texts', { query_texts: ['this stays'], n_results: 1 })).ids).toEqual([['kept']])
      expect(await store.count('texts')).toBe(1)
      disk.empty()
      await store.add('texts', big)
      expect(await store.count('texts')).toBe(51)
    } finally {
      disk.empty()
      await system.kernel.stop('test', 2_000)
      disk.unmount()
    }
  })
})
