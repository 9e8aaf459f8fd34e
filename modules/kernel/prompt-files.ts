/**
 * Prompts that were read, with the content they had. A prompt is read when it is asked for; this only tells that the
 * next reader gets another text. Used by `kernel.ts`.
 */
import { readCached, type CachedFile, type FileCache } from '../lib/file-cache.ts'

export class PromptFiles {
  /** absolute path → hash; another kernel's, after an adoption */
  hashes = new Map<string, string | undefined>()
  private readonly cache: FileCache
  private readonly root: string
  private readonly onChanged: (path: string) => void

  /** `onChanged` must not throw. */
  constructor(cache: FileCache, root: string, onChanged: (path: string) => void) {
    this.cache = cache
    this.root = root
    this.onChanged = onChanged
  }

  /** Throws `file_failed` when it is there and cannot be read. */
  read(path: string): CachedFile | undefined {
    const file = readCached(this.cache, path, this.root)
    this.hashes.set(path, file?.hash)
    return file
  }

  noticed(paths: ReadonlySet<string>): void {
    for (const path of paths) {
      if (!this.hashes.has(path)) continue
      const hash = this.cache.getOrLast(path)?.hash
      if (hash === this.hashes.get(path)) continue
      this.hashes.set(path, hash)
      this.onChanged(path)
    }
  }

  /** absolute path → stat key as it was read */
  *stamps(): Iterable<[string, string | undefined]> {
    for (const [path, hash] of this.hashes) {
      const file = this.cache.peek(path)
      // Somebody else may have read the file since.
      const isSeen = file === undefined || (file.settled && file.hash === hash)
      yield [path, isSeen ? file?.stat_key : '']
    }
  }
}
