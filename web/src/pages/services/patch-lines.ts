/** A patch as `diff -u` prints it, line by line, each with its number: after the change, or before for what went. Pure. */

export interface PatchLine {
  kind: 'same' | 'out' | 'in' | 'gap'
  number: number | undefined
  text: string
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/

export function patchLines(patch: string): PatchLine[] {
  const lines: PatchLine[] = []
  let before = 0
  let after = 0
  let isIn = false
  for (const line of patch.replace(/\n+$/, '').split('\n')) {
    const hunk = HUNK.exec(line)
    if (hunk !== null) {
      isIn = true
      before = Number(hunk[1])
      after = Number(hunk[2])
      lines.push({ kind: 'gap', number: undefined, text: line })
    } else if (isIn && line.startsWith('\\')) {
      lines.push({ kind: 'gap', number: undefined, text: line.slice(2) })
    } else if (isIn) {
      const text = line.slice(1)
      if (line.startsWith('+')) lines.push({ kind: 'in', number: after++, text })
      else if (line.startsWith('-')) lines.push({ kind: 'out', number: before++, text })
      else lines.push({ kind: 'same', number: (before++, after++), text })
    }
  }
  return lines
}
