/**
 * Which calls are kept: of each kind (method, outcome, size) as many as the limit says, each call of the kind with the
 * same chance, however many come (reservoir). Errors of a rare kind stand beside a million of the common one. Pure but
 * for the chance it is given.
 */

export interface Kind {
  seen: number
  kept: number
}

/** From this size on a call is not kept anyway. */
const SIZES: [name: string, chars: number][] = [
  ['1k', 1_024],
  ['16k', 16_384],
  ['64k', 65_536],
]

export const sizeOf = (chars: number): string => SIZES.find(([, max]) => chars < max)?.[0] ?? 'large'

export const kindKey = (aspect: string, method: string, outcome: string, size: string): string =>
  [aspect, method, outcome, size].join(' ')

/** The place a call takes among those of its kind; undefined when it is not kept. Counts it. */
export function placeFor(kind: Kind, keep: number, chance: () => number): number | undefined {
  kind.seen++
  if (kind.kept < keep) return kind.kept++
  const place = Math.floor(chance() * kind.seen)
  return place < keep ? place : undefined
}

/** How many calls a second are looked at, with a burst: the rest costs a comparison only. */
export class Budget {
  private left: number
  private readonly perSecond: number
  private readonly burst: number
  private since: number

  constructor(perSecond: number, burst: number, now: number) {
    this.perSecond = perSecond
    this.burst = burst
    this.left = burst
    this.since = now
  }

  take(now: number): boolean {
    if (this.left < 1) {
      this.left = Math.min(this.burst, this.left + ((now - this.since) / 1_000) * this.perSecond)
      this.since = now
      if (this.left < 1) return false
    }
    this.left--
    return true
  }
}
