/**
 * A change as `diff -u` prints it, of one or several files, taken apart for a view. What is no such text (a value that
 * changes, told in one line) stands as it is. Pure.
 */

export interface PatchFile {
  /** undefined: lines that belong to no file */
  path: string | undefined
  /** of a file that comes, goes, or is another */
  is: 'new' | 'gone' | 'changed'
  lines: PatchLine[]
  added: number
  removed: number
}

export type PatchLine =
  | { kind: 'same' | 'out' | 'in'; text: string; number: number }
  /** lines that are left out, or words about the whole */
  | { kind: 'note'; text: string }

const NOWHERE = '/dev/null'
const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/
const KINDS: Readonly<Record<string, 'same' | 'out' | 'in' | undefined>> = { ' ': 'same', '-': 'out', '+': 'in' }

export function patchFiles(patch: string): PatchFile[] {
  const files: PatchFile[] = []
  let before = 0
  let after = 0
  let isIn = false
  const lines = patch.replace(/\n$/, '').split('\n')
  for (const [at, line] of lines.entries()) {
    const next = lines[at + 1]
    if (line.startsWith('--- ') && next?.startsWith('+++ ') === true) {
      files.push(fileOf(line.slice(4), next.slice(4)))
      isIn = false
      continue
    }
    if (!isIn && line.startsWith('+++ ') && lines[at - 1]?.startsWith('--- ') === true) continue
    const hunk = HUNK.exec(line)
    const file = files.at(-1) ?? first(files)
    if (hunk !== null) {
      ;[before, after] = [Number(hunk[1]), Number(hunk[2])]
      isIn = true
      if (file.lines.length > 0 || Math.max(before, after) > 1) file.lines.push({ kind: 'note', text: '⋯' })
      continue
    }
    const kind = isIn ? KINDS[line[0] ?? ' '] : undefined
    if (kind === undefined) {
      if (line !== '') file.lines.push({ kind: 'note', text: line })
      continue
    }
    file.lines.push({ kind, text: line.slice(1), number: kind === 'out' ? before : after })
    if (kind !== 'in') before++
    if (kind !== 'out') after++
    if (kind === 'in') file.added++
    if (kind === 'out') file.removed++
  }
  return files
}

function fileOf(before: string, after: string): PatchFile {
  const path = (after === NOWHERE ? before : after).replace(/^[ab]\//, '')
  const is = before === NOWHERE ? 'new' : after === NOWHERE ? 'gone' : 'changed'
  return { path, is, lines: [], added: 0, removed: 0 }
}

function first(files: PatchFile[]): PatchFile {
  const none: PatchFile = { path: undefined, is: 'changed', lines: [], added: 0, removed: 0 }
  files.push(none)
  return none
}
