/**
 * Reads files again only when they changed. A file counts as unchanged when inode, size and nanosecond times are
 * equal, except just after a write: file systems stamp with a coarse clock, so two writes within one tick can look
 * alike. Until `RACY_MS` have passed since the stamp, the bytes are read and compared again.
 * Used by the loader for sources and by the kernel for configs and prompts.
 */
import type { FileRecord } from '../contracts/kernel-state.ts'
import type { Clock, FileSystem } from '../contracts/seams.ts'
import { coded, reasonOf } from './errors.ts'
import { shortHash } from './hash.ts'
import { shownPath } from './shown-path.ts'

/** Twice the coarsest common tick of a file system clock (10 ms at 100 Hz). */
const RACY_MS = 20

export type CachedFile = FileRecord

export class FileCache {
  /** another kernel's, after an adoption */
  files = new Map<string, CachedFile>()
  private readonly fs: Pick<FileSystem, 'stat' | 'read'>
  private readonly clock: Pick<Clock, 'now'>

  constructor(fs: Pick<FileSystem, 'stat' | 'read'>, clock: Pick<Clock, 'now'>) {
    this.fs = fs
    this.clock = clock
  }

  /**
   * The file as it is now; undefined when there is none. Throws what the file system throws for anything else, and
   * `file_too_large` before more than `bytesMax` are read.
   */
  get(path: string, bytesMax = Number.POSITIVE_INFINITY): CachedFile | undefined {
    const stat = this.fs.stat(path)
    if (stat === undefined || stat.kind !== 'file') {
      this.files.delete(path)
      return undefined
    }
    const known = this.files.get(path)
    if (known?.settled && known.stat_key === stat.key) return known
    if (stat.bytes > bytesMax) throw coded('file_too_large', { path, bytes: stat.bytes, limit: bytesMax })
    const text = this.fs.read(path)
    if (text === undefined) {
      this.files.delete(path)
      return undefined
    }
    const file: CachedFile = {
      path,
      text,
      hash: known?.text === text ? known.hash : shortHash(text),
      bytes: stat.bytes,
      inode: stat.inode,
      stat_key: stat.key,
      modified_ms: stat.modified_ms,
      settled: Math.abs(this.clock.now() - stat.modified_ms) > RACY_MS,
    }
    this.files.set(path, file)
    return file
  }

  /** The same; a file that is there and cannot be read is as it was last read. */
  getOrLast(path: string): CachedFile | undefined {
    try {
      return this.get(path)
    } catch {
      return this.files.get(path)
    }
  }

  /** What was last read, without looking. */
  peek(path: string): CachedFile | undefined {
    return this.files.get(path)
  }

  forget(path: string): void {
    this.files.delete(path)
  }

  get size(): number {
    return this.files.size
  }
}

/** A file by its cache; throws `file_failed` when it is there and cannot be read. */
export function readCached(cache: FileCache, path: string, root: string): CachedFile | undefined {
  try {
    return cache.get(path)
  } catch (thrown) {
    const file = shownPath(root, path)
    throw coded('file_failed', { path: file, reason: reasonOf(thrown) }, { file }, thrown)
  }
}
