/** Whom a service calls, who calls it, and what it only says that it needs. Pure. */
import type { ServiceStatus } from '../../../../modules/contracts/kernel.ts'
import { linkKey, type Pulse } from '../../live/rates.ts'

export interface Neighbor {
  api: string
  way: 'calls' | 'is called by' | 'needs'
  calls: number | null
  calls_per_s: number | null
}

/** Counted since the present versions of the two serve. Pure. */
export function neighborsOf(
  { api, needs }: Pick<ServiceStatus, 'api' | 'needs'>,
  pulse: Pulse | undefined,
): Neighbor[] {
  const links = pulse?.reading.links ?? []
  const called = links.flatMap((link): Neighbor[] => {
    if (link.caller === link.callee) return []
    const told = { calls: link.calls, calls_per_s: pulse?.links.get(linkKey(link)) ?? null }
    if (link.caller === api) return [{ api: link.callee, way: 'calls', ...told }]
    return link.callee === api ? [{ api: link.caller, way: 'is called by', ...told }] : []
  })
  const isCalled = (name: string): boolean => called.some((one) => one.way === 'calls' && one.api === name)
  const needed = needs.filter((name) => !isCalled(name))
  return [...called, ...needed.map((name): Neighbor => ({ api: name, way: 'needs', calls: null, calls_per_s: null }))]
}
