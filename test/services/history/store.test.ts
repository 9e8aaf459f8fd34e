/** The history's files: bounded, whole, and in step with what is kept, also while the disk is behind. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { shortHash } from '../../../modules/lib/hash.ts'
import type { HistoryRecord } from '../../../modules/services/history/record.ts'
import { HistoryStore } from '../../../modules/services/history/store.ts'
import { createRoot, type TestRoot } from '../../support/root.ts'

const LIMITS = { entries_max: 10, versions_kept: 2, text_chars_max: 1_000 }

let root: TestRoot | undefined
afterEach(() => root?.dispose())

const version = (id: number): HistoryRecord => ({
  id,
  time: id,
  boot: 'b',
  event: id,
  type: 'service.live',
  data: { api: 'shop', generation: id },
  version: { source_hash: null, config_hash: null, config_file: null, files: { 'shop.js': shortHash(`shop ${id}`) } },
})

it('thirty versions that come before the first is written leave each record once, and the texts of the last two', async () => {
  root = createRoot()
  const folder = join(root.path, 'runtime')
  const open = (): HistoryStore => new HistoryStore(folder, LIMITS, (reason) => expect.unreachable(reason))
  const store = open()
  for (let id = 1; id <= 30; id++) store.add(version(id), new Map([[shortHash(`shop ${id}`), `shop ${id}`]]))
  await store.flushed()
  const texts = readdirSync(join(folder, 'texts')).sort()
  const named = store.records.flatMap((one) => Object.values(one.version?.files ?? {}))
  expect(texts).toEqual(named.toSorted())
  expect(named).toContain(shortHash('shop 30'))
  const read = open()
  await read.load()
  expect(read.records).toEqual(store.records)
})
