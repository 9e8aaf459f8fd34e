/**
 * Events of one agent's window, in memory: a snapshot every few minutes asks for nearly the same day. What came since is
 * read by its number, what is too old by now, or gone from the disk, is dropped. Rows are only ever added and deleted.
 * Bounded: of a window with more events than that nothing is held, and the disk is asked each time. Used by the store.
 */
import type { OperationEvent } from '../../contracts/meta-metrics.ts'

const HELD_MAX = 20_000
const WINDOWS_MAX = 20

/** `event`: undefined for a line that is none any more. */
export interface ReadEvent {
  number: number
  at: number
  event: OperationEvent | undefined
}

/** Those of an agent from a moment on, with a number above `after`, in the order of their numbers. */
export type ReadEvents = (bot: string, since: number, after: number) => ReadEvent[]

export interface Numbers {
  first: number
  last: number
}

interface Held {
  since: number
  last: number
  events: ReadEvent[]
}

export class RecentEvents {
  private readonly read: ReadEvents
  /** by window and agent; what was not asked for longest goes */
  private readonly held = new Map<string, Held>()

  constructor(read: ReadEvents) {
    this.read = read
  }

  /** `first` and `last`: the numbers that stand on the disk, of whatever agent; what came up to `last` is read only once. */
  of(bot: string, now: number, windowMs: number, { first, last }: Numbers): readonly ReadEvent[] {
    const since = now - windowMs
    const name = `${windowMs} ${bot}`
    const known = this.held.get(name)
    this.held.delete(name)
    // A clock that was set back asks for what was dropped.
    const before = known === undefined || since < known.since ? { since, last: 0, events: [] } : known
    const kept = before.events.filter(({ at, number }) => at >= since && number >= first)
    const events = [...kept, ...this.read(bot, since, before.last)]
    if (events.length > HELD_MAX) return events
    this.held.set(name, { since, last: Math.max(last, before.last), events })
    const [oldest] = this.held.keys()
    if (this.held.size > WINDOWS_MAX && oldest !== undefined) this.held.delete(oldest)
    return events
  }

  forget(): void {
    this.held.clear()
  }
}
