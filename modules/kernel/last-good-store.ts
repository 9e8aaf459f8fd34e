/**
 * `runtime/last-good/` on disk: what is kept of each service, bounded, for this user only. Texts are written before the
 * record that names them, each whole or not at all, so a crash leaves the old version or the new one; what no record
 * names is removed later. What is not whole is ignored and told. Writes come one after the other, beside all else.
 */
import { isAbsolute, join } from 'node:path'
import type { LastGoodVersion, VersionSource } from '../contracts/changes.ts'
import type { LastGoodKnown, LastGoodState } from '../contracts/kernel-state.ts'
import { coded, reasonOf } from '../lib/errors.ts'
import { shortHash } from '../lib/hash.ts'
import {
  LAST_GOOD_FOLDER,
  LAST_GOOD_TEXTS,
  lastGoodName,
  parseLastGood,
  printLastGood,
  type LastGoodRecord,
} from '../lib/last-good.ts'
import { shownPath } from '../lib/shown-path.ts'
import { writeFailure } from '../lib/write-failure.ts'
import { markOf, type Hashes } from './last-good.ts'
import type { Machine } from './machine.ts'

const PRIVATE = 0o600
/** Texts written side by side; records read before anything else gets its turn. */
const SLICE = 16
const PACKAGE = 'package:'

export class LastGoodStore {
  private readonly machine: Machine
  private readonly folder: string
  /** passed from kernel to kernel: who takes over writes on, after what is under way */
  state = newState()

  constructor(machine: Machine) {
    this.machine = machine
    this.folder = join(machine.options.root, LAST_GOOD_FOLDER)
  }

  /** What is kept of a service, whole; undefined when there is nothing, or nothing that can be used. */
  read(api: string): LastGoodVersion | undefined {
    const record = this.record(api)
    if (record === undefined) return undefined
    const texts = new Map<string, string>()
    for (const [place, hash] of Object.entries(record.files)) {
      const text = this.readFile(join(this.folder, LAST_GOOD_TEXTS, hash))
      if (text === undefined || shortHash(text) !== hash) {
        this.ignored(api, `the text of ${place} is ${text === undefined ? 'missing' : 'not the one that was kept'}`)
        return undefined
      }
      texts.set(this.pathOf(place), text)
    }
    const scan = this.machine.options.loader.scanTexts(this.pathOf(record.entry), texts)
    const { desired, config_text: configText, kept_at: keptAt, packages } = record
    return { source: { desired, scan, configText: configText ?? undefined }, keptAt, packages }
  }

  /** Of what is kept, whether or not its texts are whole. */
  hashesOf(api: string): Hashes | undefined {
    const record = this.record(api)
    return record && { configHash: record.desired.hash, sourceKey: record.source_key }
  }

  /** The service that was last kept from a config of this base. */
  find(base: string): string | undefined {
    let newest: LastGoodRecord | undefined
    for (const name of this.names()) {
      const record = parseLastGood(this.readFile(join(this.folder, name)) ?? '')
      if (typeof record === 'string' || record.desired.base !== base) continue
      if (newest === undefined || record.kept_at > newest.kept_at) newest = record
    }
    return newest?.desired.api
  }

  /** Resolves when it is kept, or when it was told why not. Never rejects. */
  keep(version: VersionSource): Promise<void> {
    const { api } = version.desired
    const mark = markOf(version)
    const { clock } = this.machine.options
    const { marks, pausedUntil } = this.state
    if (marks.get(api) === mark) return this.idle()
    if (clock.monotonic() < pausedUntil) return Promise.resolve()
    marks.set(api, mark)
    return this.inTurn(async () => {
      // Another kernel has taken over before this one's turn came: it keeps what is good.
      if (this.machine.gone) marks.delete(api)
      else await this.write(version).catch((thrown: unknown) => this.failed(api, thrown))
    })
  }

  /** One after the other, each in a turn of its own: many services must not hold up a call. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const { state } = this
    const { clock } = this.machine.options
    state.pending++
    state.work = state.work
      .then(() => new Promise<void>((resolve) => clock.soon(resolve)))
      .then(work)
      .catch((thrown: unknown) => this.untidied(thrown))
      .finally(() => state.pending--)
    return state.work
  }

  /** Resolves when nothing is being written. */
  idle(): Promise<void> {
    return this.state.work
  }

  /** This very version is good no more. */
  forget(api: string): void {
    this.state.marks.delete(api)
    this.state.records?.delete(api)
    this.state.untidy = true
    this.attempt(() => this.machine.options.fs.remove(join(this.folder, lastGoodName(api))))
  }

  /** Removes what no service stands behind, and texts that nothing names. Does nothing while something is written. */
  tidy(isWanted: (api: string, base: string) => boolean): void {
    if (this.state.pending > 0) return
    if (this.state.records === undefined) {
      void this.inTurn(() => this.look())
      return
    }
    for (const [api, { base }] of this.state.records) if (!isWanted(api, base)) this.forget(api)
    if (!this.state.untidy) return
    this.state.untidy = false
    const used = new Set<string>()
    for (const { texts } of this.state.records.values()) for (const hash of texts) used.add(hash)
    const loose = [...this.state.texts.keys()].filter((hash) => !used.has(hash))
    for (const hash of loose) this.state.texts.delete(hash)
    const paths = [...loose.map((hash) => join(this.folder, LAST_GOOD_TEXTS, hash)), ...this.state.strays]
    this.state.strays = []
    this.attempt(() => {
      for (const path of paths) this.machine.options.fs.remove(path)
    })
  }

  private async write(version: VersionSource): Promise<void> {
    const { fs, clock, loader } = this.machine.options
    const { desired, scan, configText } = version
    const { api } = desired
    const texts = [...scan.texts].map(([path, text]) => ({ path, text, hash: scan.files.get(path) ?? shortHash(text) }))
    await this.look()
    if (!this.fits(api, texts)) return
    for (let index = 0; index < texts.length; index += SLICE) {
      await Promise.all(texts.slice(index, index + SLICE).map((one) => this.writeText(one)))
    }
    const before = this.record(api)
    if (before !== undefined && markOfRecord(before) === markOf(version)) return
    const record: LastGoodRecord = {
      kept_at: clock.now(),
      desired,
      config_text: configText ?? null,
      source_key: scan.key,
      entry: this.placeOf(scan.entry),
      files: Object.fromEntries(texts.map(({ path, hash }) => [this.placeOf(path), hash])),
      packages: loader.packagesOf(scan),
    }
    await fs.writeLater(join(this.folder, lastGoodName(api)), printLastGood(record), { mode: PRIVATE, flush: true })
    this.state.records?.set(api, known(record))
    this.state.untidy = true
  }

  private async writeText({ hash, text }: { hash: string; text: string }): Promise<void> {
    const { fs } = this.machine.options
    const path = join(this.folder, LAST_GOOD_TEXTS, hash)
    this.state.texts.set(hash, text.length)
    if (this.readFile(path) !== text) await fs.writeLater(path, text, { mode: PRIVATE, flush: true })
  }

  /** A limit on everything: a version that is too large for it is not kept, and the one before stays. */
  private fits(api: string, texts: readonly { hash: string; text: string }[]): boolean {
    const { last_good_chars_max, last_good_total_chars_max } = this.machine.limits
    const chars = texts.reduce((sum, { text }) => sum + text.length, 0)
    const more = texts.reduce((sum, { hash, text }) => sum + (this.state.texts.has(hash) ? 0 : text.length), 0)
    const total = [...this.state.texts.values()].reduce((sum, one) => sum + one, more)
    const limit = chars > last_good_chars_max ? last_good_chars_max : last_good_total_chars_max
    if (chars <= last_good_chars_max && total <= last_good_total_chars_max) return true
    this.tell(`${api}  is not kept as last good: its ${chars} characters are beyond the limit of ${limit}`, api)
    return false
  }

  /** What stands in the folder, read a few files at a time. Once. */
  private async look(): Promise<void> {
    if (this.state.records !== undefined) return
    const { fs, clock } = this.machine.options
    const records = new Map<string, LastGoodKnown>()
    for (const [index, name] of this.names().entries()) {
      if (index % SLICE === SLICE - 1) await new Promise<void>((resolve) => clock.soon(resolve))
      const path = join(this.folder, name)
      const record = parseLastGood(this.readFile(path) ?? '')
      if (typeof record === 'string' || lastGoodName(record.desired.api) !== name) this.state.strays.push(path)
      else records.set(record.desired.api, known(record))
    }
    const texts = join(this.folder, LAST_GOOD_TEXTS)
    for (const name of fs.list(texts)) this.state.texts.set(name, fs.stat(join(texts, name))?.bytes ?? 0)
    this.state.records = records
    this.state.untidy = true
  }

  private names(): string[] {
    return this.machine.options.fs.list(this.folder).filter((name) => name !== LAST_GOOD_TEXTS)
  }

  private record(api: string): LastGoodRecord | undefined {
    const text = this.readFile(join(this.folder, lastGoodName(api)))
    if (text === undefined) return undefined
    const record = parseLastGood(text)
    if (typeof record !== 'string' && record.desired.api === api) return record
    this.ignored(api, typeof record === 'string' ? record : 'it is the one of another service')
    return undefined
  }

  /** A file that cannot be read is as good as none. Most services have none, and to fail in reading it takes longer. */
  private readFile(path: string): string | undefined {
    const { fs } = this.machine.options
    try {
      return fs.stat(path) && fs.read(path)
    } catch {
      return undefined
    }
  }

  private placeOf(path: string): string {
    const { root, packageRoot } = this.machine.options
    const shown = shownPath(root, path)
    if (!isAbsolute(shown)) return shown
    const shipped = shownPath(packageRoot, path)
    return isAbsolute(shipped) ? path : PACKAGE + shipped
  }

  private pathOf(place: string): string {
    const { root, packageRoot } = this.machine.options
    if (isAbsolute(place)) return place
    return place.startsWith(PACKAGE) ? join(packageRoot, place.slice(PACKAGE.length)) : join(root, place)
  }

  private attempt(work: () => void): void {
    try {
      work()
    } catch (thrown) {
      this.untidied(thrown)
    }
  }

  private untidied(thrown: unknown): void {
    this.tell(`${LAST_GOOD_FOLDER} could not be tidied: ${reasonOf(thrown)}`)
  }

  private ignored(api: string, reason: string): void {
    const { message, code } = coded('last_good_broken', { api, reason })
    this.tell(message, api, code)
  }

  private failed(api: string, thrown: unknown): void {
    const { clock } = this.machine.options
    this.state.marks.delete(api)
    this.state.pausedUntil = clock.monotonic() + this.machine.limits.disk_retry_ms
    const { message, code } = writeFailure(thrown, LAST_GOOD_FOLDER)
    this.tell(`${message}; what was kept before stays`, api, code)
  }

  /** Once for each reason: the same would be said at every look. */
  private tell(message: string, service?: string, code?: string): void {
    if (this.state.told.has(message)) return
    this.state.told.add(message)
    this.machine.options.log.warn(message, { ...(service && { service }), ...(code && { code }) })
  }
}

const newState = (): LastGoodState => ({
  marks: new Map(),
  records: undefined,
  texts: new Map(),
  strays: [],
  untidy: false,
  work: Promise.resolve(),
  pending: 0,
  told: new Set(),
  pausedUntil: Number.NEGATIVE_INFINITY,
  since: new WeakMap(),
})

const known = (record: LastGoodRecord): LastGoodKnown => ({
  base: record.desired.base,
  texts: new Set(Object.values(record.files)),
})

const markOfRecord = ({ desired, source_key: key, config_text }: LastGoodRecord): string =>
  markOf({ desired, scan: { key }, configText: config_text ?? undefined })
