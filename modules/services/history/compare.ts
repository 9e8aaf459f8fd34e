/** Two versions of a service, file by file. Pure. */
import type { FileDifference } from '../../contracts/history.ts'
import { lineDiff } from '../../lib/line-diff.ts'

type Texts = Readonly<Record<string, string>>

export function compare(before: Texts, after: Texts): FileDifference[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return paths.flatMap((path) => {
    const [old, now] = [before[path], after[path]]
    if (old === now) return []
    const { added, removed, patch } = lineDiff(old ?? '', now ?? '')
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed'
    const name = (side: 'a' | 'b', text: string | undefined): string =>
      text === undefined ? '/dev/null' : `${side}/${path}`
    return [
      {
        path,
        change,
        lines_added: added,
        lines_removed: removed,
        patch: `--- ${name('a', old)}\n+++ ${name('b', now)}\n${patch}\n`,
      },
    ]
  })
}

/** What differs between two versions by the hashes of their files, oldest name first. */
export function changedPaths(before: Texts, after: Texts): string[] {
  const paths = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...paths].filter((path) => before[path] !== after[path]).sort()
}
