/** Stands for the price lists of carriers. Up to five pieces, two of them ask the same. */
export class Module {
  async offers(quantity: number): Promise<{ name: string; cents: number; days: number }[]> {
    await new Promise((resolve) => setTimeout(resolve, 2))
    return [
      { name: 'slow', cents: 400 + quantity * 10, days: 5 },
      { name: 'fast', cents: 400 + quantity * (quantity > 5 ? 25 : 10), days: 1 },
      { name: 'bulk', cents: 2_000 + quantity * 2, days: 7 },
    ]
  }
}
