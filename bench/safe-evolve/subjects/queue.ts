/** Jobs that are done in the background, in the order in which they came; a result is kept for a while. */
import type { KernelApi } from 'meta-machine'

interface Job {
  id: number
  text: string
}

interface State {
  waiting: Job[]
  results: [number, string][]
  pushed: number
  done: number
}

const RESULTS_MAX = 5_000

/** FNV-1a, 32 bits. */
function digest(text: string): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  return hash.toString(16)
}

export class Module {
  readonly #kernel: KernelApi
  #waiting: Job[] = []
  #results = new Map<number, string>()
  #pushed = 0
  #done = 0

  constructor(kernel: KernelApi) {
    this.#kernel = kernel
  }

  push(text: string): number {
    const id = this.#pushed + 1
    this.#pushed = id
    this.#waiting = [...this.#waiting, { id, text }]
    return id
  }

  result(id: number): { state: 'waiting' | 'done' | 'unknown'; value: string | null } {
    const value = this.#results.get(id)
    if (value !== undefined) return { state: 'done', value }
    return { state: id <= this.#pushed ? 'waiting' : 'unknown', value: null }
  }

  stats(): { pushed: number; waiting: number; done: number } {
    return { pushed: this.#pushed, waiting: this.#waiting.length, done: this.#done }
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const job = this.#waiting.shift()
      if (job === undefined) await this.#kernel.sleep(5, signal)
      else this.#finish(job)
    }
  }

  #finish(job: Job): void {
    this.#results.set(job.id, digest(job.text))
    this.#done++
    for (const id of this.#results.keys()) {
      if (this.#results.size <= RESULTS_MAX) break
      this.#results.delete(id)
    }
  }

  handOver(): State {
    return { waiting: this.#waiting, results: [...this.#results], pushed: this.#pushed, done: this.#done }
  }

  takeOver(state: State): void {
    this.#waiting = state.waiting
    this.#results = new Map(state.results)
    this.#pushed = state.pushed
    this.#done = state.done
  }

  async shutdown(): Promise<void> {
    this.#waiting = []
  }
}
