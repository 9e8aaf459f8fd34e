/**
 * The real file system behind the `FileSystem` seam. Reads are synchronous on purpose (see the contract); writes go
 * to a file beside and are renamed, so a reader sees the old bytes or the new ones.
 */
import { lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, type BigIntStats } from 'node:fs'
import { dirname } from 'node:path'
import type { ByteFiles, FileStat, FileSystem } from '../contracts/seams.ts'
import { writeWhole, writeWholeLater } from './whole-file.ts'

const isMissing = (error: unknown): boolean => {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

const orMissing = <T>(read: () => T, missing: T): T => {
  try {
    return read()
  } catch (error) {
    if (isMissing(error)) return missing
    throw error
  }
}

const shape = (stats: BigIntStats): FileStat => ({
  kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other',
  key: `${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`,
  inode: `${stats.dev}:${stats.ino}`,
  bytes: Number(stats.size),
  mode: Number(stats.mode) & 0o7777,
  modified_ms: Number(stats.mtimeNs) / 1e6,
})

export const realFileSystem: FileSystem & ByteFiles = {
  stat: (path) =>
    orMissing(() => {
      const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
      return stats === undefined ? undefined : shape(stats)
    }, undefined),
  read: (path) => orMissing(() => readFileSync(path, 'utf8'), undefined),
  list: (path) => orMissing(() => readdirSync(path).sort(), []),
  write(path, text, options) {
    mkdirSync(dirname(path), { recursive: true })
    writeWhole(path, text, options)
  },
  async writeLater(path, text, { flush = false, ...options } = {}) {
    mkdirSync(dirname(path), { recursive: true })
    await writeWholeLater(path, text, { flush, ...options })
  },
  readBytes: (path) => orMissing(() => readFileSync(path), undefined),
  async writeBytes(path, bytes) {
    mkdirSync(dirname(path), { recursive: true })
    await writeWholeLater(path, bytes, { flush: false })
  },
  remove(path) {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) rmSync(path, { force: true })
  },
}
