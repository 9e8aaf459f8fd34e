/**
 * The bell: "look again", and where. It never carries meaning: a missed or doubled ring changes nothing, because a
 * sweep over all known files each second compares stamps, and the kernel compares content. chokidar's `raw` event is
 * used beside `all`: `change` alone fires on the leading edge of a slow write and loses its end.
 */
import { join } from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import type { Clock, FileSystem, Log, TimerToken } from '../contracts/seams.ts'
import { reasonOf } from '../lib/errors.ts'
import type { Limits } from './limits.ts'

export interface BellOptions {
  fs: FileSystem
  clock: Clock
  limits: Limits
  log: Log
  /** folders watched as a whole */
  folders: readonly string[]
  /** the folder whose new files are found by the sweep too */
  configs: string
  /** what is known: absolute path → stat key as last read, '' when it must be looked at, undefined when it was absent */
  known(): Iterable<readonly [string, string | undefined]>
  /** Called with paths whose writes have come to rest. Must not throw. */
  ready(paths: ReadonlySet<string>): void
  /** Called after each sweep. Must not throw. */
  swept(): void
}

interface Pending {
  key: string | undefined
  /** monotonic ms at which this key was first seen */
  since: number
}

const IGNORED = /(^|\/)(node_modules|\.git)(\/|$)/

export class Bell {
  private watcher: FSWatcher | undefined
  private readonly pending = new Map<string, Pending>()
  private readonly rested = new Set<string>()
  private readonly inodes = new Map<string, string>()
  private checkTimer: TimerToken | undefined
  private checkSoon = false
  private sweepTimer: TimerToken | undefined
  private burstStart = 0
  private lastHint = 0
  private sweeping = false
  private closed = false
  private readonly options: BellOptions

  constructor(options: BellOptions) {
    this.options = options
  }

  start(): void {
    const watcher = watch([...this.options.folders], {
      ignoreInitial: true,
      ignored: (path) => IGNORED.test(path),
      atomic: false,
      alwaysStat: false,
    })
    watcher.on('all', (_event, path) => this.hint(path))
    watcher.on('raw', (_event, path, details) => {
      const { watchedPath } = details as { watchedPath?: string }
      if (watchedPath === undefined) return
      this.hint(watchedPath)
      if (path) this.hint(join(watchedPath, path))
    })
    watcher.on('error', (error) => this.options.log.warn(`watching: ${reasonOf(error)}`))
    watcher.on('ready', () => void this.sweep())
    this.watcher = watcher
    this.armSweep()
  }

  /** Something may have happened at this path. */
  hint(path: string): void {
    if (this.closed || IGNORED.test(path)) return
    const now = this.options.clock.monotonic()
    if (this.pending.size === 0 && this.rested.size === 0) this.burstStart = now
    this.lastHint = now
    if (!this.pending.has(path)) this.pending.set(path, { key: undefined, since: now })
    if (this.checkSoon) return
    this.checkSoon = true
    this.options.clock.soon(() => {
      this.checkSoon = false
      this.check()
    })
  }

  private check(): void {
    if (this.closed) return
    const { clock, limits } = this.options
    if (this.checkTimer !== undefined) clock.clear(this.checkTimer)
    this.checkTimer = undefined
    let wait = Number.POSITIVE_INFINITY
    for (const [path, pending] of this.pending) {
      const ms = this.restsIn(path, pending)
      if (ms > 0) {
        wait = Math.min(wait, ms)
        continue
      }
      this.pending.delete(path)
      this.rested.add(path)
    }
    if (this.rested.size > 0) {
      const burst = this.rested.size + this.pending.size >= limits.burst_paths
      const now = clock.monotonic()
      const quiet = this.lastHint + limits.burst_quiet_ms - now
      const cap = this.burstStart + limits.burst_cap_ms - now
      if (!burst || Math.min(quiet, cap) <= 0) this.deliver()
      else wait = Math.min(wait, quiet, cap)
    }
    if (wait !== Number.POSITIVE_INFINITY) this.checkTimer = clock.after(Math.max(1, wait), () => this.check())
  }

  private deliver(): void {
    const paths = new Set(this.rested)
    this.rested.clear()
    this.options.ready(paths)
  }

  /**
   * Milliseconds until a write at this path counts as finished; 0 means now. A new inode is an atomic rename: whole
   * by construction. An in-place write rests when its stamp has not moved for a while; an empty file a little longer.
   */
  private restsIn(path: string, pending: Pending): number {
    const { fs, clock, limits } = this.options
    let stat: ReturnType<FileSystem['stat']>
    try {
      stat = fs.stat(path)
    } catch {
      return 0
    }
    if (stat === undefined || stat.kind !== 'file') return 0
    const now = clock.monotonic()
    if (pending.key !== stat.key) {
      pending.key = stat.key
      pending.since = now
    }
    const known = this.inodes.get(path)
    this.inodes.set(path, stat.inode)
    if (known !== undefined && known !== stat.inode && stat.bytes > 0) return 0
    const quiet = stat.bytes === 0 ? limits.file_grace_ms : limits.write_quiet_ms
    const byStamp = clock.now() - stat.modified_ms
    const bySight = now - pending.since
    // A stamp in the future says nothing; what we saw with our own clock always counts.
    return quiet - Math.max(bySight, byStamp)
  }

  private armSweep(): void {
    if (this.closed) return
    const { clock, limits } = this.options
    this.sweepTimer = clock.after(
      limits.sweep_ms,
      () => {
        void this.sweep().finally(() => this.armSweep())
      },
      { ref: false },
    )
  }

  /** Compares the stamp of every known file, and the list of config files, with the disk. Never rejects. */
  async sweep(): Promise<void> {
    if (this.sweeping || this.closed) return
    this.sweeping = true
    try {
      const known = new Map(this.options.known())
      const paths = [...known.keys()]
      for (let at = 0; at < paths.length; at += this.options.limits.sweep_parallel_files) {
        const some = paths.slice(at, at + this.options.limits.sweep_parallel_files)
        await Promise.all(some.map((path) => this.compare(path, known.get(path))))
      }
      await this.findNew(this.options.configs, known, 0)
    } catch (error) {
      this.options.log.warn(`sweeping: ${reasonOf(error)}`)
    } finally {
      this.sweeping = false
      if (!this.closed) this.options.swept()
    }
  }

  private async compare(path: string, key: string | undefined): Promise<void> {
    try {
      const stat = await this.options.fs.statLater(path)
      if (stat === undefined ? key !== undefined : stat.key !== key) this.hint(path)
    } catch {
      this.hint(path)
    }
  }

  private async findNew(folder: string, known: ReadonlyMap<string, unknown>, depth: number): Promise<void> {
    if (depth > 8) return
    for (const name of await this.options.fs.listLater(folder)) {
      if (name.startsWith('.')) continue
      const path = join(folder, name)
      if (/\.ya?ml$/.test(name)) {
        if (!known.has(path)) this.hint(path)
      } else if ((await this.options.fs.statLater(path))?.kind === 'folder') {
        await this.findNew(path, known, depth + 1)
      }
    }
  }

  async close(): Promise<void> {
    this.closed = true
    const { clock } = this.options
    if (this.checkTimer !== undefined) clock.clear(this.checkTimer)
    if (this.sweepTimer !== undefined) clock.clear(this.sweepTimer)
    await this.watcher?.close()
  }
}
