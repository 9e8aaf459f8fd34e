/** Which lines of a text were taken out and put in: the shortest such list, for texts of a usual size. Pure. */

export interface DiffLine {
  kind: 'same' | 'out' | 'in'
  text: string
  /** numbers of the line before and after, from 1 */
  before: number | undefined
  after: number | undefined
}

/** Beyond this what differs is shown as one piece out and one in. */
const CELLS_MAX = 4_000_000

export function diffLines(before: string, after: string): DiffLine[] {
  const a = linesOf(before)
  const b = linesOf(after)
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const kinds: DiffLine['kind'][] = [
    ...Array<'same'>(head).fill('same'),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...Array<'same'>(tail).fill('same'),
  ]
  return numbered(kinds, a, b)
}

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

/** The longest common part, by a table of lengths. */
function middle(a: readonly string[], b: readonly string[]): DiffLine['kind'][] {
  const wide = b.length + 1
  if (a.length * wide > CELLS_MAX) return [...a.map(() => 'out' as const), ...b.map(() => 'in' as const)]
  const longest = new Uint32Array((a.length + 1) * wide)
  const at = (i: number, j: number): number => longest[i * wide + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * wide + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const kinds: DiffLine['kind'][] = []
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const kind =
      i < a.length && j < b.length && a[i] === b[j]
        ? 'same'
        : j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))
          ? 'out'
          : 'in'
    kinds.push(kind)
    if (kind !== 'in') i++
    if (kind !== 'out') j++
  }
  return kinds
}

function numbered(kinds: readonly DiffLine['kind'][], a: readonly string[], b: readonly string[]): DiffLine[] {
  let i = 0
  let j = 0
  return kinds.map((kind) => {
    const before = kind === 'in' ? undefined : ++i
    const after = kind === 'out' ? undefined : ++j
    return { kind, before, after, text: (after === undefined ? a[i - 1] : b[j - 1]) ?? '' }
  })
}

/** Runs of equal lines longer than twice `around` become one gap. */
export function folded(lines: readonly DiffLine[], around = 3): (DiffLine | { gap: number })[] {
  const near = new Set<number>()
  for (const [at, { kind }] of lines.entries())
    if (kind !== 'same') for (let step = -around; step <= around; step++) near.add(at + step)
  const out: (DiffLine | { gap: number })[] = []
  for (const [at, line] of lines.entries()) {
    const last = out.at(-1)
    if (near.has(at)) out.push(line)
    else if (last !== undefined && 'gap' in last) last.gap++
    else out.push({ gap: 1 })
  }
  return out
}
