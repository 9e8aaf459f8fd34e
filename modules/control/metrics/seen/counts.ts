/**
 * Counts by name in slots of time: adding costs one look-up, and what is older than the window leaves a slot at a time.
 * Names within a slot are bounded; what comes beyond is dropped, and that is counted. Used by all of `seen/`.
 */

interface Slot {
  index: number
  counts: Map<string, number>
}

export class Counts {
  dropped = 0
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

  /** What stands behind the prefix → its sum. */
  of(now: number, prefix: string): Map<string, number> {
    const sums = new Map<string, number>()
    for (const { counts } of this.within(now)) {
      for (const [name, count] of counts) {
        if (!name.startsWith(prefix)) continue
        const rest = name.slice(prefix.length)
        sums.set(rest, (sums.get(rest) ?? 0) + count)
      }
    }
    return sums
  }

  private within(now: number): Slot[] {
    const last = Math.floor(now / this.slotMs)
    const first = last - this.slots.length + 1
    return this.slots.filter((slot) => slot !== undefined && slot.index >= first && slot.index <= last) as Slot[]
  }
}
