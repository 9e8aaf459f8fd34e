/**
 * Is git writing files right now? It holds `index.lock` from before the first file to after the last, so a checkout of
 * any size, on a machine of any speed, can be taken as one batch. Read by the bell during a burst; a hint like all
 * else there: a lock left behind by a crash delays a burst up to its cap and no further.
 */
import { dirname, isAbsolute, join } from 'node:path'
import type { FileSystem } from '../contracts/seams.ts'

const PARENTS_MAX = 20

/** The lock of the repository a folder is in, if it is in one, and the disk says so. */
export function indexLockOf(folder: string, fs: FileSystem): string | undefined {
  try {
    return findLock(folder, fs)
  } catch {
    return undefined
  }
}

/** What cannot be looked at holds nothing up. */
export function isLocked(lock: string, fs: FileSystem): boolean {
  try {
    return fs.stat(lock) !== undefined
  } catch {
    return false
  }
}

function findLock(folder: string, fs: FileSystem): string | undefined {
  let at = folder
  for (let level = 0; level < PARENTS_MAX; level++) {
    const git = join(at, '.git')
    const kind = fs.stat(git)?.kind
    if (kind === 'folder') return join(git, 'index.lock')
    if (kind === 'file') return lockOfWorktree(at, fs.read(git) ?? '')
    const parent = dirname(at)
    if (parent === at) return undefined
    at = parent
  }
  return undefined
}

/** In a linked worktree `.git` is a file that says where the real folder is. */
function lockOfWorktree(folder: string, text: string): string | undefined {
  const path = /^gitdir: (.+)$/m.exec(text)?.[1]?.trim()
  if (path === undefined) return undefined
  return join(isAbsolute(path) ? path : join(folder, path), 'index.lock')
}
