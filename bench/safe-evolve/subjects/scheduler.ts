/** Plans deliveries: what `stock` has, which of `carriers` is cheapest, which day `calendar` is open. Also a tool. */
import { tool, type KernelApi } from 'meta-machine'
import { z } from 'zod'

interface Carrier {
  name: string
  cents: number
  days: number
}

interface Plan {
  sku: string
  quantity: number
  ships: number
  carrier: string
  cents: number
  day: number
}

export class Module {
  static needs = ['stock', 'carriers', 'calendar']
  readonly #kernel: KernelApi

  constructor(kernel: KernelApi) {
    this.#kernel = kernel
  }

  /** When and how a quantity leaves, asked for on `day` (0 is a Monday). */
  async plan(sku: string, quantity: number, day: number): Promise<Plan> {
    if (quantity < 1 || day < 0) throw new RangeError('quantity from 1 on, day from 0 on')
    const free = await this.#kernel.getApi<{ free(sku: string): number }>('stock').free(sku)
    const offers = await this.#kernel.getApi<{ offers(quantity: number): Carrier[] }>('carriers').offers(quantity)
    const open = await this.#kernel.getApi<{ next(day: number): number }>('calendar').next(day)
    const best = this.#cheapest(offers)
    const ships = Math.min(free, quantity)
    return { sku, quantity, ships, carrier: best.name, cents: best.cents, day: open + best.days }
  }

  /** Several, in their order. */
  async planAll(orders: readonly { sku: string; quantity: number; day: number }[]): Promise<Plan[]> {
    const plans: Plan[] = []
    for (const order of orders) plans.push(await this.plan(order.sku, order.quantity, order.day))
    return plans
  }

  /** Of equal prices the faster one. */
  #cheapest(offers: readonly Carrier[]): Carrier {
    const sorted = offers.toSorted((a, b) => a.cents - b.cents)
    const first = sorted[0]
    if (first === undefined) throw new Error('no carrier takes it')
    return first
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    return {
      plan: tool({
        description: 'When and how a quantity of an article is delivered.',
        params: z.object({ sku: z.string(), quantity: z.number(), day: z.number() }),
        read_only: true,
        run: (asked) => this.plan(asked.sku, asked.quantity, asked.day),
      }),
    }
  }
}
