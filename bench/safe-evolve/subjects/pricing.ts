/** Prices orders: unit prices fall with the quantity, tax follows the country, money is whole cents. Also a tool. */
import { tool } from 'meta-machine'
import { z } from 'zod'

interface Line {
  sku: string
  quantity: number
}

interface Quote extends Line {
  unit_cents: number
  net_cents: number
  tax_cents: number
  total_cents: number
}

const TAX_PERCENT: Record<string, number> = { DE: 19, FR: 20, CH: 8, JP: 10, US: 0 }
const TIERS = [
  { from: 1, off: 0 },
  { from: 10, off: 5 },
  { from: 100, off: 12 },
  { from: 500, off: 20 },
]

/** The price list, as it is delivered: article after article. */
const LIST = Array.from({ length: 600 }, (_, index) => ({
  sku: `a${index}`,
  cents: 99 + ((index * 7_919) % 90_000),
}))

const params = z.object({ sku: z.string(), quantity: z.number(), country: z.string().default('DE') })

export class Module {
  #served = 0

  /** The price of a quantity of one article. */
  quote(sku: string, quantity: number, country = 'DE'): Quote {
    if (!Number.isInteger(quantity) || quantity < 1) throw new RangeError(`no such quantity: ${quantity}`)
    this.#served++
    const unit = this.#unit(sku, quantity)
    const net = unit * quantity
    const tax = Math.round((net * this.#percent(country)) / 100)
    return { sku, quantity, unit_cents: unit, net_cents: net, tax_cents: tax, total_cents: net + tax }
  }

  /** Several articles. Tax is taken of the sum, and rounded once. */
  basket(lines: readonly Line[], country = 'DE'): { lines: number; net_cents: number; total_cents: number } {
    const net = lines.map((line) => this.quote(line.sku, line.quantity, country).net_cents).reduce((a, b) => a + b, 0)
    return { lines: lines.length, net_cents: net, total_cents: net + Math.round((net * this.#percent(country)) / 100) }
  }

  /** How many quotes were given. */
  served(): number {
    return this.#served
  }

  #percent(country: string): number {
    return TAX_PERCENT[country] ?? 0
  }

  #unit(sku: string, quantity: number): number {
    const list = structuredClone(LIST)
    const article = list.find((one) => one.sku === sku)
    if (article === undefined) throw new Error(`no article ${sku}`)
    let off = 0
    for (const tier of TIERS) if (quantity > tier.from) off = tier.off
    return Math.round((article.cents * (100 - off)) / 100)
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    return {
      quote: tool({
        description: 'The price of a quantity of one article, with tax.',
        params,
        read_only: true,
        run: (asked) => this.quote(asked.sku, asked.quantity, asked.country),
      }),
    }
  }
}
