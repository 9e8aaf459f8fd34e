/** Reads files of the root that a change is about; a path that leaves the root, or leads out of it, has no text. */
import { readFileSync, realpathSync } from 'node:fs'
import { join, relative } from 'node:path'

export function textAt(root: string, path: string): string | undefined {
  try {
    const real = realpathSync(join(root, path))
    const inside = relative(realpathSync(root), real)
    return inside.startsWith('..') ? undefined : readFileSync(real, 'utf8')
  } catch {
    return undefined
  }
}
