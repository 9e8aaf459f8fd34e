/**
 * The seams: everything the kernel and the loader take from outside, so that a test can stand in for the world.
 * Each is the smallest set of methods its users need. None of these may throw anything but a coded error or the
 * plain error of the thing behind it; none may be called after `close()` of its owner.
 */
import type { ErrorData } from './errors.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonMap = { [key: string]: Json }

/** A timer that was armed; `Clock.clear` disarms it. */
export type TimerToken = { readonly id: unknown }

export interface Clock {
  /** Wall time, epoch milliseconds. May jump: use it for records only. */
  now(): number
  /** Milliseconds since some start, never going back. Decides every deadline. */
  monotonic(): number
  /** Calls back once after `ms`. The callback must not throw. `ref: false` lets the process end before it. */
  after(ms: number, callback: () => void, options?: { ref?: boolean }): TimerToken
  clear(token: TimerToken): void
  /** Calls back once, after what is already under way. The callback must not throw. */
  soon(callback: () => void): void
}

export interface FileStat {
  kind: 'file' | 'folder' | 'other'
  /** inode, size and nanosecond times as one comparable string. */
  key: string
  /** which file it is, whatever its path: equal for all that leads to it */
  inode: string
  bytes: number
  /** permission bits */
  mode: number
  /** epoch milliseconds, with fraction */
  modified_ms: number
}

/** Reads are synchronous: files here are small, and a reload must see one state of the disk. */
export interface FileSystem {
  /** undefined when nothing is there; throws for anything else (EACCES, EIO). */
  stat(path: string): FileStat | undefined
  /** undefined when nothing is there. */
  read(path: string): string | undefined
  /** Names in a folder, sorted; empty when it does not exist. */
  list(path: string): string[]
  /** Whole or not at all: written beside, flushed, renamed. Makes missing folders. */
  write(path: string, text: string, options?: { mode?: number }): void
  /** Like `write`, without blocking and, but for `flush`, without waiting for the disk. */
  writeLater(path: string, text: string, options?: { mode?: number; flush?: boolean }): Promise<void>
  remove(path: string): void
}

/** Large files that are no text. */
export interface ByteFiles {
  /** undefined when nothing is there. */
  readBytes(path: string): Buffer | undefined
  /** Whole or not at all, without blocking and without waiting for the disk. */
  writeBytes(path: string, bytes: Buffer): Promise<void>
}

/** What was worked out from content, perhaps by a process before. A key holds the hash of that content. */
export interface ContentCache {
  /** The parts of an entry as texts. */
  get(key: string): readonly string[] | undefined
  /** The same as bytes, nothing of which is copied. */
  bytes(key: string): readonly Buffer[] | undefined
  /** Who knows what is in use; asked when the cache is written. A later one of the same name replaces it. */
  keep(name: string, inUse: () => Iterable<readonly [key: string, parts: () => readonly (string | Buffer)[]]>): void
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Never throws, never blocks for long. `fields` must be plain data. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
  child(name: string): Log
}

/** Hears what happens to files. May lose, double or delay any hint. */
export interface Watcher {
  /** Watches all there is, without a hint for it. */
  start(): void
  /** Watches roots that were not there before, and hints at what is in them. */
  startMissing(): void
  /** A folder stands at this path: when it is not watched yet, hints at what is in it. */
  entered(path: string): void
  /** Nothing stands at this path any more. True when a watched folder did. */
  left(path: string): boolean
  /** From now on hints for those of these paths that are outside the roots, and no longer for any other. */
  follow(paths: Iterable<string>): void
  close(): Promise<void>
}

export interface WatcherOptions {
  log: Log
  /** folders watched with everything below them */
  roots: readonly string[]
  ignored: RegExp
  /** how many files outside the roots are watched at most */
  files_max: number
  /** Something may have happened at this path; `written` when bytes were, not only a name that came or went. */
  hint(path: string, written: boolean): void
}

export type CreateWatcher = (options: WatcherOptions) => Watcher

/** What the loader found when it read a module's local import graph. Nothing has been evaluated. */
export interface Scan {
  /** absolute path of the entry file */
  readonly entry: string
  /** Content address of the whole local graph: equal keys mean equal code. */
  readonly key: string
  /** absolute path → content hash, for every local file of the graph */
  readonly files: ReadonlyMap<string, string>
  /** absolute path → text, for every local file of the graph: what an undo writes back */
  readonly texts: ReadonlyMap<string, string>
  /** absolute path → stat key of that read; empty when it was too fresh to be trusted, so that it is read again */
  readonly stamps: ReadonlyMap<string, string>
  /** absolute paths that an import asked for and that were not there: their appearance is a reason to look again */
  readonly missing: readonly string[]
  /** The latest modification among the files, epoch milliseconds. */
  readonly modified_ms: number
  /** Set when the graph cannot be evaluated: syntax, missing import. */
  readonly error?: ErrorData
}

/** Who owns evaluated code. It stands in every stack frame's URL, so that a late error finds its owner. */
export interface CodeOwner {
  service: string
  generation: number
}

/** One evaluated graph. `release` drops it: owned timers of files no other version of the service uses are cleared. */
export interface Evaluated {
  readonly exports: Readonly<Record<string, unknown>>
  release(): void
  /**
   * Code that runs elsewhere cannot hand its state over in the tick of the switch. Asked when it is quiet; afterwards
   * `handOver` answers at once. Never rejects: what went wrong is thrown by `handOver`.
   */
  fetchState?(): Promise<void>
  /** Resolves when what `takeOver` was given has arrived there. Rejects as `takeOver` would throw. */
  stateArrived?(): Promise<void>
  /** Resolves when what `configure` was given is in force there. Rejects as `configure` would throw. */
  configured?(): Promise<void>
  /** Aspects besides `default` and `tool` are asked for by name: afterwards `getAspect(name)` answers. */
  fetchAspect?(name: string): Promise<void>
  /** Of code that runs elsewhere: processor time and heap since it was evaluated. */
  usage?(): Promise<{ cpu_ms: number; heap_bytes: number }>
}

/**
 * Where the versions of a service run. What it gives stands for the code: `exports.Module` is constructed and its
 * instances are called like any others, wherever the code itself is. Calls to another place pass structured clones and
 * may fail later than those here: a constructor that throws there may be told by `init()`. After `release` nothing of
 * the version runs any more. The suite in `test/conformance/module-host.ts` says the rest; in this process the loader is
 * the host.
 */
export interface ModuleHost {
  /** Rejects with a coded error naming file, line and column. */
  evaluate(scan: Scan, owner: CodeOwner, limits: { evaluate_ms: number }): Promise<Evaluated>
}

/** Told what comes next on the main thread, so that a standstill finds whose it is. Must be cheap and never throw. */
export interface Pulse {
  /** A call enters a version's code. */
  entered(owner: CodeOwner): void
  /** A version is being built, step by step: the step before has ended. */
  building(owner: CodeOwner): void
}

/** A late error of evaluated code, told to whoever owns it. Must not throw. */
export type FaultListener = (thrown: unknown, owner: CodeOwner) => void

export interface Loader extends ModuleHost {
  /** Looks at every file of the graph anew, transforms what changed. Never throws: errors are in the result. */
  scan(entry: string): Scan
  /** The same from texts that were kept: of the graph, nothing is read from disk; packages are the installed ones. */
  scanTexts(entry: string, texts: ReadonlyMap<string, string>): Scan
  /** The graph as it stands on disk, but for these files: each would hold the text, or be gone. */
  scanWith(entry: string, texts: ReadonlyMap<string, string | null>): Scan
  /** The packages a graph imports, with their installed versions. */
  packagesOf(scan: Scan): Record<string, string>
  /** Which service's code a thrown value comes from, by the first stack frame that names one. */
  ownerOf(thrown: unknown): CodeOwner | undefined
  /** Where a thrown value comes from, in the source as it was written: the first frame inside a loaded module. */
  placeOf(thrown: unknown): { file: string; line: number; column: number } | undefined
  /** Counts of what is held, for tests and `mm doctor`. */
  stats(): { sources: number; records: number; urls: number }
}
