/**
 * A watcher that is worse than any real one: it loses hints, tells them twice, late, and in another order. It hears of
 * what happens in folders it knows of, as the operating system's watches do.
 */
import { dirname } from 'node:path'
import type { Clock, CreateWatcher, Watcher, WatcherOptions } from '../../modules/contracts/seams.ts'
import type { Random } from '../support/load.ts'
import type { MemoryFileSystem } from './memory-fs.ts'

export interface Hearing {
  /** share of hints that never come */
  lost: number
  /** share of the others that come twice */
  doubled: number
  late_ms_max: number
}

export function hearing(fs: MemoryFileSystem, clock: Clock, random: Random, how: Hearing): CreateWatcher {
  const watchers = new Set<SimWatcher>()
  fs.onChange = (path, written) => {
    for (const watcher of watchers) {
      if (!watcher.hears(path) || random.next() < how.lost) continue
      for (let times = random.next() < how.doubled ? 2 : 1; times > 0; times--) {
        const late = how.late_ms_max === 0 ? 0 : random.between(0, how.late_ms_max)
        clock.after(late, () => watcher.tell(path, written))
      }
    }
  }
  return (options) => {
    const watcher = new SimWatcher(fs, options, () => watchers.delete(watcher))
    watchers.add(watcher)
    return watcher
  }
}

class SimWatcher implements Watcher {
  private readonly known = new Set<string>()
  private followed = new Set<string>()
  private closed = false
  private readonly fs: MemoryFileSystem
  private readonly options: WatcherOptions

  private readonly leave: () => void

  constructor(fs: MemoryFileSystem, options: WatcherOptions, leave: () => void) {
    this.fs = fs
    this.options = options
    this.leave = leave
  }

  hears(path: string): boolean {
    return this.known.has(dirname(path)) || this.followed.has(path)
  }

  tell(path: string, written: boolean): void {
    if (!this.closed) this.options.hint(path, written)
  }

  private isInside(path: string): boolean {
    return this.options.roots.some((root) => path === root || path.startsWith(`${root}/`))
  }

  start(): void {
    for (const path of this.fs.folderPaths()) if (this.isInside(path)) this.known.add(path)
  }

  startMissing(): void {
    for (const root of this.options.roots) this.entered(root)
  }

  entered(path: string): void {
    if (this.known.has(path) || !this.fs.folderPaths().includes(path)) return
    this.known.add(path)
    for (const inside of this.fs.paths(`${path}/`)) this.tell(inside, false)
  }

  left(path: string): boolean {
    return this.known.delete(path)
  }

  follow(paths: Iterable<string>): void {
    this.followed = new Set([...paths].filter((path) => !this.isInside(path)))
  }

  close(): Promise<void> {
    this.closed = true
    this.leave()
    return Promise.resolve()
  }
}
