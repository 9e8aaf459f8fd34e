/**
 * What was worked out from the content of many files (transformed and compiled code, parsed configs), in one file, so
 * that the next start works it out no more. An entry is found by a hash of the content, never by path or time: a changed
 * file is simply not there. A pack that is torn or foreign is as good as none. It stays as the bytes it is: most of it is
 * never asked for. Written whole or not at all, without blocking, and only with what is in use. Made by `run.ts`.
 */
import type { ByteFiles, Clock, ContentCache } from '../contracts/seams.ts'
import { shortHash } from '../lib/hash.ts'

const FORMAT = 'meta-machine pack 2'
/** What does not fit is worked out again at the next start. */
const PACK_BYTES_MAX = 100_000_000
/** Entries made ready to be written before anything else gets its turn. */
const SLICE_ENTRIES = 32
const LINE_END = 10

/** The first line of the file. */
interface Head {
  format: string
  /** over all that follows */
  hash: string
}

/** The second line lists these; the bytes of all parts follow without anything in between. */
type Entry = [key: string, ...lengths: number[]]

interface PackOptions {
  fs: ByteFiles
  clock: Pick<Clock, 'soon'>
  path: string
  bytes_max?: number
}

export class Pack implements ContentCache {
  private data: Buffer = Buffer.alloc(0)
  /** key → where its parts begin, and where each ends */
  private readonly places = new Map<string, readonly number[]>()
  /** keys of what the file was last made from */
  private written: ReadonlySet<string>
  private readonly users = new Map<string, Parameters<ContentCache['keep']>[1]>()
  private saving: Promise<void> = Promise.resolve()
  private readonly fs: ByteFiles
  private readonly clock: Pick<Clock, 'soon'>
  private readonly path: string
  private readonly bytesMax: number

  constructor(options: PackOptions) {
    this.fs = options.fs
    this.clock = options.clock
    this.path = options.path
    this.bytesMax = options.bytes_max ?? PACK_BYTES_MAX
    try {
      this.open(this.fs.readBytes(this.path))
    } catch {
      this.places.clear() // not readable, or not ours: a start without it is only slower
    }
    this.written = new Set(this.places.keys())
  }

  get size(): number {
    return this.places.size
  }

  get(key: string): readonly string[] | undefined {
    return this.bytes(key)?.map(String)
  }

  bytes(key: string): readonly Buffer[] | undefined {
    const ends = this.places.get(key)
    return ends?.slice(1).map((end, index) => this.data.subarray(ends[index], end))
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

  private open(data: Buffer | undefined): void {
    if (data === undefined) return
    const first = data.indexOf(LINE_END)
    const second = data.indexOf(LINE_END, first + 1)
    if (first < 0 || second < 0) return
    const { format, hash } = JSON.parse(data.toString('utf8', 0, first)) as Head
    if (format !== FORMAT || hash !== shortHash(data.subarray(first + 1))) return
    let at = second + 1
    for (const [key, ...lengths] of JSON.parse(data.toString('utf8', first + 1, second)) as Entry[])
      this.places.set(key, [at, ...lengths.map((length) => (at += length))])
    this.data = data
  }

  private async write(): Promise<void> {
    const wanted = new Map([...this.users.values()].flatMap((inUse) => [...inUse()]))
    if (wanted.size === this.written.size && [...wanted.keys()].every((key) => this.written.has(key))) return
    const entries: Entry[] = []
    const chunks: Buffer[] = []
    let size = 0
    let ready = 0
    for (const [key, partsOf] of wanted) {
      if (++ready % SLICE_ENTRIES === 0) await new Promise<void>((resolve) => this.clock.soon(resolve))
      const parts = partsOf().map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
      const lengths = parts.map((part) => part.length)
      const more = lengths.reduce((sum, length) => sum + length, 0)
      if (size + more > this.bytesMax) continue
      size += more
      chunks.push(...parts)
      entries.push([key, ...lengths])
    }
    const body = Buffer.concat([line(entries), ...chunks])
    const head: Head = { format: FORMAT, hash: shortHash(body) }
    await this.fs.writeBytes(this.path, Buffer.concat([line(head), body]))
    this.written = new Set(wanted.keys())
  }
}

const line = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`)
