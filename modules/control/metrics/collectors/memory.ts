/** What is kept: files of databases, documents and how well they are found, and whether the disk agrees with what runs. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { MetricValue } from '../../../contracts/meta-metrics.ts'
import type { Handle } from '../../../contracts/module.ts'
import type { VectorStoreApi } from '../../../contracts/services.ts'
import { reasonOf } from '../../../lib/errors.ts'
import { isLive } from '../domains.ts'
import { counted, shareOf, sumOf, unknown, type Collector, type Look, type Values } from '../look.ts'
import { isStore } from '../roles.ts'
import { percentile } from '../seen/recent.ts'

const DATABASE = /\.db(?:-wal)?$/
const OWN = /^metrics\.db/
const FILES_MAX = 500
const FOLDERS_MAX = 300
const DEPTH_MAX = 3

export const memory: Collector = { domain: 'memory', collect }

async function collect(look: Look): Promise<Values> {
  const { services, seen, kernel } = look.scene
  const stores = services.filter(({ prog }) => isStore(prog)).map(({ api }) => api)
  const times = stores.flatMap((api) => seen.timesOf(api, look.since))
  const running = services.filter(isLive)
  const sizes = sizesUnder(kernel.paths.runtime, look)
  const documents = await documentsOf(look)
  return {
    store_bytes: sizes.length === 0 ? unknown : { value: sumOf(sizes), samples: sizes.length },
    ...documents,
    coherence: shareOf(running.filter(({ stale }) => !stale).length, running.length),
    rtt_s_p95: { value: percentile(times, 0.95), samples: times.length },
    timeouts: counted(sumOf(stores.map((api) => look.count(`late ${api}`)))),
  }
}

/** Of databases of other services. A few dozen names: asked at once, not one after the other through a pool of threads. */
function sizesUnder(runtime: string, look: Look): number[] {
  try {
    return databasesIn(runtime).flatMap((file) => statSync(file, { throwIfNoEntry: false })?.size ?? [])
  } catch (thrown) {
    look.troubles.push(`runtime: ${reasonOf(thrown)}`)
    return []
  }
}

/** Level by level: where there are very many folders, those deep down are left out. */
function databasesIn(runtime: string): string[] {
  const files: string[] = []
  const folders = [{ path: runtime, depth: 1 }]
  for (const { path: folder, depth } of folders) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && depth < DEPTH_MAX && folders.length < FOLDERS_MAX)
        folders.push({ path, depth: depth + 1 })
      else if (entry.isFile() && files.length < FILES_MAX && DATABASE.test(entry.name) && !OWN.test(entry.name))
        files.push(path)
    }
  }
  return files
}

async function documentsOf(look: Look): Promise<Values> {
  const { collections_max } = look.scene.config
  const found = await look.ask<VectorStoreApi, Values>('chromadb', async (store) => {
    const names = (await store.list_collections()).slice(0, collections_max)
    const counts = await Promise.all(names.map((name) => store.count(name)))
    return {
      vector_records: { value: sumOf(counts), samples: names.length },
      index_recall: await recall(look, store, names),
    }
  })
  return found ?? {}
}

/** Where a model makes the vectors each look costs money: not measured. */
async function recall(look: Look, store: Handle<VectorStoreApi>, names: readonly string[]): Promise<MetricValue> {
  const { embedder } = await store.describe()
  if (!embedder.startsWith('lexical')) return unknown
  const found: boolean[] = []
  for (const name of names) found.push(...(await foundIn(store, name, look.scene.config.index_sample)))
  return shareOf(found.filter(Boolean).length, found.length)
}

/** Another document with the same text is as good. */
async function foundIn(store: Handle<VectorStoreApi>, name: string, limit: number): Promise<boolean[]> {
  const { documents } = await store.get(name, { limit })
  const texts = documents.flatMap((text) => text || [])
  if (texts.length === 0) return []
  const { documents: nearest } = await store.query(name, { query_texts: texts, n_results: 1 })
  return texts.map((text, n) => nearest[n]?.[0] === text)
}
