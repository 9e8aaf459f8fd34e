/**
 * Rings for files outside the watched folders: a helper that a module imports from elsewhere in the root, or beside it.
 * There are few of them and they may stand anywhere, which is what chokidar is for; the folders, with their thousands
 * of files, have `folders.ts`. Its `raw` event counts as well as the others: `change` alone is held back for 50 ms and
 * loses the end of a slow save. A hint like all else: what it misses, the sweep finds.
 */
import { join } from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import type { Log } from '../contracts/seams.ts'
import { reasonOf } from '../lib/errors.ts'

export interface OutsidersOptions {
  log: Log
  /** whether a path is watched with its folder already */
  inside(path: string): boolean
  /** how many files are watched at most; the others are left to the sweep */
  files_max: number
  /** Something may have happened at this path. Must not throw. */
  hint(path: string): void
}

export class Outsiders {
  private watcher: FSWatcher | undefined
  private watched = new Set<string>()
  private readonly options: OutsidersOptions

  constructor(options: OutsidersOptions) {
    this.options = options
  }

  /** From now on rings for those of these paths that are outside, and no longer for any other. */
  follow(paths: Iterable<string>): void {
    const wanted = new Set<string>()
    for (const path of paths) {
      if (wanted.size >= this.options.files_max) break
      if (!this.options.inside(path)) wanted.add(path)
    }
    const gone = [...this.watched].filter((path) => !wanted.has(path))
    const added = [...wanted].filter((path) => !this.watched.has(path))
    this.watched = wanted
    if (gone.length > 0) void this.watcher?.unwatch(gone)
    if (added.length > 0) this.open().add(added)
  }

  private open(): FSWatcher {
    if (this.watcher !== undefined) return this.watcher
    const watcher = watch([], { ignoreInitial: true, atomic: false })
    watcher.on('all', (_event, path) => this.options.hint(path))
    watcher.on('raw', (_event, path, details) => {
      const { watchedPath } = details as { watchedPath?: string }
      if (watchedPath === undefined) return
      // The path is the file itself, or a folder with the file's name beside it.
      for (const one of [watchedPath, join(watchedPath, path)]) if (this.watched.has(one)) this.options.hint(one)
    })
    watcher.on('error', (error) => this.options.log.warn(`watching: ${reasonOf(error)}`))
    this.watcher = watcher
    return watcher
  }

  async close(): Promise<void> {
    await this.watcher?.close()
  }
}
