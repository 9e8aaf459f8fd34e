/**
 * JSON texts of rows, each parsed once: for stores that are asked for the same rows again and again. The text is compared,
 * so a row that was written meanwhile is parsed anew and nobody has to say so. What it gives is shared, and frozen to its
 * leaves. Bounded by the texts' length; what was not asked for longest goes.
 */

interface Known {
  text: string
  value: unknown
}

export class ParsedTexts<T> {
  private readonly charsMax: number
  private readonly known = new Map<number, Known>()
  private chars = 0

  constructor(charsMax: number) {
    this.charsMax = charsMax
  }

  /** `row`: its number. Throws `SyntaxError` for a text that is no JSON. */
  of(row: number, text: string): T {
    const known = this.known.get(row)
    this.forget(row)
    const value = known?.text === text ? known.value : frozen(JSON.parse(text))
    this.known.set(row, { text, value })
    this.chars += text.length
    for (const [oldest] of this.known) {
      if (this.chars <= this.charsMax) break
      this.forget(oldest)
    }
    return value as T
  }

  private forget(row: number): void {
    const known = this.known.get(row)
    if (known === undefined) return
    this.known.delete(row)
    this.chars -= known.text.length
  }
}

function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
