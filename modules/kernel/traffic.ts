/**
 * Who calls whom, how often, and how long it takes, for whoever draws the system: read from the counts that versions and
 * handles keep anyway, so it costs the calls nothing. Reads only; called by the service `kernel`.
 */
import type { Traffic } from '../contracts/kernel.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import { latencyOf } from './calls.ts'
import { countsOf, running } from './service.ts'

type Link = Traffic['links'][number]

export function trafficOf(services: readonly ServiceRecord[], at: number): Traffic {
  return {
    at,
    services: services.flatMap((service) => {
      const counts = countsOf(service)
      return counts.calls === 0 ? [] : [{ api: service.api, ...counts, latency_ms: latencyOf(service.live) }]
    }),
    links: services.flatMap(linksTo),
  }
}

/** One for each caller, over all its versions, handles and aspects. */
function linksTo(service: ServiceRecord): Link[] {
  const links = new Map<string, Link>()
  for (const { edges } of running(service))
    for (const edge of edges) {
      const { api: caller } = edge.caller
      const link = links.get(caller) ?? { caller, callee: service.api, calls: 0, in_flight: 0 }
      link.calls += edge.calls
      link.in_flight += edge.open
      links.set(caller, link)
    }
  return [...links.values()].filter(({ calls, in_flight }) => calls + in_flight > 0)
}
