/**
 * The end of the system's log, and on from there. A place in it is the file, known by its inode, and an offset at the
 * begin of a line: so a reader finds its way on after the file was moved aside, and each line is given once. Nothing
 * blocks: a log may be large. What one request looks at is bounded. Called by the route of the logs.
 */
import { open, stat, type FileHandle } from 'node:fs/promises'

export interface LogPlace {
  inode: number
  offset: number
}

export interface Tail<T> {
  /** oldest first */
  entries: T[]
  /** to go on from; undefined: there is no log yet */
  next: LogPlace | undefined
  /** there is more after them already */
  more: boolean
  /** lines came and went between the place that was asked for and these */
  gap: boolean
}

/** `read`: what a line is; undefined for one that is not wanted. */
export interface Reading<T> {
  limit: number
  read(line: string): T | undefined
  /** of the files, at most */
  bytes_max?: number
}

const CHUNK_BYTES = 262_144
const BYTES_MAX = 8 * 1024 * 1024
/** More files than the system keeps. */
const FILES_MAX = 16
const NEWLINE = 10

const nameOf = (path: string, index: number): string => (index === 0 ? path : `${path}.${index}`)

async function inodeOf(path: string, index: number): Promise<number | undefined> {
  return (await stat(nameOf(path, index)).catch(() => undefined))?.ino
}

/** How often the file of this inode was moved aside; undefined: it is none of the log's any more. */
async function indexOf(path: string, inode: number): Promise<number | undefined> {
  for (let index = 0; index < FILES_MAX; index++) if ((await inodeOf(path, index)) === inode) return index
  return undefined
}

async function opened<T>(path: string, index: number, work: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
  const file = await open(nameOf(path, index)).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    return await work(file)
  } finally {
    await file.close()
  }
}

async function chunkAt(file: FileHandle, offset: number, bytes = CHUNK_BYTES): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes)
  return buffer.subarray(0, (await file.read(buffer, 0, bytes, offset)).bytesRead)
}

/** The last lines that are wanted. */
export async function readTail<T>(path: string, reading: Reading<T>): Promise<Tail<T>> {
  const found: T[] = []
  const seen = new Set<number>()
  let left = reading.bytes_max ?? BYTES_MAX
  let next: LogPlace | undefined
  for (let index = 0; index < FILES_MAX && found.length < reading.limit && left > 0; index++) {
    const looked = await opened(path, index, async (file) => {
      const { ino: inode, size } = await file.stat()
      // It was moved while the one before it was read.
      if (seen.has(inode)) return 0
      seen.add(inode)
      const { bytes, end } = await readBack(file, size, left, found, reading)
      next ??= { inode, offset: end }
      return bytes
    })
    if (looked === undefined) break
    left -= looked
  }
  return { entries: found.reverse(), next, more: false, gap: false }
}

/** Newest first into `found`. `end`: behind the last line that is whole; what is being written after it waits. */
async function readBack<T>(
  file: FileHandle,
  size: number,
  bytes_max: number,
  found: T[],
  { limit, read }: Reading<T>,
): Promise<{ bytes: number; end: number }> {
  let rest = Buffer.alloc(0)
  let end = 0
  let at = size
  while (at > 0 && found.length < limit && size - at < bytes_max) {
    const bytes = Math.min(CHUNK_BYTES, at)
    at -= bytes
    let text = Buffer.concat([await chunkAt(file, at, bytes), rest])
    if (end === 0) {
      text = text.subarray(0, text.lastIndexOf(NEWLINE) + 1)
      end = text.length === 0 ? 0 : at + text.length
    }
    // The first line of a chunk may begin in the one before it.
    const first = at === 0 ? 0 : text.indexOf(NEWLINE) + 1
    rest = first === 0 ? text : text.subarray(0, first)
    if (at > 0 && first === 0) continue
    const lines = text.subarray(first).toString('utf8').split('\n')
    for (const line of lines.reverse()) {
      const entry = found.length < limit && line !== '' ? read(line) : undefined
      if (entry !== undefined) found.push(entry)
    }
  }
  return { bytes: size - at, end }
}

/** What came after a place. When that is gone, the last lines, told with a gap. */
export async function readOn<T>(path: string, from: LogPlace, reading: Reading<T>): Promise<Tail<T>> {
  const entries: T[] = []
  let place = from
  for (let left = reading.bytes_max ?? BYTES_MAX; left > 0; ) {
    const index = await indexOf(path, place.inode)
    if (index === undefined) return { ...(await readTail(path, reading)), gap: true }
    const { inode, offset } = place
    const told = await opened(path, index, async (file) => {
      const { ino, size } = await file.stat()
      if (ino !== inode) return undefined
      return { size, ...readForth(await chunkAt(file, offset), entries, reading) }
    })
    left -= told?.bytes ?? CHUNK_BYTES
    // Moved between the two looks: the next one finds it.
    if (told === undefined) continue
    // Another file has its number by now.
    if (told.size < offset) return { ...(await readTail(path, reading)), gap: true }
    place = { inode, offset: offset + told.bytes }
    if (told.isFull) return { entries, next: place, more: true, gap: false }
    if (told.bytes > 0) continue
    const newer = index === 0 ? undefined : await inodeOf(path, index - 1)
    if (newer === undefined) return { entries, next: place, more: false, gap: false }
    if ((await indexOf(path, inode)) === index) place = { inode: newer, offset: 0 }
  }
  return { entries, next: place, more: true, gap: false }
}

/** The lines of a chunk that are whole. `isFull`: as many as were wanted came before its end. */
function readForth<T>(chunk: Buffer, entries: T[], { limit, read }: Reading<T>): { bytes: number; isFull: boolean } {
  let bytes = 0
  for (;;) {
    const end = chunk.indexOf(NEWLINE, bytes)
    // A line longer than a chunk is none of the system's.
    if (end < 0) return { bytes: bytes === 0 && chunk.length === CHUNK_BYTES ? CHUNK_BYTES : bytes, isFull: false }
    if (entries.length >= limit) return { bytes, isFull: true }
    const entry = read(chunk.subarray(bytes, end).toString('utf8'))
    if (entry !== undefined) entries.push(entry)
    bytes = end + 1
  }
}
