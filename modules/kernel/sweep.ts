/**
 * One sweep: compares the stamp of every known file, and the list of config files, with the disk. It makes up for any
 * event that was lost. Stats are synchronous, in slices with everything else in between: a thousand asynchronous ones
 * cost the event loop ten times as much. Reads only; the bell decides what a difference means.
 */
import { join } from 'node:path'
import type { Clock, FileSystem } from '../contracts/seams.ts'

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
  const folders = [{ path: options.configs, depth: 0 }]
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    await pause()
    if (options.ended()) return
    const { path, depth } = next
    for (const folder of findNew(path, options)) if (depth < DEPTH_MAX) folders.push({ path: folder, depth: depth + 1 })
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

/** Tells of config files that are not known; returns the folders in this one. */
function findNew(folder: string, { fs, known, differs }: SweepOptions): string[] {
  const folders: string[] = []
  for (const name of fs.list(folder)) {
    if (name.startsWith('.')) continue
    const path = join(folder, name)
    if (/\.ya?ml$/.test(name)) {
      if (!known.has(path)) differs(path)
    } else if (fs.stat(path)?.kind === 'folder') {
      folders.push(path)
    }
  }
  return folders
}
