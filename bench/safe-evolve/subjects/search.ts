/** Texts by likeness: vectors come from the service `embedder`, and the nearest by cosine are found. Also a tool. */
import { tool, type KernelApi } from 'meta-machine'
import { z } from 'zod'

interface Doc {
  id: string
  vector: number[]
}

interface Hit {
  id: string
  score: number
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
const norm = (vector: readonly number[]): number => Math.sqrt(dot(vector, vector))
const round = (value: number): number => Math.round(value * 10_000) / 10_000

export class Module {
  static needs = ['embedder']
  readonly #kernel: KernelApi
  #docs = new Map<string, Doc>()

  constructor(kernel: KernelApi) {
    this.#kernel = kernel
  }

  /** Returns how many texts there are. */
  async add(id: string, text: string): Promise<number> {
    const vector = await this.#embed(text)
    this.#docs.set(id, { id, vector })
    return this.#docs.size
  }

  remove(id: string): boolean {
    return this.#docs.delete(id)
  }

  /** The `k` nearest; of equals the one whose id comes first. */
  async find(query: string, k = 3): Promise<Hit[]> {
    if (k < 1) throw new RangeError(`no such number: ${k}`)
    const asked = await this.#embed(query)
    const hits = [...this.#docs.values()].map((doc) => ({ id: doc.id, score: this.#score(asked, doc) }))
    hits.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    return hits.slice(0, k)
  }

  #score(asked: readonly number[], doc: Doc): number {
    const copy = structuredClone(doc)
    const length = norm(asked) * norm(copy.vector)
    return length === 0 ? 0 : round(dot(asked, copy.vector) / length)
  }

  #embed(text: string): Promise<number[]> {
    return this.#kernel.getApi<{ embed(text: string): number[] }>('embedder').embed(text)
  }

  size(): number {
    return this.#docs.size
  }

  handOver(): { docs: Doc[] } {
    return { docs: [...this.#docs.values()] }
  }

  takeOver(state: { docs: Doc[] }): void {
    this.#docs = new Map(state.docs.map((doc) => [doc.id, doc]))
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    return {
      find: tool({
        description: 'Find the texts nearest to a query.',
        params: z.object({ query: z.string(), k: z.number().default(3) }),
        read_only: true,
        run: (asked) => this.find(asked.query, asked.k),
      }),
    }
  }
}
