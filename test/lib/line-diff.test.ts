/** What differs between two texts is shown so that it can be applied, and with as few lines as there are. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { lineDiff } from '../../modules/lib/line-diff.ts'

/** What `patch` does, as far as hunks without fuzz go. */
function applied(text: string, patch: string): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  const result: string[] = []
  let at = 0
  for (const line of patch === '' ? [] : patch.split('\n')) {
    const [, start, count] = /^@@ -(\d+),(\d+) \+\d+,\d+ @@$/.exec(line) ?? []
    if (start !== undefined) {
      const from = Number(start) - (count === '0' ? 0 : 1)
      result.push(...lines.slice(at, from))
      at = from
    } else if (line.startsWith('+')) result.push(line.slice(1))
    else {
      expect(lines[at]).toBe(line.slice(1))
      if (line.startsWith(' ')) result.push(lines[at] ?? '')
      at++
    }
  }
  return [...result, ...lines.slice(at)].map((line) => `${line}\n`).join('')
}

/** Lines that both have in the same order, at most: the slow way. */
function common(a: string[], b: string[]): number {
  let row = Array.from({ length: b.length + 1 }, () => 0)
  for (const one of a) {
    const next = [0]
    for (const [index, other] of b.entries())
      next.push(one === other ? (row[index] ?? 0) + 1 : Math.max(row[index + 1] ?? 0, next[index] ?? 0))
    row = next
  }
  return row.at(-1) ?? 0
}

it('a difference is shown as diff -u shows it', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\nh\n'
  expect(lineDiff(before, before)).toEqual({ added: 0, removed: 0, patch: '' })
  expect(lineDiff(before, before.replace('e\n', 'E\n!\n'))).toEqual({
    added: 2,
    removed: 1,
    patch: '@@ -2,7 +2,8 @@\n b\n c\n d\n-e\n+E\n+!\n f\n g\n h',
  })
  expect(lineDiff('', 'a\n').patch).toBe('@@ -0,0 +1,1 @@\n+a')
  expect(lineDiff('a\n', '').patch).toBe('@@ -1,1 +0,0 @@\n-a')
})

it('applied to the one text it gives the other, with as few lines as there are', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', ' x'), { maxLength: 40 })
  fc.assert(
    fc.property(lines, lines, (a, b) => {
      const [before, after] = [a, b].map((one) => one.map((line) => `${line}\n`).join('')) as [string, string]
      const { added, removed, patch } = lineDiff(before, after)
      expect(applied(before, patch)).toBe(after)
      expect(added + removed).toBe(a.length + b.length - 2 * common(a, b))
    }),
    { numRuns: 500 },
  )
})

it('texts that differ everywhere are told as replaced, in no time', () => {
  const many = (mark: string): string => Array.from({ length: 20_000 }, (_, index) => `${mark}${index}\n`).join('')
  expect(lineDiff(many('a'), many('b'))).toMatchObject({ added: 20_000, removed: 20_000 })
})
