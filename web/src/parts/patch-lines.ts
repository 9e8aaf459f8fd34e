/**
 * A change as `diff -u` prints it, of one or several files, taken apart for a view. What is no such text (a value that
 * changes, told in one line) stands as it is. Pure.
 */
import type { MarkedLine } from './marked-lines.tsx'

export interface PatchFile {
  /** undefined: lines that belong to no file */
  path: string | undefined
  /** of a file that comes, goes, or is another */
  is: 'new' | 'gone' | 'changed'
  lines: MarkedLine[]
  added: number
  removed: number
}

const NOWHERE = '/dev/null'
const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/
const KINDS: Readonly<Record<string, 'same' | 'out' | 'in' | undefined>> = { ' ': 'same', '-': 'out', '+': 'in' }

/** Where in a file the next line stands, and how many lines of the piece are still to come. */
interface Piece {
  before: number
  after: number
  beforeLeft: number
  afterLeft: number
}

export function patchFiles(patch: string): PatchFile[] {
  const files: PatchFile[] = []
  let piece: Piece | undefined
  let from: string | undefined
  for (const line of patch.replace(/\n$/, '').split('\n')) {
    // Its counts say where a piece ends: a line that was taken out may begin as the name of a file does.
    const isIn = piece !== undefined && piece.beforeLeft + piece.afterLeft > 0
    const kind = isIn ? KINDS[line[0] ?? ' '] : undefined
    if (piece !== undefined && kind !== undefined) {
      take(files.at(-1) ?? first(files), piece, kind, line.slice(1))
      continue
    }
    if (line.startsWith('--- ')) from = line.slice(4)
    else if (from !== undefined && line.startsWith('+++ ')) {
      files.push(fileOf(from, line.slice(4)))
      ;[piece, from] = [undefined, undefined]
    } else {
      const { lines } = files.at(-1) ?? first(files)
      const hunk = HUNK.exec(line)
      if (hunk !== null) {
        piece = pieceOf(hunk)
        if (lines.length > 0 || Math.max(piece.before, piece.after) > 1) lines.push({ kind: 'note', text: '⋯' })
      } else if (line !== '') lines.push({ kind: 'note', text: line })
    }
  }
  return files
}

function pieceOf([, before = '0', beforeLeft = '1', after = '0', afterLeft = '1']: RegExpExecArray): Piece {
  return {
    before: Number(before),
    after: Number(after),
    beforeLeft: Number(beforeLeft),
    afterLeft: Number(afterLeft),
  }
}

function take(file: PatchFile, piece: Piece, kind: 'same' | 'out' | 'in', text: string): void {
  file.lines.push({ kind, text, number: kind === 'out' ? piece.before : piece.after })
  if (kind !== 'in') {
    piece.before++
    piece.beforeLeft--
  }
  if (kind !== 'out') {
    piece.after++
    piece.afterLeft--
  }
  if (kind === 'in') file.added++
  if (kind === 'out') file.removed++
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
