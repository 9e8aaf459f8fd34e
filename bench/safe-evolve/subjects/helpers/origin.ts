/** Stands for a slow source of values, each of which changes whenever it is asked for. */
export class Module {
  readonly #loads = new Map<string, number>()

  async load(key: string): Promise<{ value: string; n: number }> {
    const n = (this.#loads.get(key) ?? 0) + 1
    this.#loads.set(key, n)
    await new Promise((resolve) => setTimeout(resolve, 1))
    return { value: `${key}#${n}`, n }
  }
}
