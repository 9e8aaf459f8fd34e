/**
 * Taking a root for `mm up`. A parent that was killed leaves a system behind that ends by itself, in order: whoever
 * starts on the root meanwhile waits for it, and ends it when it takes longer than any orderly stop may.
 */
import { join } from 'node:path'
import { holderOf, takeLock, type Lock } from '../modules/lib/lock.ts'
import { dim, print } from './output.ts'

const LOOK_MS = 50

/** Throws `root_in_use` while another system owns the root. `orphanMs`: how long one without a parent may take to end. */
export async function claimRoot(root: string, orphanMs: number): Promise<Lock> {
  const path = join(root, 'runtime', 'lock')
  const until = performance.now() + orphanMs
  let told = false
  for (let left = holderOf(path); left?.orphan === true; left = holderOf(path)) {
    if (!told) print(dim(`waiting for process ${left.pid} to end: its parent was killed`))
    told = true
    if (performance.now() > until) endProcess(left.pid)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  return takeLock(root, path)
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile, or is not ours to end: then the lock stays in use, and the start waits.
  }
}
