/**
 * The bell: "look again", and where. It never carries meaning: a missed or doubled ring changes nothing, because a
 * sweep over all known files each second compares stamps, and the kernel compares content. Here hints become paths
 * whose writes have come to rest: a half-written file is valid YAML more often than not.
 */
import type { Clock, CreateWatcher, FileStat, FileSystem, Log, TimerToken, Watcher } from '../contracts/seams.ts'
import { reasonOf } from '../lib/errors.ts'
import type { Limits } from './limits.ts'
import { isLocked } from './repository.ts'
import { sweep } from './sweep.ts'
import { createWatcher } from './watcher.ts'

export interface BellOptions {
  fs: FileSystem
  clock: Clock
  limits: Limits
  log: Log
  /** folders watched as a whole */
  folders: readonly string[]
  /** the folder whose new files are found by the sweep too */
  configs: string
  /** while it is there, a checkout is under way: a burst is not over */
  lock: string | undefined
  /** @default the operating system's watches */
  watcher?: CreateWatcher | undefined
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
  /** an event told of bytes written, not only of a name that appeared */
  written: boolean
  /** monotonic ms before which a look shows nothing new, unless there is another hint */
  due: number
}

const IGNORED = /(^|\/)(node_modules|\.git)(\/|$)/

/** Large bursts pause longer: a checkout of 500 files by a busy machine. */
const QUIET_MS_A_PATH = 0.25

/** What `restsIn` answers when events that are already there have to be taken in first. */
const AFTER_EVENTS = -1

/** Two who read a file at different times: the one who was first may not know what the other saw. */
function merged(stamps: Iterable<readonly [string, string | undefined]>): Map<string, string | undefined> {
  const known = new Map<string, string | undefined>()
  for (const [path, key] of stamps) known.set(path, known.has(path) && known.get(path) !== key ? '' : key)
  return known
}

export class Bell {
  private readonly pending = new Map<string, Pending>()
  private readonly rested = new Set<string>()
  /** path → inode at the last rest or sweep */
  private readonly inodes = new Map<string, string>()
  private checkTimer: TimerToken | undefined
  private checkSoon = false
  private sweepTimer: TimerToken | undefined
  private burstStart = 0
  private lastHint = 0
  /** the last hint when it first looked quiet */
  private quietSince = -1
  private sweeping = false
  private closed = false
  private readonly watcher: Watcher
  private readonly options: BellOptions

  constructor(options: BellOptions) {
    this.options = options
    this.watcher = (options.watcher ?? createWatcher)({
      log: options.log,
      roots: options.folders,
      ignored: IGNORED,
      files_max: options.limits.outside_files_max,
      hint: (path, written) => this.hint(path, written),
    })
  }

  start(): void {
    this.watcher.start()
    this.armSweep()
  }

  /** Something may have happened at this path. */
  hint(path: string, written = false): void {
    if (this.closed || IGNORED.test(path)) return
    const now = this.options.clock.monotonic()
    if (this.pending.size === 0 && this.rested.size === 0) this.burstStart = now
    this.lastHint = now
    const pending = this.pending.get(path)
    if (pending === undefined) this.pending.set(path, { key: undefined, since: now, written, due: now })
    else {
      pending.due = now
      if (written) pending.written = true
    }
    this.soonCheck()
  }

  private soonCheck(): void {
    if (this.checkSoon) return
    this.checkSoon = true
    this.options.clock.soon(() => {
      this.checkSoon = false
      this.check()
    })
  }

  private check(): void {
    if (this.closed) return
    const { clock } = this.options
    if (this.checkTimer !== undefined) clock.clear(this.checkTimer)
    this.checkTimer = undefined
    let wait = Number.POSITIVE_INFINITY
    const now = clock.monotonic()
    for (const [path, pending] of this.pending) {
      const early = pending.due - now
      const ms = early > 0 ? early : this.checkOne(path, pending)
      if (ms === AFTER_EVENTS) this.soonCheck()
      else if (ms > 0) wait = Math.min(wait, ms)
    }
    if (this.rested.size > 0) {
      const left = this.burstLeft()
      if (left <= 0) this.deliver()
      else wait = Math.min(wait, left)
    }
    if (wait !== Number.POSITIVE_INFINITY) this.checkTimer = clock.after(Math.max(1, wait), () => this.check())
  }

  /** Milliseconds until it is worth another look; 0 when it has come to rest. */
  private checkOne(path: string, pending: Pending): number {
    const stat = this.look(path)
    const ms = stat === 'folder' ? 0 : this.restsIn(path, stat, pending)
    if (ms === 0) this.rest(path, stat)
    else if (ms > 0) pending.due = this.options.clock.monotonic() + ms
    return ms
  }

  /**
   * Milliseconds until what has rested is handed on; 0 means now. A few files are handed on at once. A burst is one
   * batch: it is over when git holds no lock and nothing has happened for a while, or when it has lasted too long.
   */
  private burstLeft(): number {
    const { clock, limits, fs, lock } = this.options
    const now = clock.monotonic()
    const age = now - this.burstStart
    // Also for the first few files: the others of a checkout are still to come.
    if (lock !== undefined && age < limits.checkout_cap_ms && isLocked(lock, fs)) return limits.burst_quiet_ms
    const paths = this.rested.size + this.pending.size
    if (paths < limits.burst_paths) return 0
    const quietMs = Math.min(limits.burst_quiet_ms + paths * QUIET_MS_A_PATH, limits.burst_quiet_ms_max)
    const left = Math.min(this.lastHint + quietMs - now, limits.burst_cap_ms - age)
    if (left > 0 || this.quietSince === this.lastHint || age >= limits.burst_cap_ms) return left
    // This process may have slept as long as it looked quiet: the events that wait are taken in first.
    this.quietSince = this.lastHint
    this.soonCheck()
    return limits.burst_quiet_ms
  }

  private rest(path: string, stat: FileStat | 'folder' | undefined): void {
    this.pending.delete(path)
    if (stat === 'folder') return
    if (stat === undefined) this.inodes.delete(path)
    else this.inodes.set(path, stat.inode)
    this.rested.add(path)
  }

  private deliver(): void {
    const paths = new Set(this.rested)
    this.rested.clear()
    this.options.ready(paths)
  }

  /** What stands at the path. Folders are no news themselves: they hint at what is in them, or was. */
  private look(path: string): FileStat | 'folder' | undefined {
    let stat: FileStat | undefined
    try {
      stat = this.options.fs.stat(path)
    } catch {
      return undefined // whoever reads it gets the error, and can tell it
    }
    if (stat?.kind === 'folder') {
      this.watcher.entered(path)
      return 'folder'
    }
    if (stat === undefined && this.watcher.left(path)) {
      for (const [known] of this.options.known()) if (known.startsWith(`${path}/`)) this.hint(known)
    }
    return stat?.kind === 'file' ? stat : undefined
  }

  /**
   * Milliseconds until a write at this path counts as finished; 0 means now. A new inode that nobody was seen writing
   * to is an atomic rename: whole by construction. An in-place write rests when its stamp has not moved for a while;
   * an empty file a little longer.
   */
  private restsIn(path: string, stat: FileStat | undefined, pending: Pending): number {
    const { clock, limits } = this.options
    if (stat === undefined) return 0
    const now = clock.monotonic()
    const unmoved = pending.key === stat.key
    if (!unmoved) {
      pending.key = stat.key
      pending.since = now
    }
    const known = this.inodes.get(path)
    if (known !== undefined && known !== stat.inode && stat.bytes > 0 && !pending.written) {
      // The event of a first write into a file made anew may be waiting right behind the event of its name.
      return unmoved ? 0 : AFTER_EVENTS
    }
    const quiet = stat.bytes === 0 ? limits.file_grace_ms : limits.write_quiet_ms
    const byStamp = clock.now() - stat.modified_ms
    const bySight = now - pending.since
    // A stamp in the future says nothing; what we saw with our own clock always counts.
    return Math.max(0, quiet - Math.max(bySight, byStamp))
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

  /** Never rejects. */
  async sweep(): Promise<void> {
    if (this.sweeping || this.closed) return
    this.sweeping = true
    const { fs, clock, limits, log, configs } = this.options
    const known = merged(this.options.known())
    try {
      this.watcher.follow(known.keys())
      this.watcher.startMissing()
      await sweep({
        fs,
        clock,
        slice_files: limits.sweep_slice_files,
        known,
        configs,
        ended: () => this.closed,
        differs: (path) => this.hint(path),
        same: (path, inode) => this.inodes.set(path, inode),
      })
      for (const path of this.inodes.keys()) if (!known.has(path)) this.inodes.delete(path)
    } catch (error) {
      log.warn(`sweeping: ${reasonOf(error)}`)
    } finally {
      this.sweeping = false
      if (!this.closed) this.options.swept()
    }
  }

  async close(): Promise<void> {
    this.closed = true
    const { clock } = this.options
    if (this.checkTimer !== undefined) clock.clear(this.checkTimer)
    if (this.sweepTimer !== undefined) clock.clear(this.sweepTimer)
    await this.watcher.close()
  }
}
