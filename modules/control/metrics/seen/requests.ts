/**
 * Requests by their trace: how many answers of models and tool calls each took, how it ended, and which calls one
 * service made side by side. The oldest go when there are too many. Filled by `calls.ts`, read by the coordination collector.
 */

export interface Request {
  /** epoch milliseconds of its last call's end */
  ended: number
  /** how its outermost call ended: that is the last to end */
  ok: boolean
  calls: number
  answers: number
  tools: number
  failedTools: number
  spans: { group: string; at: number; ms: number }[]
}

export class Requests {
  private readonly requests = new Map<string, Request>()
  private readonly max: number
  private readonly spansMax: number

  constructor(max: number, spansMax: number) {
    this.max = max
    this.spansMax = spansMax
  }

  of(trace: string): Request {
    const known = this.requests.get(trace)
    if (known !== undefined) return known
    const made = { ended: 0, ok: true, calls: 0, answers: 0, tools: 0, failedTools: 0, spans: [] }
    this.requests.set(trace, made)
    if (this.requests.size > this.max) {
      const [oldest] = this.requests.keys()
      if (oldest !== undefined) this.requests.delete(oldest)
    }
    return made
  }

  addSpan(request: Request, group: string, at: number, ms: number): void {
    if (request.spans.length < this.spansMax) request.spans.push({ group, at, ms })
  }

  since(time: number): Request[] {
    return [...this.requests.values()].filter(({ ended }) => ended >= time)
  }
}

/** Of calls of one group that ran side by side: the slowest divided by their mean, for each such set. */
export function gapsOf({ spans }: Pick<Request, 'spans'>): number[] {
  const groups = new Map<string, Stretch[]>()
  for (const { group, ...span } of spans) groups.set(group, [...(groups.get(group) ?? []), span])
  return [...groups.values()].flatMap((group) =>
    sideBySide(group).flatMap((set) => {
      const mean = set.reduce((sum, { ms }) => sum + ms, 0) / set.length
      return set.length < 2 || mean === 0 ? [] : [Math.max(...set.map(({ ms }) => ms)) / mean]
    }),
  )
}

interface Stretch {
  at: number
  ms: number
}

/** Begins are whole milliseconds: two calls overlap where they surely do. */
function sideBySide(spans: readonly Stretch[]): Stretch[][] {
  const sets: Stretch[][] = []
  let end = Number.NEGATIVE_INFINITY
  for (const span of spans.toSorted((a, b) => a.at - b.at)) {
    const last = sets.at(-1)
    if (last !== undefined && span.at + 1 <= end) last.push(span)
    else sets.push([span])
    end = Math.max(end, span.at + span.ms)
  }
  return sets
}
