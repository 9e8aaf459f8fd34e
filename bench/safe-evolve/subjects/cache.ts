/** Reads through to the service `origin` and keeps what it got for as long as the reader allows. */
import type { KernelApi } from 'meta-machine'

interface Loaded {
  value: string
  n: number
}

interface Entry extends Loaded {
  at: number
}

const ENTRIES_MAX = 200

export class Module {
  static needs = ['origin']
  readonly #kernel: KernelApi
  readonly #entries = new Map<string, Entry>()

  constructor(kernel: KernelApi) {
    this.#kernel = kernel
  }

  /** A value that is at most `ttl_ms` old. */
  async read(key: string, ttl_ms: number): Promise<Loaded & { hit: boolean }> {
    if (ttl_ms < 0) throw new RangeError(`no such age: ${ttl_ms}`)
    const now = this.#kernel.clock.now()
    const known = this.#entries.get(key)
    if (known !== undefined && now - known.at < ttl_ms) return { value: known.value, n: known.n, hit: true }
    const loaded = await this.#kernel.getApi<{ load(key: string): Loaded }>('origin').load(key)
    this.#entries.set(key, { ...loaded, at: now })
    if (this.#entries.size > ENTRIES_MAX) this.#entries.clear()
    return { ...loaded, hit: false }
  }

  /** Several at once, in their order. */
  async readAll(keys: readonly string[], ttl_ms: number): Promise<string[]> {
    const values: string[] = []
    for (const key of keys) values.push((await this.read(key, ttl_ms)).value)
    return values
  }

  drop(key: string): boolean {
    return this.#entries.delete(key)
  }

  size(): number {
    return this.#entries.size
  }
}
