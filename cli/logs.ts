/**
 * `mm logs`: the system's log file as readable lines, and with `-f` what is added to it, also after it was moved aside.
 * What is there and what is added are read through one descriptor, so that no line is lost or shown twice between.
 */
import { closeSync, fstatSync, openSync, readSync, statSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { coded } from '../modules/lib/errors.ts'
import { print } from './output.ts'

const LEVELS: Record<number, string> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR' }
const POLL_MS = 500
const READ_BYTES = 65_536

export interface LogOptions {
  /** how many of the lines that are there */
  lines: number
  follow: boolean
  json: boolean
  /** lowest level number shown */
  level: number
  signal?: AbortSignal
}

export async function logs(root: string, options: LogOptions): Promise<void> {
  const path = join(root, 'runtime', 'logs', 'mm.log')
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    throw coded('file_missing', { path: 'runtime/logs/mm.log' })
  const log = new LogReader(path)
  try {
    const last: string[] = []
    log.read((line) => {
      const text = shown(line, options)
      if (text === undefined) return
      last.push(text)
      if (last.length > options.lines) last.shift()
    })
    for (const text of last) print(text)
    if (options.follow) await follow(path, log, options)
  } finally {
    log.close()
  }
}

/** What is printed for a line of the file; undefined for one that is none of the system's, or below the level. */
function shown(line: string, options: LogOptions): string | undefined {
  let entry: { level?: number; time?: number; msg?: string; stack?: string }
  try {
    entry = JSON.parse(line) as typeof entry
  } catch {
    return undefined
  }
  const { level = 0, time = 0, msg = '', stack } = entry
  if (level < options.level) return undefined
  if (options.json) return line
  const clock = new Date(time).toISOString().slice(11, 23)
  return `${clock} ${LEVELS[level] ?? '?'}  ${msg}${stack === undefined ? '' : `\n${stack}`}`
}

async function follow(path: string, log: LogReader, options: LogOptions): Promise<void> {
  const read = (): void => {
    log.readOn((line) => {
      const text = shown(line, options)
      if (text !== undefined) print(text)
    })
  }
  // The folder, not the file: a watch on a file goes with it when it is moved aside.
  const watcher = watch(dirname(path), read)
  const poll = setInterval(read, POLL_MS)
  await new Promise<void>((resolve) => {
    options.signal?.addEventListener('abort', () => resolve(), { once: true })
  })
  watcher.close()
  clearInterval(poll)
}

/** The file as whole lines, each given once. */
class LogReader {
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
  read(onLine: (line: string) => void): void {
    for (let count = this.readMore(); count > 0; count = this.readMore()) {
      const lines = (this.rest + this.decoder.write(this.buffer.subarray(0, count))).split('\n')
      this.rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    }
  }

  private readMore(): number {
    return readSync(this.file, this.buffer, 0, READ_BYTES, null)
  }

  /** The same, and on with the new file when this one was moved aside. */
  readOn(onLine: (line: string) => void): void {
    const moved = this.wasMoved()
    // After the look, not before it: nothing is added to a file once another has its name.
    this.read(onLine)
    if (moved && this.openNext()) this.readOn(onLine)
  }

  /** False when the new file has been moved aside too, in this very moment: the next look finds another. */
  private openNext(): boolean {
    let next: number
    try {
      next = openSync(this.path, 'r')
    } catch {
      return false
    }
    this.close()
    this.file = next
    this.decoder = new StringDecoder('utf8')
    this.rest = ''
    return true
  }

  private wasMoved(): boolean {
    const now = statSync(this.path, { throwIfNoEntry: false })
    return now !== undefined && now.ino !== fstatSync(this.file).ino
  }

  close(): void {
    closeSync(this.file)
  }
}
