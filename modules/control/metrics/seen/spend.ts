/** What models cost by the hour: for a rate and a forecast, which look further back than a snapshot. Kept over restarts. */

const HOUR_MS = 3_600_000
/** Sums that are asked for again and again: of a day, and of the days of the budget. */
const SUMS_MAX = 4

export interface Cost {
  usd: number
  answers: number
  priced: number
}

export interface HourCost extends Cost {
  /** hours since 1970 */
  hour: number
}

export const hourOf = (time: number): number => Math.floor(time / HOUR_MS)

export class Spend {
  private readonly hours = new Map<number, Cost>()
  private readonly unsaved = new Set<number>()
  /** from an hour on */
  private readonly sums = new Map<number, Cost>()

  add(now: number, cost: number | null): void {
    const added = { usd: cost ?? 0, answers: 1, priced: cost === null ? 0 : 1 }
    this.addTo(hourOf(now), added)
    this.unsaved.add(hourOf(now))
  }

  since(time: number): Readonly<Cost> {
    const from = hourOf(time)
    const known = this.sums.get(from)
    if (known !== undefined) return known
    const sum = nothing()
    for (const [hour, cost] of this.hours) if (hour >= from) increase(sum, cost)
    if (this.sums.size >= SUMS_MAX) this.sums.clear()
    this.sums.set(from, sum)
    return sum
  }

  forget(before: number): void {
    for (const hour of this.hours.keys()) {
      if (hour >= hourOf(before)) continue
      this.hours.delete(hour)
      this.unsaved.delete(hour)
      this.sums.clear()
    }
  }

  /** Hours that were added to since they were saved. */
  toSave(): HourCost[] {
    return [...this.unsaved].map((hour) => ({ hour, ...nothing(), ...this.hours.get(hour) }))
  }

  saved(): void {
    this.unsaved.clear()
  }

  /** What this process has counted is added to what was kept. */
  restore(kept: readonly HourCost[]): void {
    for (const { hour, usd, answers, priced } of kept) {
      if (this.hours.has(hour)) this.unsaved.add(hour)
      this.addTo(hour, { usd, answers, priced })
    }
  }

  private addTo(hour: number, cost: Cost): void {
    const known = this.hours.get(hour) ?? nothing()
    increase(known, cost)
    this.hours.set(hour, known)
    for (const [from, sum] of this.sums) if (hour >= from) increase(sum, cost)
  }
}

const nothing = (): Cost => ({ usd: 0, answers: 0, priced: 0 })

function increase(sum: Cost, { usd, answers, priced }: Cost): void {
  sum.usd += usd
  sum.answers += answers
  sum.priced += priced
}
