/**
 * The files of `runtime/last-good/`, as texts: for each service one record (config, source files by content hash,
 * package versions), and the texts themselves under `texts/`, shared by hash. Pure. A record says by its own hash that
 * it is whole. Written and read by the kernel's `last-good-store.ts`, and read by `mm doctor`.
 */
import type { DesiredService } from '../contracts/state.ts'
import { canonicalJson } from './canonical-json.ts'
import { shortHash } from './hash.ts'

export const LAST_GOOD_FOLDER = 'runtime/last-good'
/** Within the folder: a text is called by its hash. */
export const LAST_GOOD_TEXTS = 'texts'

const FORMAT = 'meta-machine last good 1'
const NAME_CHARS_MAX = 80

export interface LastGoodRecord {
  /** epoch milliseconds */
  kept_at: number
  /** what the config asked for, `${ENV}` and secrets as written */
  desired: DesiredService
  config_text: string | null
  source_key: string
  /** place of the entry file: from the root, `package:` before one of the package, or absolute */
  entry: string
  /** place → hash of its text, for every local file */
  files: Record<string, string>
  /** name → version */
  packages: Record<string, string>
}

/** Readable, and different for each api: `/` and `:` may stand in one. */
export const lastGoodName = (api: string): string =>
  `${api.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, NAME_CHARS_MAX)}-${shortHash(api).slice(0, 8)}.json`

export const printLastGood = (record: LastGoodRecord): string =>
  `${JSON.stringify({ format: FORMAT, hash: shortHash(canonicalJson(record)), record }, undefined, 1)}\n`

/** The reason instead, when it is not a whole record. */
export function parseLastGood(text: string): LastGoodRecord | string {
  let value: { format?: unknown; hash?: unknown; record?: unknown } | null
  try {
    value = JSON.parse(text) as typeof value
  } catch {
    return 'it is no JSON'
  }
  if (value?.format !== FORMAT) return 'it has another format'
  const { record } = value
  if (typeof record !== 'object' || record === null || value.hash !== shortHash(canonicalJson(record)))
    return 'its content and its hash differ'
  return record as LastGoodRecord
}
