/**
 * What a replay says of one call: the recording, the version that serves, and the candidate, side by side. The version that
 * serves is asked once more, so that what depends on time, chance or state is not blamed on the candidate. Pure.
 */
import type { Difference, DifferenceKind } from '../../contracts/recordings.ts'

export interface Answer {
  /** `ok`, or the code of the error */
  outcome: string
  /** the result as it is kept; of an error, its message */
  text: string
  ms: number
  /** what it asked others for in vain */
  unanswered?: string
}

const EXAMPLE_CHARS = 400

const same = (a: Answer, b: Answer): boolean =>
  a.outcome === b.outcome && (a.outcome === 'ok' ? a.text === b.text : true)

/** Undefined: the candidate answers as it was recorded. */
export function differenceOf(recorded: Answer, live: Answer, candidate: Answer): DifferenceKind | undefined {
  if (same(recorded, candidate)) return undefined
  if (candidate.unanswered !== undefined) return 'unanswered'
  if (!same(recorded, live) && (same(live, candidate) || live.outcome === candidate.outcome)) return 'unstable'
  if (candidate.outcome === 'ok') return live.outcome === 'ok' && recorded.outcome === 'ok' ? 'result' : 'succeeds'
  return live.outcome === 'ok' || recorded.outcome === 'ok' ? 'fails' : 'error'
}

/** Whether the candidate is to blame for it. */
export const isItsOwn = (kind: DifferenceKind): boolean => kind !== 'unstable'

export class Differences {
  readonly #found = new Map<string, Difference>()

  add(
    kind: DifferenceKind,
    call: { aspect: string; method: string; at: number; args: string },
    [recorded, live, candidate]: [Answer, Answer, Answer],
  ): void {
    const { aspect, method, at, args } = call
    const key = `${kind} ${aspect} ${method}`
    const known = this.#found.get(key)
    if (known !== undefined) {
      known.count++
      return
    }
    const example = {
      at,
      args: cut(args),
      recorded: shown(recorded),
      live: shown(live),
      candidate: shown(candidate),
    }
    this.#found.set(key, { kind, aspect, method, count: 1, example })
  }

  list(): Difference[] {
    return [...this.#found.values()].sort((a, b) => b.count - a.count)
  }
}

const cut = (text: string): string => (text.length > EXAMPLE_CHARS ? `${text.slice(0, EXAMPLE_CHARS)}…` : text)

const shown = ({ outcome, text, unanswered }: Answer): string => {
  if (unanswered !== undefined) return `replay_unanswered: ${unanswered} was not recorded`
  return cut(outcome === 'ok' ? text : `${outcome}: ${text}`)
}

export function quantiles(values: readonly number[]): { p50: number; p99: number } | null {
  const sorted = [...values].sort((a, b) => a - b)
  if (sorted.length === 0) return null
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 1_000) / 1_000
  return { p50: at(0.5), p99: at(0.99) }
}
