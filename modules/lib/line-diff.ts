/**
 * What differs between two texts, line by line, as `diff -u` prints it: the shortest script by Myers' algorithm. Texts that
 * differ in more lines than it is worth looking for are told as replaced where they differ.
 */
const EDITS_MAX = 500
const CONTEXT = 3

export interface LineDiff {
  added: number
  removed: number
  /** hunks; empty when the texts are equal */
  patch: string
}

type Edit = { sign: ' ' | '-' | '+'; line: string }

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

export function lineDiff(before: string, after: string): LineDiff {
  const edits = editsOf(linesOf(before), linesOf(after))
  return {
    added: edits.filter(({ sign }) => sign === '+').length,
    removed: edits.filter(({ sign }) => sign === '-').length,
    patch: hunksOf(edits),
  }
}

function editsOf(a: readonly string[], b: readonly string[]): Edit[] {
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const kept = (lines: readonly string[]): Edit[] => lines.map((line) => ({ sign: ' ', line }))
  return [
    ...kept(a.slice(0, head)),
    ...shortest(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...kept(a.slice(a.length - tail)),
  ]
}

const replaced = (a: readonly string[], b: readonly string[]): Edit[] => [
  ...a.map((line): Edit => ({ sign: '-', line })),
  ...b.map((line): Edit => ({ sign: '+', line })),
]

/** How far each diagonal reaches with so many edits, for every number of edits up to the one that reaches the end. */
function shortest(a: readonly string[], b: readonly string[]): Edit[] {
  if (a.length === 0 || b.length === 0) return replaced(a, b)
  const reach = new Map<number, number>([[1, 0]])
  const rounds: Map<number, number>[] = []
  for (let edits = 0; edits <= Math.min(a.length + b.length, EDITS_MAX); edits++) {
    rounds.push(new Map(reach))
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down = isDown(reach, diagonal, edits)
      let x = down ? at(reach, diagonal + 1) : at(reach, diagonal - 1) + 1
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++
      reach.set(diagonal, x)
      if (x >= a.length && x - diagonal >= b.length) return wayBack(a, b, rounds)
    }
  }
  return replaced(a, b)
}

const at = (reach: ReadonlyMap<number, number>, diagonal: number): number => reach.get(diagonal) ?? 0

const isDown = (reach: ReadonlyMap<number, number>, diagonal: number, edits: number): boolean =>
  diagonal === -edits || (diagonal !== edits && at(reach, diagonal - 1) < at(reach, diagonal + 1))

function wayBack(a: readonly string[], b: readonly string[], rounds: readonly Map<number, number>[]): Edit[] {
  const edits: Edit[] = []
  let [x, y] = [a.length, b.length]
  for (let round = rounds.length - 1; round >= 0; round--) {
    const reach = rounds[round] ?? new Map<number, number>()
    const diagonal = x - y
    const from = isDown(reach, diagonal, round) ? diagonal + 1 : diagonal - 1
    const fromX = at(reach, from)
    while (x > Math.max(fromX, 0) && y > Math.max(fromX - from, 0) && a[x - 1] === b[y - 1]) {
      edits.push({ sign: ' ', line: a[x - 1] ?? '' })
      x--
      y--
    }
    if (round === 0) break
    if (x === fromX) edits.push({ sign: '+', line: b[--y] ?? '' })
    else edits.push({ sign: '-', line: a[--x] ?? '' })
  }
  return edits.reverse()
}

function hunksOf(edits: readonly Edit[]): string {
  const near = new Set<number>()
  for (const [index, { sign }] of edits.entries())
    if (sign !== ' ') for (let line = index - CONTEXT; line <= index + CONTEXT; line++) near.add(line)
  const hunks: string[] = []
  let [before, after] = [1, 1]
  let open: { from: number; to: number; lines: string[]; olds: number; news: number } | undefined
  const close = (): void => {
    if (open === undefined) return
    const range = (start: number, count: number): string => `${count === 0 ? start - 1 : start},${count}`
    hunks.push(`@@ -${range(open.from, open.olds)} +${range(open.to, open.news)} @@`, ...open.lines)
    open = undefined
  }
  for (const [index, { sign, line }] of edits.entries()) {
    if (near.has(index)) {
      open ??= { from: before, to: after, lines: [], olds: 0, news: 0 }
      open.lines.push(sign + line)
      if (sign !== '+') open.olds++
      if (sign !== '-') open.news++
    } else close()
    if (sign !== '+') before++
    if (sign !== '-') after++
  }
  close()
  return hunks.join('\n')
}
