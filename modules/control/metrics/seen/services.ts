/**
 * The kernel's own counts of each service, read now and then: what was added since goes into the window. What the
 * measuring itself has asked is taken off. What a service had when it was first seen counts for nothing.
 */
import type { ServiceStatus } from '../../../contracts/kernel.ts'
import type { Seen } from './index.ts'

export function seeServices(seen: Seen, services: readonly ServiceStatus[], now: number): void {
  const { lastAt, own } = seen
  const current = new Map(services.map(({ api, calls, errors, restarts }) => [api, { calls, errors, restarts }]))
  seen.own = new Map()
  if (lastAt !== undefined) {
    for (const [api, counts] of current) {
      // One that was not there has all its counts from this time.
      const before = seen.last.get(api) ?? { calls: 0, errors: 0, restarts: 0 }
      const taken = own.get(api) ?? { calls: 0, errors: 0 }
      const calls = added(counts.calls, before.calls) - taken.calls
      const errors = added(counts.errors, before.errors) - taken.errors
      const restarts = added(counts.restarts, before.restarts)
      if (calls > 0) seen.counts.add(now, `calls ${api}`, calls)
      if (errors > 0) seen.counts.add(now, `errors ${api}`, errors)
      if (restarts > 0) seen.counts.add(now, `restarts ${api}`, restarts)
      if (calls > errors) seen.recoveries.counted(api, lastAt, now)
    }
  }
  seen.last = current
  seen.lastAt = now
}

/** A service that was removed and came again counts from 0. */
const added = (now: number, before: number): number => (now >= before ? now - before : now)
