/** The orderly end: the newest services first, since they lean on the older ones, all within one deadline. */
import { within } from '../lib/within.ts'
import type { Machine } from './machine.ts'
import { stopped, stopService } from './switch.ts'

/** Never rejects: what cannot be stopped is logged and left. `machine.stopping` is set already. */
export async function stopAll(
  machine: Machine,
  reason: string,
  deadlineMs: number,
  bell: { close(): Promise<void> },
): Promise<void> {
  const { clock, log } = machine.options
  log.info(`stopping: ${reason}`)
  machine.events.emit('kernel.stopping', { reason })
  const until = clock.monotonic() + deadlineMs
  await bell.close()
  // Before anything ends: what serves now. It is written while the services end.
  const kept = machine.lastGood.keepAll()
  const order = [...machine.services.values()]
    .filter((service) => service.api !== 'kernel' && service.state !== 'draining' && service.state !== 'stopped')
    .sort((a, b) => (b.live?.liveAt ?? 0) - (a.live?.liveAt ?? 0))
  for (const service of order) {
    try {
      await stopService(machine, service, Math.max(0, until - clock.monotonic()))
      stopped(machine, service)
    } catch (thrown) {
      log.warn(`${service.api}: ${String(thrown)}`)
    }
  }
  const late = (): string => 'last good versions were not all kept in time'
  await within(clock, Math.max(1, until - clock.monotonic()), kept, late).catch((thrown) => log.warn(String(thrown)))
}
