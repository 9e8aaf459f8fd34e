/** The last so many values, each with its time. Used for times of calls and for hashes of arguments. */

export class Recent {
  private readonly at: Float64Array
  private readonly values: Float64Array
  private next = 0
  private size = 0

  constructor(max: number) {
    this.at = new Float64Array(max)
    this.values = new Float64Array(max)
  }

  add(at: number, value: number): void {
    this.at[this.next] = at
    this.values[this.next] = value
    this.next = (this.next + 1) % this.at.length
    this.size = Math.min(this.size + 1, this.at.length)
  }

  since(time: number): number[] {
    const found: number[] = []
    for (let n = 0; n < this.size; n++) if ((this.at[n] ?? 0) >= time) found.push(this.values[n] ?? 0)
    return found
  }
}

/** By nearest rank; null for none. */
export function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}
