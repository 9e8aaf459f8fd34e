/** What models cost by the hour: for a rate and a forecast, which look further back than a snapshot. Kept over restarts. */

const HOUR_MS = 3_600_000

interface Hour {
  usd: number
  answers: number
  priced: number
}

export class Spend {
  /** What `text()` says stands on disk already; set by who writes it. */
  isKept = false
  private hours = new Map<number, Hour>()

  add(now: number, cost: number | null): void {
    const index = Math.floor(now / HOUR_MS)
    const hour = this.hours.get(index) ?? { usd: 0, answers: 0, priced: 0 }
    hour.answers++
    if (cost !== null) {
      hour.usd += cost
      hour.priced++
    }
    this.hours.set(index, hour)
    this.isKept = false
  }

  since(time: number): Hour {
    const sum = { usd: 0, answers: 0, priced: 0 }
    for (const [index, { usd, answers, priced }] of this.hours) {
      if (index < Math.floor(time / HOUR_MS)) continue
      sum.usd += usd
      sum.answers += answers
      sum.priced += priced
    }
    return sum
  }

  forget(before: number): void {
    for (const index of this.hours.keys())
      if (index < Math.floor(before / HOUR_MS) && this.hours.delete(index)) this.isKept = false
  }

  text(): string {
    return JSON.stringify([...this.hours])
  }

  /** What this process has counted is added to what was kept. */
  restore(text: string): void {
    this.isKept = false
    for (const [index, kept] of JSON.parse(text) as [number, Hour][]) {
      const { usd, answers, priced } = this.hours.get(index) ?? { usd: 0, answers: 0, priced: 0 }
      this.hours.set(index, {
        usd: usd + kept.usd,
        answers: answers + kept.answers,
        priced: priced + kept.priced,
      })
    }
  }
}
