/**
 * Events that come from outside the kernel, each signed by who sends it: what they say is believed as far as their
 * sender is trusted. Those that are taken appear on the bus as `signed.<type>`, in the order of their priority.
 */
import type { JsonMap } from './seams.ts'

export type EventPriority = 'low' | 'normal' | 'high' | 'urgent'

/** What is signed: HMAC-SHA-256 over the canonical JSON of every field but `signature`, in hex. */
export interface SignedEvent {
  /** names the event: it is taken once */
  id: string
  type: string
  /** who signs; its key is in the config of the service `events` */
  source: string
  /** epoch milliseconds; too far from now, it is refused */
  time: number
  /** not above that of its type's rule. Default: that of the rule */
  priority?: EventPriority
  payload: JsonMap
  signature: string
}

/** An event as it was taken. */
export interface TakenEvent extends Omit<SignedEvent, 'signature'> {
  priority: EventPriority
  /** that of its source, 0 to 1 */
  trust: number
}

export interface KeptEvent extends TakenEvent {
  /** grows by one with each event that is kept */
  sequence: number
}

export interface EventCounts {
  taken: number
  /** reason → how many were refused */
  refused: Record<string, number>
  kept: number
  /** kept ones whose seal was not right; they are not given out */
  altered: number
}

export interface SignedEventsApi {
  /**
   * Resolves when it is on its way, and on the disk where its type is kept. Rejects with `event_invalid`,
   * `event_refused`, `events_full`, or what the ledger rejects with.
   */
  publish(event: SignedEvent): Promise<TakenEvent>
  /** Of the types that are kept, in the order they came. */
  read(query?: { type?: string; source?: string; after?: number; since?: number; limit?: number }): KeptEvent[]
  counts(): EventCounts
}
