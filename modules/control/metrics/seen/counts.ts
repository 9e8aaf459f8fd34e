/**
 * Counts by name in slots of time: adding costs one look-up, and what is older than the window leaves a slot at a time.
 * Names within a slot are bounded; what comes beyond is dropped, and that is counted. A name is a kind, a space and what
 * it is of. Used by all of `seen/`.
 */

const NONE: ReadonlyMap<string, number> = new Map()

interface Slot {
  index: number
  counts: Map<string, number>
}

export class Counts {
  dropped = 0
  private added = 0
  private summed: { now: number; added: number; kinds: Map<string, Map<string, number>> } | undefined
  private readonly slotMs: number
  private readonly namesMax: number
  private readonly slots: (Slot | undefined)[]

  constructor({ windowMs, slots, namesMax }: { windowMs: number; slots: number; namesMax: number }) {
    this.slotMs = windowMs / slots
    this.namesMax = namesMax
    // One more: the oldest slot is still in part within the window.
    this.slots = Array.from({ length: slots + 1 })
  }

  add(now: number, name: string, by = 1): void {
    this.added++
    const index = Math.floor(now / this.slotMs)
    const place = index % this.slots.length
    let slot = this.slots[place]
    if (slot?.index !== index) this.slots[place] = slot = { index, counts: new Map() }
    const { counts } = slot
    const known = counts.get(name)
    if (known === undefined && counts.size >= this.namesMax) this.dropped++
    else counts.set(name, (known ?? 0) + by)
  }

  sum(now: number, name: string): number {
    let total = 0
    for (const { counts } of this.within(now)) total += counts.get(name) ?? 0
    return total
  }

  /** What names of that kind are of → its sum. */
  of(now: number, kind: string): ReadonlyMap<string, number> {
    if (this.summed?.now !== now || this.summed.added !== this.added)
      this.summed = { now, added: this.added, kinds: this.kinds(now) }
    return this.summed.kinds.get(kind) ?? NONE
  }

  /** All at once: a snapshot asks for a dozen kinds, and each name is looked at for all of them. */
  private kinds(now: number): Map<string, Map<string, number>> {
    const sums = new Map<string, number>()
    for (const { counts } of this.within(now))
      for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count)
    const kinds = new Map<string, Map<string, number>>()
    for (const [name, sum] of sums) {
      const at = name.indexOf(' ')
      const kind = name.slice(0, Math.max(0, at))
      const some = kinds.get(kind)
      if (some === undefined) kinds.set(kind, new Map([[name.slice(at + 1), sum]]))
      else some.set(name.slice(at + 1), sum)
    }
    return kinds
  }

  private within(now: number): Slot[] {
    const last = Math.floor(now / this.slotMs)
    const first = last - this.slots.length + 1
    return this.slots.filter((slot) => slot !== undefined && slot.index >= first && slot.index <= last) as Slot[]
  }
}
