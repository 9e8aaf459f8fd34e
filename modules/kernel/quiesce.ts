/**
 * Making a version quiet so that its state can be copied: new calls queue, its tasks end, its open calls end. Copying
 * under running calls loses writes, and ending the tasks late doubles their steps. When it does not become quiet in
 * time, it goes on as if nothing had been asked. Called by `switch.ts`; calls that have to pass are `admission.ts`.
 */
import type { GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { openCalls } from './counts.ts'
import { drained } from './generation.ts'
import { closeRoute, routeOf } from './handle.ts'
import { openRoutes } from './install.ts'
import type { ModuleIsolator } from './isolator.ts'
import type { Machine } from './machine.ts'
import { setState } from './service.ts'

/** Resolves with why it did not become quiet within `quiesce_ms`, or with undefined when it is. */
export async function quiesce(
  machine: Machine,
  service: ServiceRecord,
  generation: GenerationRecord,
): Promise<string | undefined> {
  const { clock, switchboard } = machine.options
  const { quiesce_ms } = machine.limitsOf(generation.desired)
  const until = clock.monotonic() + quiesce_ms
  const isolator = generation.isolator as ModuleIsolator
  setState(service, 'switching')
  for (const route of routeOf(switchboard, service.api).aspects.values()) closeRoute(route)
  isolator.abortTasks()
  if (isolator.tasks.size > 0 && !(await isolator.tasksEnded(quiesce_ms))) {
    const labels = [...isolator.tasks].map((task) => task.label).join(', ')
    return `${labels} did not end within ${quiesce_ms} ms of being asked to`
  }
  if (await drained(machine, generation, Math.max(0, until - clock.monotonic()))) return undefined
  return `${openCalls(generation)} of its calls did not end within ${quiesce_ms} ms`
}

/** Back to serving, with its tasks started again; one that still runs is started again when it has ended. */
export function reopen(machine: Machine, service: ServiceRecord, generation: GenerationRecord): void {
  if (machine.stopping || service.live !== generation) return
  const isolator = generation.isolator as ModuleIsolator
  isolator.renewTasks()
  openRoutes(machine, service, generation)
  setState(service, 'live')
  isolator.startBackground()
  machine.calls.queue.flush(service)
}
