/** "Did you mean": the names nearest to a wrong one, by edit distance, for the hints of errors. */

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** At most three names; names longer than 80 characters are not compared. */
export function nearest(wrong: string, names: Iterable<string>): string[] {
  if (wrong.length > 80) return []
  const limit = Math.max(2, Math.floor(wrong.length / 3))
  const found: { name: string; far: number }[] = []
  for (const name of names) {
    if (name.length > 80) continue
    const tail = name.slice(name.lastIndexOf('/') + 1)
    const far = Math.min(...[name, tail].map((one) => distance(wrong.toLowerCase(), one.toLowerCase())))
    if (far <= limit) found.push({ name, far })
  }
  return found
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map((one) => one.name)
}

/** ` (near: a, b)` or an empty string, as the `{near}` of the error table. */
export function nearText(wrong: string, names: Iterable<string>): string {
  const found = nearest(wrong, names)
  return found.length === 0 ? '' : `; near: ${found.join(', ')}`
}
