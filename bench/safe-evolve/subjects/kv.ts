/** Values by key, each with a revision that grows. Rows are written through to the service `store`. */
import type { KernelApi } from 'meta-machine'

interface Row {
  value: string
  revision: number
}

interface Store {
  write(key: string, value: string | null, revision: number): void
}

interface State {
  rows: [string, Row][]
  writes: number
}

export class Module {
  static needs = ['store']
  readonly #kernel: KernelApi
  #rows = new Map<string, Row>()
  #writes = 0

  constructor(kernel: KernelApi) {
    this.#kernel = kernel
  }

  /** Returns the revision of the row as it is now: 1, 2, … */
  async put(key: string, value: string): Promise<number> {
    if (key === '') throw new Error('a key has at least one character')
    const revision = (this.#rows.get(key)?.revision ?? 0) + 1
    this.#rows.set(key, { value, revision })
    this.#writes++
    await this.#kernel.getApi<Store>('store').write(key, value, revision)
    return revision
  }

  get(key: string): Row | null {
    const row = this.#rows.get(key)
    return row === undefined ? null : { ...row }
  }

  async remove(key: string): Promise<boolean> {
    if (!this.#rows.delete(key)) return false
    this.#writes++
    await this.#kernel.getApi<Store>('store').write(key, null, 0)
    return true
  }

  /** Keys that begin with `prefix`, in order. */
  list(prefix: string, limit = 50): string[] {
    const all = JSON.parse(JSON.stringify([...this.#rows.entries()])) as [string, Row][]
    const keys = all.map(([key]) => key).filter((key) => key.startsWith(prefix))
    keys.sort((a, b) => (a < b ? -1 : 1))
    return limit === 0 ? keys : keys.slice(0, limit)
  }

  stats(): { keys: number; writes: number } {
    return { keys: this.#rows.size, writes: this.#writes }
  }

  handOver(): State {
    return { rows: [...this.#rows], writes: this.#writes }
  }

  takeOver(state: State): void {
    this.#rows = new Map(state.rows)
    this.#writes = state.writes
  }

  shutdown(): void {
    this.#rows.clear()
  }
}
