/** What a reader that comes back has missed: the events that are kept, and which are not any more. Pure. */
import type { MachineEvent } from '../../contracts/module.ts'
import type { Gap } from './event-streams.ts'

export interface Missed {
  /** the id its stream goes on from */
  since: number
  events: readonly MachineEvent[]
  gap: Gap | undefined
}

/** `kept`: all that are kept, oldest first. Ids begin anew with each process. */
export function missedSince(lastId: number, kept: readonly MachineEvent[]): Missed {
  const newest = kept.at(-1)?.id ?? 0
  const oldest = kept[0]?.id ?? newest + 1
  if (lastId > newest) return { since: 0, events: kept, gap: { from: lastId + 1, to: lastId + 1, restarted: true } }
  const events = kept.filter(({ id }) => id > lastId)
  const gap = lastId + 1 < oldest ? { from: lastId + 1, to: oldest - 1, restarted: false } : undefined
  return { since: lastId, events, gap }
}
