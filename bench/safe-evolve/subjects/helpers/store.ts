/** Stands for a database: rows by key, and how often they were written. */
export class Module {
  readonly #rows = new Map<string, { value: string; revision: number }>()
  #writes = 0

  write(key: string, value: string | null, revision: number): void {
    this.#writes++
    if (value === null) this.#rows.delete(key)
    else this.#rows.set(key, { value, revision })
  }

  writes(): number {
    return this.#writes
  }
}
