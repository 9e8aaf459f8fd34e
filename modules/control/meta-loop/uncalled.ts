/**
 * Since when nobody has called each service, as far as the loop has looked: from the kernel's exact counts, at each watch
 * and each cycle. What was not seen is not assumed: for a service that is new, and with each process, it begins anew.
 */
import type { ServiceStatus } from '../../contracts/kernel.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type { Means } from './means.ts'

/** By service: its count when last looked at, and since when (epoch ms) it is that. */
export type Uncalled = Readonly<Record<string, { calls: number; since: number }>>

/** As long as the process lives, over versions of the loop. */
export const heldSeen = (kernel: KernelApi): Promise<Means['seen']> =>
  kernel.hold(
    'uncalled',
    (): Means['seen'] => ({}),
    () => undefined,
  )

/** Pure. */
export const uncalledNow = (
  known: Uncalled,
  services: readonly Pick<ServiceStatus, 'api' | 'calls'>[],
  now: number,
): Uncalled =>
  Object.fromEntries(
    services.map(({ api, calls }) => {
      const before = known[api]
      return [api, before?.calls === calls ? before : { calls, since: now }]
    }),
  )

export async function noteUncalled({ seen, system, kernel }: Means): Promise<Uncalled> {
  seen.uncalled = uncalledNow(seen.uncalled ?? {}, await system.services(), kernel.clock.now())
  return seen.uncalled
}
