/**
 * The system's log over all its files: mm.log and those that were moved aside, mm.log.1 the youngest of them. A reader
 * holds the file it reads by descriptor and knows it by its inode, so that it finds its way on however often the log was
 * moved meanwhile, and each line is given once.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

const READ_BYTES = 65_536
/** More files than the system keeps. */
const FILES_MAX = 16

type OnLine = (line: string) => void

const nameOf = (path: string, index: number): string => (index === 0 ? path : `${path}.${index}`)

/** How often the file of this inode was moved aside; undefined when it is none of the log's files any more. */
function indexOf(path: string, inode: number): number | undefined {
  for (let index = 0; index < FILES_MAX; index++)
    if (statSync(nameOf(path, index), { throwIfNoEntry: false })?.ino === inode) return index
  return undefined
}

export class LogReader {
  private readonly path: string
  private readonly buffer = Buffer.alloc(READ_BYTES)
  private file: number
  private decoder = new StringDecoder('utf8')
  private rest = ''

  constructor(path: string) {
    this.path = path
    this.file = openSync(path, 'r')
  }

  /** To the end of the file as it is now. A line without an end waits for it. */
  read(onLine: OnLine): void {
    for (let count = this.readMore(); count > 0; count = this.readMore()) {
      const lines = (this.rest + this.decoder.write(this.buffer.subarray(0, count))).split('\n')
      this.rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    }
  }

  private readMore(): number {
    return readSync(this.file, this.buffer, 0, READ_BYTES, null)
  }

  /** The same, and on through every newer file. `onGap`: files came and went that could not be read. */
  readOn(onLine: OnLine, onGap: () => void): void {
    for (;;) {
      const index = indexOf(this.path, this.inode())
      // After the look, not before it: nothing is added to a file once it was moved.
      this.read(onLine)
      if (index === 0) return
      if (index === undefined ? !this.openOldest(onGap) : !this.openAfter(index)) return
    }
  }

  /** What was moved aside before the file that is read, one file at a time, youngest first; until `onFile` says stop. */
  older(onFile: (lines: string[]) => boolean): void {
    const own = indexOf(this.path, this.inode()) ?? 0
    for (let index = own + 1; index < FILES_MAX; index++) {
      const lines: string[] = []
      try {
        const reader = new LogReader(nameOf(this.path, index))
        reader.read((line) => lines.push(line))
        reader.close()
      } catch {
        return
      }
      if (!onFile(lines)) return
    }
  }

  private inode(): number {
    return fstatSync(this.file).ino
  }

  /** False when the files are being moved in this very moment: the next look finds them. */
  private openAfter(index: number): boolean {
    const inode = this.inode()
    const next = open(nameOf(this.path, index - 1))
    if (next === undefined) return false
    // Moved meanwhile: what was opened may be a younger file than the next one.
    if (indexOf(this.path, inode) !== index) {
      closeSync(next)
      return false
    }
    this.goOn(next)
    return true
  }

  private openOldest(onGap: () => void): boolean {
    for (let index = FILES_MAX - 1; index >= 0; index--) {
      const next = open(nameOf(this.path, index))
      if (next === undefined) continue
      this.goOn(next)
      onGap()
      return true
    }
    return false
  }

  private goOn(next: number): void {
    this.close()
    this.file = next
    this.decoder = new StringDecoder('utf8')
    this.rest = ''
  }

  close(): void {
    closeSync(this.file)
  }
}

function open(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}
