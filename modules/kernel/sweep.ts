/**
 * One sweep: compares the stamp of every known file, and the list of config files, with the disk. It makes up for any
 * event that was lost. Stats are synchronous, in slices with everything else in between: a thousand asynchronous ones
 * cost the event loop ten times as much. Reads only; the bell decides what a difference means.
 */
import { join } from 'node:path'
import type { Clock, FileStat, FileSystem } from '../contracts/seams.ts'

export interface SweepOptions {
  fs: FileSystem
  clock: Clock
  /** files looked at before anything else gets its turn */
  slice_files: number
  /** absolute path → stat key as last read, '' when it must be looked at, undefined when it was absent */
  known: ReadonlyMap<string, string | undefined>
  /** the folder whose new files are found too */
  configs: string
  /** asked between slices: true ends the sweep */
  ended(): boolean
  /** Must not throw. */
  differs(path: string): void
  /** Must not throw. */
  same(path: string, inode: string): void
}

const DEPTH_MAX = 8

interface Folder {
  path: string
  /** the inodes of the folders it is in: a link to one of them would lead round and round */
  around: readonly string[]
}

export async function sweep(options: SweepOptions): Promise<void> {
  const { clock, known, slice_files: slice } = options
  const pause = (): Promise<void> => new Promise((resolve) => clock.soon(resolve))
  let looked = 0
  for (const [path, key] of known) {
    compare(path, key, options)
    if (++looked % slice > 0) continue
    await pause()
    if (options.ended()) return
  }
  const inode = statOf(options.configs, options.fs)?.inode
  const folders: Folder[] = inode === undefined ? [] : [{ path: options.configs, around: [inode] }]
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    await pause()
    if (options.ended()) return
    for (const folder of findNew(next, options)) if (next.around.length <= DEPTH_MAX) folders.push(folder)
  }
}

function compare(path: string, key: string | undefined, { fs, differs, same }: SweepOptions): void {
  try {
    const stat = fs.stat(path)
    if (stat?.key !== key) differs(path)
    else if (stat !== undefined) same(path, stat.inode)
  } catch {
    differs(path)
  }
}

/** Tells of config files that are not known; returns the folders in this one. What cannot be looked at is passed over. */
function findNew({ path: folder, around }: Folder, { fs, known, differs }: SweepOptions): Folder[] {
  const folders: Folder[] = []
  let names: string[]
  try {
    names = fs.list(folder)
  } catch {
    return folders
  }
  for (const name of names) {
    if (name.startsWith('.')) continue
    const path = join(folder, name)
    if (/\.ya?ml$/.test(name)) {
      if (!known.has(path)) differs(path)
      continue
    }
    const stat = statOf(path, fs)
    if (stat?.kind !== 'folder' || around.includes(stat.inode)) continue
    folders.push({ path, around: [...around, stat.inode] })
  }
  return folders
}

function statOf(path: string, fs: FileSystem): FileStat | undefined {
  try {
    return fs.stat(path)
  } catch {
    return undefined
  }
}
