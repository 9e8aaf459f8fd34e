/**
 * Rings for what happens in folders, with one watch of the operating system for each. Always: a new folder is watched
 * first and listed then, so nothing written into it is missed; one that was replaced is watched anew. Files have no
 * watches of their own: their folder's names them. What is behind a link to a file is left to the sweep. Used by the
 * bell. (chokidar reads a folder again, with a stat for every file, at each event: 25 ms of every save among 1,000.)
 */
import { readdirSync, realpathSync, watch, type Dirent, type FSWatcher } from 'node:fs'
import { basename, join } from 'node:path'
import type { Log } from '../contracts/seams.ts'
import { reasonOf } from '../lib/errors.ts'

export interface FoldersOptions {
  log: Log
  /** watched with everything below them */
  roots: readonly string[]
  ignored: RegExp
  /** Something happened at this path; `written` when bytes were, not only a name that came or went. Must not throw. */
  hint(path: string, written: boolean): void
}

interface Watched {
  /** where it stands when no link leads to it */
  real: string
  /** undefined once the folder may have been replaced */
  watcher: FSWatcher | undefined
}

export class Folders {
  private readonly watched = new Map<string, Watched>()
  private readonly options: FoldersOptions

  constructor(options: FoldersOptions) {
    this.options = options
  }

  /** Watches all there is, without ringing for it. */
  start(): void {
    for (const root of this.options.roots) this.open(root, false)
  }

  /** Watches roots that were not there before, and rings for what is in them. */
  startMissing(): void {
    for (const root of this.options.roots) this.entered(root)
  }

  /** A folder stands at this path: when it is not watched yet, rings for what is in it. */
  entered(path: string): void {
    if (this.watched.get(path)?.watcher === undefined) this.open(path, true)
  }

  /** Nothing stands at this path any more. True when a folder did. */
  left(path: string): boolean {
    if (!this.watched.has(path)) return false
    this.forget(path)
    this.watched.delete(path)
    return true
  }

  private open(path: string, ring: boolean): void {
    if (this.options.ignored.test(path)) return
    let names: Dirent[]
    try {
      const real = realpathSync(path)
      // A link back into the tree would lead round and round.
      if (real !== path && [...this.watched].some(([other, known]) => other !== path && known.real === real)) return
      const watcher = watch(path, (event, name) => this.onEvent(path, event, name))
      watcher.on('error', (error) => this.options.log.warn(`watching ${path}: ${reasonOf(error)}`))
      this.watched.set(path, { real, watcher })
      names = readdirSync(path, { withFileTypes: true })
    } catch (error) {
      // Gone again, or never there; anything else (too many watches) leaves the work to the sweep.
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.options.log.warn(`watching ${path}: ${reasonOf(error)}`)
      return
    }
    for (const entry of names) {
      const inside = join(path, entry.name)
      if (ring) this.options.hint(inside, false)
      else if (entry.isDirectory() || entry.isSymbolicLink()) this.open(inside, false)
    }
  }

  private onEvent(folder: string, event: string, name: string | null): void {
    const known = this.watched.get(folder)
    if (known?.watcher === undefined) return
    if (name === null || (event === 'rename' && name === basename(folder))) {
      // Something unnamed, or the folder's own end: whatever stands there now is looked at anew.
      this.forget(folder)
      this.options.hint(folder, false)
    }
    if (name === null) return
    const path = join(folder, name)
    if (event === 'rename' && this.watched.has(path)) this.forget(path)
    this.options.hint(path, event === 'change')
  }

  /** Ends the watches of a folder and of all below it; the folder itself stays known. */
  private forget(path: string): void {
    for (const [folder, known] of this.watched) {
      if (folder !== path && !folder.startsWith(`${path}/`)) continue
      known.watcher?.close()
      known.watcher = undefined
      if (folder !== path) this.watched.delete(folder)
    }
  }

  close(): void {
    for (const { watcher } of this.watched.values()) watcher?.close()
    this.watched.clear()
  }
}
