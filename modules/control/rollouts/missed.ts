/**
 * Calls of services that are gone, by when they came: a change that takes a service away is wrong when somebody misses it.
 * Heard of are calls with options, as from outside; who calls by a plain handle is seen by his own errors. In memory: a
 * version that follows hears anew.
 */
import type { FinishedCall } from '../../contracts/observe.ts'
import { codeOf } from '../../lib/errors.ts'

const GONE: ReadonlySet<string> = new Set(['service_not_found', 'service_stopped'])
/** Anybody may call any name. */
const NAMES_MAX = 1_000
const TIMES_MAX = 100

export class Missed {
  /** monotonic ms, oldest first */
  readonly #times = new Map<string, number[]>()

  note({ callee, version, thrown }: FinishedCall, now: number): void {
    if (version !== null || !GONE.has(codeOf(thrown) ?? '')) return
    const times = this.#times.get(callee) ?? []
    times.push(now)
    if (times.length > TIMES_MAX) times.shift()
    this.#times.delete(callee)
    this.#times.set(callee, times)
    if (this.#times.size > NAMES_MAX) this.#times.delete(this.#times.keys().next().value ?? '')
  }

  since(api: string, from: number): number {
    return (this.#times.get(api) ?? []).filter((at) => at >= from).length
  }
}
