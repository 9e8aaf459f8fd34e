/** The part of the vector store's suite that is about records: added, read, changed, deleted, refused. */
import { describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { Metadata, VectorStoreApi } from '../../modules/contracts/services.ts'
import { rejection } from '../support/system.ts'

/** Points in the plane: their cosine distances are known without computing. */
export const POINTS = {
  ids: ['east', 'north', 'north-east', 'west', 'none'],
  documents: ['to the east', 'to the north', 'between them', 'to the west', 'no direction'],
  embeddings: [
    [1, 0],
    [0, 2],
    [3, 3],
    [-1, 0],
    [0, 0],
  ],
  metadatas: [
    { n: 1, t: 'x', b: true },
    { n: 2.5, t: 'y', b: false },
    { n: 3, t: 'x' },
    { n: '3', gone: null },
    {},
  ] as Metadata[],
}

export const codeOf = async (work: Promise<unknown>): Promise<string> => (await rejection(work)).code

export interface StoreBench {
  store(): Handle<VectorStoreApi>
  /** a collection with nothing in it */
  fresh(): Promise<string>
  withPoints(): Promise<string>
}

export function recordsConformance({ store, fresh, withPoints }: StoreBench): void {
  describe('records', () => {
    it('are read by id, by filter and in parts, in the order they were added', async () => {
      const name = await withPoints()
      expect(await store().get(name, { ids: ['north', 'east', 'nobody'] })).toEqual({
        ids: ['east', 'north'],
        documents: ['to the east', 'to the north'],
        metadatas: [
          { n: 1, t: 'x', b: true },
          { n: 2.5, t: 'y', b: false },
        ],
      })
      expect((await store().get(name, { limit: 2, offset: 1 })).ids).toEqual(['north', 'north-east'])
      expect((await store().get(name, { limit: 0 })).ids).toEqual([])
      expect((await store().get(name)).ids).toEqual(POINTS.ids)
      expect(await store().count(name)).toBe(5)
    })

    it('are deleted by id and by filter; ids that are not there are no error', async () => {
      const name = await withPoints()
      await store().delete(name, { ids: ['east', 'nobody'] })
      await store().delete(name, { where: { t: 'y' } })
      await store().delete(name, { ids: ['west', 'none'], where: { n: '3' } })
      expect((await store().get(name)).ids).toEqual(['north-east', 'none'])
      expect(await codeOf(store().delete(name, {}))).toBe('bad_arguments')
    })

    it('with an id that is there are refused, and nothing of the call is added', async () => {
      const name = await withPoints()
      const records = {
        ids: ['new', 'east'],
        documents: ['a', 'b'],
        embeddings: [
          [1, 0],
          [1, 0],
        ],
      }
      expect(await rejection(store().add(name, records))).toMatchObject({
        code: 'vector_duplicate',
        message: expect.stringContaining('east') as string,
      })
      expect(await codeOf(store().add(name, { ...records, ids: ['new', 'new'] }))).toBe('vector_duplicate')
      expect(await store().count(name)).toBe(5)
    })

    it('added by several callers at once with one id are added once', async () => {
      const name = await fresh()
      const add = (document: string) => store().add(name, { ids: ['one'], documents: [document] })
      const done = await Promise.allSettled([add('a'), add('b'), add('c')])
      expect(done.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
      const kept = ['a', 'b', 'c'][done.findIndex((one) => one.status === 'fulfilled')]
      expect((await store().get(name)).documents).toEqual([kept])
    })
  })

  describe('an update', () => {
    it('changes what is named, and merges metadata: a key that is null goes', async () => {
      const name = await withPoints()
      await store().update(name, { ids: ['east', 'none'], metadatas: [{ z: 1, t: null }, { first: true }] })
      expect(await store().get(name, { ids: ['east', 'none'] })).toMatchObject({
        documents: ['to the east', 'no direction'],
        metadatas: [{ n: 1, b: true, z: 1 }, { first: true }],
      })
      await store().update(name, { ids: ['east'], documents: ['moved'], embeddings: [[0, 1]] })
      const found = await store().query(name, { query_embeddings: [[0, 1]], n_results: 2 })
      expect(new Set(found.ids[0])).toEqual(new Set(['east', 'north']))
      expect((await store().get(name, { ids: ['east'] })).documents).toEqual(['moved'])
    })

    it('of a text makes its vector anew', async () => {
      const name = await fresh()
      await store().add(name, { ids: ['a', 'b'], documents: ['bread and butter', 'salt'] })
      await store().update(name, { ids: ['a'], documents: ['ships on the ocean'] })
      const found = await store().query(name, { query_texts: ['ship ocean'], n_results: 1 })
      expect(found.ids).toEqual([['a']])
      expect(found.documents).toEqual([['ships on the ocean']])
    })

    it('of an id that is not there changes nothing', async () => {
      const name = await withPoints()
      const change = { ids: ['east', 'nobody'], metadatas: [{ n: 9 }, { n: 9 }] }
      expect(await codeOf(store().update(name, change))).toBe('vector_missing')
      expect((await store().get(name, { where: { n: 9 } })).ids).toEqual([])
    })
  })

  describe('vectors', () => {
    it('of another length are refused, in every method', async () => {
      const name = await withPoints()
      const one = { ids: ['new'], documents: ['a'], embeddings: [[1, 2, 3]] }
      for (const work of [
        store().add(name, one),
        store().update(name, { ...one, ids: ['east'] }),
        store().query(name, { query_embeddings: [[1, 2, 3]] }),
      ])
        expect(await codeOf(work)).toBe('vector_dimension')
      expect(await store().count(name)).toBe(5)
    })

    it('of another embedder are refused: nothing is mixed in silence', async () => {
      const name = await withPoints()
      const text = { ids: ['new'], documents: ['made by the lexical one'] }
      for (const work of [
        store().add(name, text),
        store().update(name, { ...text, ids: ['east'] }),
        store().query(name, { query_texts: ['a'] }),
      ])
        expect(await rejection(work)).toMatchObject({
          code: 'embedder_mismatch',
          message: expect.stringContaining('lexical') as string,
        })
    })
  })

  it('refuses arguments of another shape, each with what is wrong', async () => {
    const name = await fresh()
    const add = store().add as (name: string, records: object) => Promise<void>
    for (const records of [
      { documents: ['a'] },
      { ids: [], documents: [] },
      { ids: ['a'], documents: ['a', 'b'] },
      { ids: ['a'], documents: ['a'], embeddings: [[1], [2]] },
      { ids: ['a', 'b'], documents: ['a', 'b'], embeddings: [[1], [2, 3]] },
      { ids: ['a'], documents: ['a'], metadatas: [{ a: { b: 1 } }] },
      { ids: ['a'], documents: ['a'], metadatas: [{ 'mm:embedder': 'x' }] },
      { ids: ['a\n'], documents: ['a'] },
      { ids: ['\ud800'], documents: ['a'] },
      { ids: ['a'], documents: ['a'], embeddings: [[Number.NaN]] },
    ])
      expect(await codeOf(add(name, records))).toBe('bad_arguments')
    expect(await codeOf(store().query(name, {}))).toBe('bad_arguments')
    expect(await codeOf(store().query(name, { query_texts: ['a'], query_embeddings: [[1]] }))).toBe('bad_arguments')
    expect(await store().count(name)).toBe(0)
  })

  it('has a limit on everything', async () => {
    const name = await fresh()
    const many = Array.from({ length: 1_001 }, (_, at) => `id ${at}`)
    const one = { ids: ['a'], documents: ['a'] }
    for (const work of [
      store().add(name, { ids: many, documents: many }),
      store().add(name, { ...one, documents: ['x'.repeat(70_000)] }),
      store().add(name, { ...one, metadatas: [{ a: 'x'.repeat(20_000) }] }),
      store().add(name, { ...one, embeddings: [Array.from({ length: 5_000 }, () => 1)] }),
      store().query(name, { query_texts: ['a'], n_results: 2_000 }),
      store().get(name, { limit: 2_000 }),
    ])
      expect(await codeOf(work)).toBe('vector_limit')
    await store().add(name, { ids: many.slice(0, 1_000), documents: many.slice(0, 1_000) })
    await store().add(name, one)
    expect(await codeOf(store().get(name))).toBe('vector_limit')
    expect((await store().get(name, { limit: 1_000, offset: 1_000 })).ids).toEqual(['a'])
  })
}
