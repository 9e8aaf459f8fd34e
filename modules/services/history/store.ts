/**
 * `runtime/history/`: `history.jsonl`, one line for each thing that happened, and `texts/`, each text of a version once,
 * by its hash; for this user only. Both are bounded: the oldest go, failures before changes. Writes come one after the
 * other, beside all else; a line is added at the end, so what a killed process leaves is a whole file and perhaps a torn
 * last line, which is ignored. What cannot be written is told once and stays in memory.
 */
import { appendFile, mkdir, readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '../../lib/errors.ts'
import { writeWholeLater } from '../../lib/whole-file.ts'
import { isFailure, type HistoryRecord } from './record.ts'

const PRIVATE = 0o600
const FOLDER = 0o700
/** More than are kept, so that the file is not written anew with each line. */
const SLACK = 1.2
const FAILURES = 0.25

export interface StoreLimits {
  entries_max: number
  versions_kept: number
  text_chars_max: number
}

export class HistoryStore {
  records: HistoryRecord[] = []
  private readonly file: string
  private readonly texts: string
  private readonly limits: StoreLimits
  private readonly onTrouble: (reason: string) => void
  private known = new Set<string>()
  private writing: Promise<void> = Promise.resolve()
  /** id of the newest record in the file: a cut writes those too whose own turn has not come */
  private writtenTo = 0
  private told = false
  /** the file does not end with a line */
  private torn = false

  constructor(folder: string, limits: StoreLimits, onTrouble: (reason: string) => void) {
    this.file = join(folder, 'history.jsonl')
    this.texts = join(folder, 'texts')
    this.limits = limits
    this.onTrouble = onTrouble
  }

  async load(): Promise<void> {
    const text = await readFile(this.file, 'utf8').catch(() => '')
    this.records = text.split('\n').flatMap(parse)
    this.writtenTo = this.lastId
    this.torn = text !== '' && !text.endsWith('\n')
    this.known = new Set(await readdir(this.texts).catch(() => []))
  }

  get lastId(): number {
    return this.records.at(-1)?.id ?? 0
  }

  /** `texts`: by hash, what the record's version is made of. */
  add(record: HistoryRecord, texts: ReadonlyMap<string, string> = new Map()): void {
    this.records.push(record)
    this.later(async () => {
      for (const [hash, text] of this.isKept(record) ? texts : []) {
        if (this.known.has(hash) || text.length > this.limits.text_chars_max) continue
        await mkdir(this.texts, { recursive: true, mode: FOLDER })
        await writeWholeLater(join(this.texts, hash), text, { mode: PRIVATE, flush: false })
        this.known.add(hash)
      }
      if (this.records.length > this.limits.entries_max * SLACK) await this.cut()
      else if (record.id > this.writtenTo) await this.append(record)
    })
  }

  /** With its version: a cut may have taken it while its texts waited for their turn. */
  private isKept({ id }: HistoryRecord): boolean {
    return this.records.findLast((one) => one.id === id)?.version !== undefined
  }

  /** undefined: it is not kept any more, or was too long. */
  async text(hash: string): Promise<string | undefined> {
    await this.writing
    return readFile(join(this.texts, hash), 'utf8').catch(() => undefined)
  }

  /** Resolves when everything that was added has been written, or could not be. */
  flushed(): Promise<void> {
    return this.writing
  }

  private async append(record: HistoryRecord): Promise<void> {
    await mkdir(this.texts, { recursive: true, mode: FOLDER })
    await appendFile(this.file, `${this.torn ? '\n' : ''}${JSON.stringify(record)}\n`, { mode: PRIVATE })
    this.torn = false
    this.writtenTo = record.id
  }

  /** Failures beyond their share go first, then the oldest of all; then the texts that no version kept names. */
  private async cut(): Promise<void> {
    const { entries_max, versions_kept } = this.limits
    let spare = Math.max(0, this.records.filter(isFailure).length - Math.floor(entries_max * FAILURES))
    const fewer = this.records.filter((record) => !isFailure(record) || spare-- <= 0)
    this.records = withoutOldVersions(fewer.slice(-entries_max), versions_kept)
    const { lastId } = this
    await writeWholeLater(this.file, this.records.map((one) => `${JSON.stringify(one)}\n`).join(''), { mode: PRIVATE })
    this.torn = false
    this.writtenTo = lastId
    const named = new Set(this.records.flatMap(({ version }) => Object.values(version?.files ?? {})))
    for (const hash of this.known) {
      if (named.has(hash)) continue
      await rm(join(this.texts, hash), { force: true })
      this.known.delete(hash)
    }
  }

  private later(work: () => Promise<void>): void {
    this.writing = this.writing.then(work).then(
      () => {
        this.told = false
      },
      (thrown: unknown) => {
        if (!this.told) this.onTrouble(reasonOf(thrown))
        this.told = true
      },
    )
  }
}

function parse(line: string): HistoryRecord[] {
  try {
    const record = JSON.parse(line) as HistoryRecord
    return typeof record.id === 'number' && typeof record.type === 'string' ? [record] : []
  } catch {
    return []
  }
}

/** The newest of each service keep what they were made from. */
function withoutOldVersions(records: readonly HistoryRecord[], kept: number): HistoryRecord[] {
  const counts = new Map<unknown, number>()
  return records
    .toReversed()
    .map((record) => {
      if (record.version === undefined) return record
      const api = record.data['api']
      const count = (counts.get(api) ?? 0) + 1
      counts.set(api, count)
      const { version: _version, ...rest } = record
      return count > kept ? rest : record
    })
    .toReversed()
}
