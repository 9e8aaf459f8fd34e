/**
 * What was worked out from the content of many files (transformed code, parsed configs), in one file, so that the next
 * start works it out no more. An entry is found by a hash of the content, never by path or time: a changed file is
 * simply not there. A pack that is torn or foreign is as good as none. Written whole or not at all, without blocking,
 * and only with what is in use. Made by `run.ts`.
 */
import type { Clock, ContentCache, FileSystem } from '../contracts/seams.ts'
import { shortHash } from '../lib/hash.ts'

const FORMAT = 'meta-machine pack 1'
/** What does not fit is worked out again at the next start. */
const PACK_CHARS_MAX = 100_000_000
/** Entries made ready to be written before anything else gets its turn. */
const SLICE_ENTRIES = 32

/** One line of JSON at the head of the file; the texts of all entries follow without anything in between. */
interface Head {
  format: string
  /** over the texts */
  hash: string
  entries: [key: string, ...lengths: number[]][]
}

export class Pack implements ContentCache {
  private text = ''
  /** key → where its texts begin, in characters, and where each ends */
  private readonly places = new Map<string, readonly number[]>()
  /** keys of what the file was last made from */
  private written: ReadonlySet<string>
  private readonly users = new Map<string, Parameters<ContentCache['keep']>[1]>()
  private saving: Promise<void> = Promise.resolve()
  private readonly fs: FileSystem
  private readonly clock: Pick<Clock, 'soon'>
  private readonly path: string
  private readonly charsMax: number

  constructor(options: { fs: FileSystem; clock: Pick<Clock, 'soon'>; path: string; chars_max?: number }) {
    this.fs = options.fs
    this.clock = options.clock
    this.path = options.path
    this.charsMax = options.chars_max ?? PACK_CHARS_MAX
    try {
      this.open(this.fs.read(this.path) ?? '')
    } catch {
      this.places.clear() // not readable, or not ours: a start without it is only slower
    }
    this.written = new Set(this.places.keys())
  }

  get size(): number {
    return this.places.size
  }

  get(key: string): readonly string[] | undefined {
    const ends = this.places.get(key)
    if (ends === undefined) return undefined
    return ends.slice(1).map((end, index) => this.text.slice(ends[index], end))
  }

  keep(name: string, inUse: Parameters<ContentCache['keep']>[1]): void {
    this.users.set(name, inUse)
  }

  /** Writes what is in use, unless the file was made from just that. Rejects with what the file system throws. */
  save(): Promise<void> {
    const before = this.saving
    const saving = (async () => {
      await before.catch(() => undefined)
      await this.write()
    })()
    this.saving = saving
    return saving
  }

  private open(text: string): void {
    const end = text.indexOf('\n')
    if (end < 0) return
    const head = JSON.parse(text.slice(0, end)) as Head
    if (head.format !== FORMAT || head.hash !== shortHash(text.slice(end + 1))) return
    let at = end + 1
    for (const [key, ...lengths] of head.entries) this.places.set(key, [at, ...lengths.map((length) => (at += length))])
    this.text = text
  }

  private async write(): Promise<void> {
    const wanted = new Map([...this.users.values()].flatMap((inUse) => [...inUse()]))
    if (wanted.size === this.written.size && [...wanted.keys()].every((key) => this.written.has(key))) return
    const head: Head = { format: FORMAT, hash: '', entries: [] }
    const parts: string[] = []
    let chars = 0
    let ready = 0
    for (const [key, textsOf] of wanted) {
      if (++ready % SLICE_ENTRIES === 0) await new Promise<void>((resolve) => this.clock.soon(resolve))
      const texts = textsOf()
      const lengths = texts.map((one) => one.length)
      const more = lengths.reduce((sum, length) => sum + length, 0)
      if (chars + more > this.charsMax) continue
      chars += more
      parts.push(...texts)
      head.entries.push([key, ...lengths])
    }
    const body = parts.join('')
    head.hash = shortHash(body)
    await this.fs.writeLater(this.path, `${JSON.stringify(head)}\n${body}`)
    this.written = new Set(wanted.keys())
  }
}
