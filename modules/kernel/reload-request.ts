/** A reload that somebody asks for by name, perhaps from within the very service. Used by the service `kernel`. */
import type { ReloadResult } from '../contracts/kernel.ts'
import type { CallerRecord } from '../contracts/state.ts'
import { coded } from '../lib/errors.ts'
import { dependsOn, waitingFor } from './admission.ts'
import type { Machine } from './machine.ts'
import type { Reconciler } from './reconciler.ts'
import { deferredReload } from './refuse.ts'

/**
 * A service that is asked from within itself to become quiet could only wait for ever: the asker gets its answer at
 * once, and the reload follows when its call has ended.
 */
export async function reloadFor(
  machine: Machine,
  reconciler: Reconciler,
  api: string,
  caller?: CallerRecord,
): Promise<ReloadResult> {
  if (machine.stopping) throw coded('kernel_stopping')
  // Only when the asker's own call has returned to its caller is it known who waits for whom.
  await Promise.resolve()
  const reloaded = reconciler.reload(api)
  const live = machine.services.get(api)?.live
  if (caller === undefined || live === undefined) return reloaded
  if (live.mode !== 'overlap' && dependsOn(api, caller.api, machine.services)) {
    reloaded.catch(() => undefined)
    return deferredReload(live.number)
  }
  return waitingFor(caller, api, reloaded)
}
