/**
 * Files in memory, with stamps as a disk gives them: an inode that a rename changes and a write does not, and times
 * from a coarse clock. The kernel's calls may be made to fail; what the world outside does to files never fails, and
 * is told to whoever watches.
 */
import { dirname } from 'node:path'
import type { Clock, FileStat, FileSystem } from '../../modules/contracts/seams.ts'

export type FsCall = 'stat' | 'read' | 'list' | 'write' | 'remove'

interface MemoryFile {
  text: string
  stat: FileStat
}

/** Twice an hour of writes would fit between two ticks of nothing: disks stamp with a clock of about this grain. */
const GRAIN_MS = 4

export const diskError = (code: string, call: string): Error =>
  Object.assign(new Error(`${code}: ${call} failed`), { code })

export class MemoryFileSystem implements FileSystem {
  private readonly files = new Map<string, MemoryFile>()
  /** folder → names in it */
  private readonly folders = new Map<string, Set<string>>()
  private readonly clock: Pick<Clock, 'now'>
  private stamped = 0
  /** Asked before each call of the kernel or the loader: what it returns is thrown. */
  fault: ((call: FsCall, path: string) => Error | undefined) | undefined
  /** Something happened at this path; `written` when bytes were, not only a name that came or went. */
  onChange: (path: string, written: boolean) => void = () => {}

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock
    this.folders.set('/', new Set())
  }

  stat = (path: string): FileStat | undefined => {
    this.check('stat', path)
    const file = this.files.get(path)
    if (file !== undefined) return file.stat
    if (!this.folders.has(path)) return undefined
    return { kind: 'folder', key: `folder ${path}`, inode: path, bytes: 0, mode: 0o755, modified_ms: 0 }
  }

  read = (path: string): string | undefined => {
    this.check('read', path)
    return this.files.get(path)?.text
  }

  list = (path: string): string[] => {
    this.check('list', path)
    return [...(this.folders.get(path) ?? [])].sort()
  }

  write = (path: string, text: string): void => {
    this.check('write', path)
    this.replace(path, text)
  }

  writeLater = (path: string, text: string): Promise<void> => Promise.resolve(this.write(path, text))

  remove = (path: string): void => {
    this.check('remove', path)
    this.delete(path)
  }

  private check(call: FsCall, path: string): void {
    const error = this.fault?.(call, path)
    if (error !== undefined) throw error
  }

  // --- the world outside --------------------------------------------------------------------------------------------

  textOf(path: string): string | undefined {
    return this.files.get(path)?.text
  }

  /** Paths of all files below a folder, sorted. */
  paths(folder = '/'): string[] {
    return [...this.files.keys()].filter((path) => path.startsWith(folder)).sort()
  }

  folderPaths(): string[] {
    return [...this.folders.keys()]
  }

  mkdir(path: string): void {
    if (this.folders.has(path)) return
    this.mkdir(dirname(path))
    this.folders.set(path, new Set())
    this.name(path)
  }

  /** In place: the same inode. */
  put(path: string, text: string): void {
    const known = this.files.get(path)
    this.set(path, text, known?.stat.inode)
    if (known === undefined) this.onChange(path, false)
    this.onChange(path, true)
  }

  /** Written beside and renamed: a new inode, and never half of it. */
  replace(path: string, text: string): void {
    this.set(path, text, undefined)
    this.onChange(path, false)
  }

  rename(from: string, to: string): void {
    const file = this.files.get(from)
    if (file === undefined) return
    this.drop(from)
    this.set(to, file.text, file.stat.inode, file.stat.modified_ms)
    this.onChange(from, false)
    this.onChange(to, false)
  }

  delete(path: string): void {
    if (!this.files.has(path)) return
    this.drop(path)
    this.onChange(path, false)
  }

  /** The same bytes elsewhere, without anybody who watches. */
  copy(clock: Pick<Clock, 'now'>): MemoryFileSystem {
    const copy = new MemoryFileSystem(clock)
    for (const path of this.folders.keys()) copy.mkdir(path)
    for (const [path, { text }] of this.files) copy.put(path, text)
    return copy
  }

  private set(path: string, text: string, inode: string | undefined, modified?: number): void {
    this.mkdir(dirname(path))
    const stamp = Math.floor(this.clock.now() / GRAIN_MS) * GRAIN_MS
    const own = inode ?? String(++this.stamped)
    const modified_ms = modified ?? stamp
    const key = `${own}:${text.length}:${modified_ms}:${stamp}`
    this.files.set(path, {
      text,
      stat: { kind: 'file', key, inode: own, bytes: text.length, mode: 0o644, modified_ms },
    })
    this.name(path)
  }

  private name(path: string): void {
    this.folders.get(dirname(path))?.add(path.slice(path.lastIndexOf('/') + 1))
  }

  private drop(path: string): void {
    this.files.delete(path)
    this.folders.get(dirname(path))?.delete(path.slice(path.lastIndexOf('/') + 1))
  }
}
