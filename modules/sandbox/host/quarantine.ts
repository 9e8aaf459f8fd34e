/**
 * Sources that broke their limits again and again: by hash, so that no restart and no other config brings them back, kept
 * in runtime/quarantine.json until an operator releases them. Kills that do not suffice yet are remembered for a while,
 * in memory only.
 */
import { join } from 'node:path'
import type { ErrorData } from '../../contracts/errors.ts'
import type { Clock, FileSystem, Log } from '../../contracts/seams.ts'
import { coded, reasonOf, type CodedError } from '../../lib/errors.ts'

const FILE = 'runtime/quarantine.json'
/** So many kills within the time. */
const KILLS_MAX = 3
const WINDOW_MS = 600_000
const KEPT_MAX = 1_000

interface Entry {
  api: string
  kills: number
  /** the last one */
  code: string
  reason: string
  /** epoch milliseconds */
  at: number
}

export interface QuarantineOptions {
  root: string
  fs: FileSystem
  clock: Pick<Clock, 'now' | 'monotonic'>
  log: Log
}

export class Quarantine {
  private readonly options: QuarantineOptions
  private entries: Map<string, Entry> | undefined
  private readonly kills = new Map<string, number[]>()

  constructor(options: QuarantineOptions) {
    this.options = options
  }

  /** The error of a source that may not run; undefined when it may. */
  of(sourceKey: string): CodedError | undefined {
    const entry = this.read().get(sourceKey)
    return entry && errorOf(entry)
  }

  /** Its code broke a limit. The error of its quarantine, when that was once too often. */
  killed(api: string, sourceKey: string, error: ErrorData): CodedError | undefined {
    const { clock, log } = this.options
    const now = clock.monotonic()
    const kills = [...(this.kills.get(sourceKey) ?? []).filter((time) => time > now - WINDOW_MS), now]
    this.kills.delete(sourceKey)
    this.kills.set(sourceKey, kills)
    shorten(this.kills)
    if (kills.length < KILLS_MAX) return undefined
    const entry = { api, kills: kills.length, code: error.code, reason: error.message, at: clock.now() }
    this.read().set(sourceKey, entry)
    shorten(this.read())
    this.save()
    const refused = errorOf(entry)
    log.error(`${refused.message}. ${refused.hint}`, { service: api, code: refused.code })
    return refused
  }

  release(sourceKey: string): boolean {
    this.kills.delete(sourceKey)
    if (!this.read().delete(sourceKey)) return false
    this.save()
    return true
  }

  private read(): Map<string, Entry> {
    if (this.entries !== undefined) return this.entries
    const { fs, root, log } = this.options
    this.entries = new Map()
    try {
      const known = JSON.parse(fs.read(join(root, FILE)) ?? '{}') as Record<string, Entry>
      for (const [key, entry] of Object.entries(known)) if (isEntry(entry)) this.entries.set(key, entry)
    } catch (thrown) {
      log.warn(`${FILE} is ignored: ${reasonOf(thrown)}`)
    }
    return this.entries
  }

  private save(): void {
    const { fs, root, log } = this.options
    try {
      fs.write(join(root, FILE), `${JSON.stringify(Object.fromEntries(this.read()), undefined, 2)}\n`)
    } catch (thrown) {
      log.error(`${FILE} cannot be written: after a restart its modules would run again: ${reasonOf(thrown)}`)
    }
  }
}

const errorOf = ({ api, kills, reason }: Entry): CodedError => coded('sandbox_quarantined', { api, kills, reason })

const isEntry = (value: unknown): value is Entry => {
  const { api, kills, code, reason, at } = (value ?? {}) as Record<string, unknown>
  return [api, code, reason].every((one) => typeof one === 'string') && [kills, at].every(Number.isFinite)
}

/** The oldest go first. */
function shorten(entries: Map<string, unknown>): void {
  for (const key of [...entries.keys()].slice(0, Math.max(0, entries.size - KEPT_MAX))) entries.delete(key)
}
