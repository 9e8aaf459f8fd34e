/** Where the bars of a waterfall stand, and what its rows say. Pure. */
import type { ApiAnswer } from '../../api/client.ts'

export type Trace = ApiAnswer<'GET /api/traces/{id}'>
export type Span = Trace['tree'][number]

export interface Bar {
  /** percent of the whole, from the left */
  left: number
  width: number
}

/** Thinner would not be seen. */
const WIDTH_MIN = 0.5

/** Within 0 and 100, also where clocks and rounding say otherwise. */
export function barOf(span: Pick<Span, 'at' | 'ms'>, trace: Pick<Trace, 'at' | 'ms'>): Bar {
  if (trace.ms <= 0) return { left: 0, width: 100 }
  const percent = (ms: number): number => Math.min(100, Math.max(0, (ms / trace.ms) * 100))
  const left = Math.min(percent(span.at - trace.at), 100 - WIDTH_MIN)
  return { left, width: Math.max(WIDTH_MIN, Math.min(percent(span.ms), 100 - left)) }
}

/** `0.31 ms`, `14 ms`, `3.2 s`. */
export function tookOf(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(2))} ms`
  if (ms < 10_000) return `${Math.round(ms)} ms`
  return `${(ms / 1_000).toFixed(1)} s`
}

export const callOf = ({ callee, aspect, method }: Pick<Span, 'callee' | 'aspect' | 'method'>): string =>
  `${callee}${aspect === 'default' ? '' : `[${aspect}]`}.${method}`

/**
 * Where an error began: of calls that failed one within the other the innermost, for the others only passed it on. The
 * tree is in the order of its walk, so what is below a span follows it.
 */
export function rootErrors(tree: readonly Span[]): Span[] {
  return tree.filter((span, at) => {
    if (span.error === null) return false
    for (let below = at + 1; below < tree.length; below++) {
      const other = tree[below]
      if (other === undefined || other.depth <= span.depth) break
      if (other.error !== null) return false
    }
    return true
  })
}
