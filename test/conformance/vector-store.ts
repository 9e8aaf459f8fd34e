/**
 * What a caller may expect of the vector store, wherever it keeps its vectors. Run on the embedded file, searched by
 * sqlite-vec and by the plain scan, and on a real Chroma server: one suite, so that nothing but the store differs.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { VectorStoreApi, Where } from '../../modules/contracts/services.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'
import { codeOf, POINTS, recordsConformance } from './vector-store-records.ts'

export interface StoreUnderTest {
  mode: 'http' | 'embedded'
  /** lines of `configs/chromadb.yml` after `prog` */
  config(): string
}

const FOUND: [where: Where, ids: string[]][] = [
  [{ n: 3 }, ['north-east']],
  [{ n: '3' }, ['west']],
  [{ n: { $eq: 2.5 } }, ['north']],
  [{ n: { $ne: 3 } }, ['east', 'north', 'west', 'none']],
  [{ n: { $gt: 1 } }, ['north', 'north-east']],
  [{ n: { $gte: 2.5 } }, ['north', 'north-east']],
  [{ n: { $lt: 2.5 } }, ['east']],
  [{ n: { $lte: 2.5 } }, ['east', 'north']],
  [{ n: { $in: [1, 2.5] } }, ['east', 'north']],
  [{ n: { $nin: [1, 2.5] } }, ['north-east', 'west', 'none']],
  [{ t: { $in: ['x', 'z'] } }, ['east', 'north-east']],
  [{ t: { $nin: ['x'] } }, ['north', 'west', 'none']],
  [{ b: true }, ['east']],
  [{ b: { $ne: true } }, ['north', 'north-east', 'west', 'none']],
  [{ b: { $in: [false] } }, ['north']],
  [{ $and: [{ t: 'x' }, { n: { $gt: 1 } }] }, ['north-east']],
  [{ $and: [{ t: 'x' }] }, ['east', 'north-east']],
  [{ $or: [{ t: 'y' }, { $and: [{ t: 'x' }, { b: true }] }] }, ['east', 'north']],
  [{ absent: 1 }, []],
]

const REFUSED: Where[] = [
  {},
  { a: 1, b: 2 },
  { a: { $gt: 1, $lt: 2 } },
  { a: { $gt: 'text' } },
  { a: { $like: 'x' } },
  { a: null },
  { a: { $in: [] } },
  { a: { $in: [1, 'x'] } },
  { $not: [{ a: 1 }] },
  { $and: 'x' },
  { a: [1] },
  { a: { $eq: Number.NaN } },
]

export function vectorStoreConformance({ mode, config }: StoreUnderTest): void {
  let system: TestSystem
  let store: Handle<VectorStoreApi>
  let number = 0

  beforeAll(async () => {
    system = await startSystem({ 'configs/chromadb.yml': `prog: services/chromadb\n${config()}` })
    store = system.getApi<VectorStoreApi>('chromadb')
  })
  afterAll(() => system.stop())

  const fresh = async (): Promise<string> => {
    const name = `suite-${process.pid}-${++number}`
    await store.get_or_create_collection(name)
    return name
  }
  const withPoints = async (): Promise<string> => {
    const name = await fresh()
    await store.add(name, POINTS)
    return name
  }
  const bench = { store: () => store, fresh, withPoints }

  describe('collections', () => {
    it('are made once, keep their first metadata, and are listed until they are deleted', async () => {
      const name = `${await fresh()}-more`
      expect(await store.get_or_create_collection(name, { topic: 'a', n: 1 })).toEqual({
        name,
        metadata: { topic: 'a', n: 1 },
      })
      expect(await store.get_or_create_collection(name, { topic: 'b' })).toMatchObject({ metadata: { topic: 'a' } })
      expect(await store.list_collections()).toContain(name)
      await store.delete_collection(name)
      expect(await store.list_collections()).not.toContain(name)
      expect((await store.get_or_create_collection(name)).metadata).toBe(null)
      expect((await store.describe()).mode).toBe(mode)
    })

    it('that are not there are an error in every method', async () => {
      const none = 'never-made'
      const one = { ids: ['a'], documents: ['a'] }
      for (const work of [
        store.add(none, one),
        store.update(none, one),
        store.query(none, { query_texts: ['a'] }),
        store.get(none),
        store.delete(none, { ids: ['a'] }),
        store.count(none),
        store.delete_collection(none),
      ])
        expect(await codeOf(work)).toBe('collection_missing')
    })

    it('that were deleted and made again are empty, and take vectors of another length', async () => {
      const name = await withPoints()
      await store.delete_collection(name)
      await store.get_or_create_collection(name)
      expect(await store.count(name)).toBe(0)
      await store.add(name, { ids: ['a'], documents: ['a'], embeddings: [[1, 2, 3]] })
      expect(await store.count(name)).toBe(1)
    })

    it('with a name that Chroma would refuse are refused', async () => {
      for (const name of ['ab', 'a b', '-ab', 'ab.', '', 'ä-b'])
        expect(await codeOf(store.get_or_create_collection(name))).toBe('collection_name')
    })
  })

  describe('a query', () => {
    it('gives the nearest first, with cosine distances and everything that was kept', async () => {
      const name = await withPoints()
      const found = await store.query(name, { query_embeddings: [[2, 0]], n_results: 5 })
      // Two are equally far: a server may give them in any order.
      expect(found.ids[0]?.map((id) => (id === 'none' ? 'north' : id))).toEqual([
        'east',
        'north-east',
        'north',
        'north',
        'west',
      ])
      const expected = [0, 1 - Math.SQRT1_2, 1, 1, 2]
      for (const [at, distance] of (found.distances[0] ?? []).entries())
        expect(distance).toBeCloseTo(expected[at] as number, 5)
      expect(found.documents[0]?.slice(0, 2)).toEqual(['to the east', 'between them'])
      const metadata = Object.fromEntries((found.ids[0] ?? []).map((id, at) => [id, found.metadatas[0]?.[at]]))
      expect(metadata).toEqual({
        east: { n: 1, t: 'x', b: true },
        'north-east': { n: 3, t: 'x' },
        north: { n: 2.5, t: 'y', b: false },
        none: null,
        west: { n: '3' },
      })
    })

    it('takes several at once, a limit, and a filter', async () => {
      const name = await withPoints()
      const embeddings = [
        [1, 0],
        [0, 1],
      ]
      const found = await store.query(name, { query_embeddings: embeddings, n_results: 1 })
      expect(found.ids).toEqual([['east'], ['north']])
      const filtered = await store.query(name, { query_embeddings: [[1, 0]], n_results: 2, where: { n: { $gt: 1 } } })
      expect(filtered.ids).toEqual([['north-east', 'north']])
      const nothing = await store.query(name, { query_embeddings: [[1, 0]], where: { absent: 1 } })
      expect(nothing).toEqual({ ids: [[]], documents: [[]], metadatas: [[]], distances: [[]] })
    })

    it('of texts finds by the words they share, and says that it is lexical', async () => {
      const name = await fresh()
      const documents = ['the kernel reloads modules', 'a cat sleeps in the sun', 'vectors are kept in a file']
      await store.add(name, { ids: ['a', 'b', 'c'], documents })
      const found = await store.query(name, {
        query_texts: ['module hot reload kernel', 'sleeping cats'],
        n_results: 1,
      })
      expect(found.ids).toEqual([['a'], ['b']])
      expect((await store.query(name, { query_texts: [documents[2] as string] })).distances[0]?.[0]).toBeCloseTo(0, 5)
      expect((await store.describe()).embedder).toContain('lexical, not semantic')
    })

    it('of an empty collection finds nothing', async () => {
      expect((await store.query(await fresh(), { query_texts: ['anything'] })).ids).toEqual([[]])
    })
  })

  describe('a where filter', () => {
    it('finds what Chroma finds', async () => {
      const name = await withPoints()
      for (const [where, ids] of FOUND) expect([where, (await store.get(name, { where })).ids]).toEqual([where, ids])
    })

    it('that Chroma would refuse is refused, with what is wrong', async () => {
      const name = await withPoints()
      for (const where of REFUSED)
        expect([where, await codeOf(store.get(name, { where }))]).toEqual([where, 'where_invalid'])
      expect(
        (await rejection(store.query(name, { query_embeddings: [[1, 0]], where: { a: 1, b: 2 } }))).message,
      ).toContain('2')
    })

    it('takes keys and values as they are, whatever stands in them', async () => {
      const name = await fresh()
      const odd = `a.b"c'd \u{1F600} [0]`
      await store.add(name, {
        ids: ['odd', 'plain'],
        documents: ['', ''],
        metadatas: [{ [odd]: `' OR 1=1 --` }, { x: 1 }],
      })
      expect((await store.get(name, { where: { [odd]: `' OR 1=1 --` } })).ids).toEqual(['odd'])
      expect((await store.get(name, { where: { x: 1 } })).ids).toEqual(['plain'])
    })
  })

  recordsConformance(bench)

  it('keeps everything over a reload and while calls are under way', async () => {
    const name = await withPoints()
    const calls = Array.from({ length: 20 }, () => store.count(name))
    const reload = await system.reload('chromadb')
    expect(reload.ok).toBe(true)
    expect(await Promise.all(calls)).toEqual(calls.map(() => 5))
    expect((await store.get(name)).ids).toEqual(POINTS.ids)
  })
}
