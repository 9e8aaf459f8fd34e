/**
 * Prompts that were read, with the content they had. A prompt is read when it is asked for; this only tells that the
 * next reader gets another text. Used by `kernel.ts`.
 */
import type { CachedFile, FileCache } from '../lib/file-cache.ts'

export class PromptFiles {
  /** absolute path → hash; another kernel's, after an adoption */
  hashes = new Map<string, string | undefined>()
  private readonly cache: FileCache
  private readonly onChanged: (path: string) => void

  /** `onChanged` must not throw. */
  constructor(cache: FileCache, onChanged: (path: string) => void) {
    this.cache = cache
    this.onChanged = onChanged
  }

  read(path: string): CachedFile | undefined {
    const file = this.cache.get(path)
    this.hashes.set(path, file?.hash)
    return file
  }

  noticed(paths: ReadonlySet<string>): void {
    for (const path of paths) {
      if (!this.hashes.has(path)) continue
      const hash = this.cache.get(path)?.hash
      if (hash === this.hashes.get(path)) continue
      this.hashes.set(path, hash)
      this.onChanged(path)
    }
  }

  /** absolute path → stat key as it was read */
  *stamps(): Iterable<[string, string | undefined]> {
    for (const path of this.hashes.keys()) {
      const file = this.cache.peek(path)
      yield [path, file?.settled === false ? '' : file?.stat_key]
    }
  }
}
