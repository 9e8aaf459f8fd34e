/** An operator lets a module out of quarantine: its source may run again, and is started. Used by the service `kernel`. */
import type { ReloadResult } from '../contracts/kernel.ts'
import { coded } from '../lib/errors.ts'
import type { Succeeding } from './succession.ts'

/** Rejects with `service_not_found`, or with `not_quarantined` when its source on disk is in no quarantine. */
export async function releaseFromQuarantine(machine: Succeeding, api: string): Promise<ReloadResult> {
  const { options, reconciler, refusedVersions, events } = machine
  const service = reconciler.find(api)
  const sourceKey = service.scan?.key
  if (sourceKey === undefined || options.sandboxes?.release(sourceKey) !== true) throw coded('not_quarantined', { api })
  refusedVersions.forget(api)
  service.refusedAttempt = undefined
  events.emit('service.released', { api })
  return reconciler.reload(api)
}
