/** Events on the bus, and signed ones that were refused. */
import type { EventCounts, SignedEventsApi } from '../../../contracts/signed-events.ts'
import { counted, sumOf, type Collector, type Look, type Values } from '../look.ts'

export const telemetry: Collector = { domain: 'telemetry', collect }

async function collect(look: Look): Promise<Values> {
  const [types, failures] = [look.counts('event'), look.count('bus failure')]
  const signed = await look.ask<SignedEventsApi, EventCounts>('events', (events) => events.counts())
  return {
    event_count: counted(sumOf(types.values())),
    error_event_count: counted(failures),
    event_types: counted(types.size),
    ...(signed === undefined ? {} : { refused_events: counted(sumOf(Object.values(signed.refused))) }),
  }
}
