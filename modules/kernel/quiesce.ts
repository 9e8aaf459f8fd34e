/**
 * Making a version quiet so that its state can be copied: new calls queue, its tasks end, its open calls end. Copying
 * under running calls loses writes, and ending the tasks late doubles their steps. When it does not become quiet in
 * time, it goes on as if nothing had been asked. Called by `switch.ts`; calls that have to pass are `admission.ts`.
 */
import type { TimerToken } from '../contracts/seams.ts'
import type { GenerationRecord, ServiceRecord } from '../contracts/state.ts'
import { drained, openCalls } from './counts.ts'
import { closeRoute, routeOf } from './handle.ts'
import { openRoutes } from './install.ts'
import type { ModuleIsolator } from './isolator.ts'
import type { Machine } from './machine.ts'
import { setState } from './service.ts'

export interface Quieting {
  service: ServiceRecord
  generation: GenerationRecord
}

export interface Noise {
  service: ServiceRecord
  /** why it did not become quiet within `quiesce_ms` */
  reason: string
}

/** Members of a group become quiet together: their open calls may need each other. Resolves with the first that did not. */
export async function quiesce(machine: Machine, members: readonly Quieting[]): Promise<Noise | undefined> {
  const { clock, switchboard } = machine.options
  const group = new Set(members.map(({ service }) => service.api))
  for (const { service, generation } of members) {
    service.quietWith = group
    setState(service, 'switching')
    for (const route of routeOf(switchboard, service.api).aspects.values()) closeRoute(route)
    ;(generation.isolator as ModuleIsolator).abortTasks()
  }
  const since = clock.monotonic()
  const stopLooking = lookAgain(machine, members)
  try {
    const busy = await Promise.all(members.map((member) => tasksEnd(machine, member)))
    const late = busy.find((one) => one !== undefined)
    if (late !== undefined) return late
    // A member that was quiet may get calls from another's open calls: only all of them at once is quiet.
    for (let noisy = firstOpen(members); noisy !== undefined; noisy = firstOpen(members)) {
      const { quiesce_ms } = machine.limitsOf(noisy.generation.desired)
      if (await drained(machine, noisy.generation, Math.max(0, since + quiesce_ms - clock.monotonic()))) continue
      const open = openCalls(noisy.generation)
      return { service: noisy.service, reason: `${open} of its calls did not end within ${quiesce_ms} ms` }
    }
    return undefined
  } finally {
    stopLooking()
  }
}

const firstOpen = (members: readonly Quieting[]): Quieting | undefined =>
  members.find(({ generation }) => openCalls(generation) > 0)

async function tasksEnd(machine: Machine, { service, generation }: Quieting): Promise<Noise | undefined> {
  const isolator = generation.isolator as ModuleIsolator
  const { quiesce_ms } = machine.limitsOf(generation.desired)
  if (isolator.tasks.size === 0 || (await isolator.tasksEnded(quiesce_ms))) return undefined
  const labels = [...isolator.tasks].map((task) => task.label).join(', ')
  return { service, reason: `${labels} did not end within ${quiesce_ms} ms of being asked to` }
}

/** Who depends on whom changes while calls go on: a queued call that is waited for by now is let through. */
function lookAgain(machine: Machine, members: readonly Quieting[]): () => void {
  const { clock } = machine
  let timer: TimerToken
  const look = (): void => {
    for (const { service } of members) machine.calls.queue.letThrough(service)
    timer = clock.after(machine.limits.quiesce_look_ms, look)
  }
  timer = clock.after(machine.limits.quiesce_look_ms, look)
  return () => clock.clear(timer)
}

/** Back to serving, with its tasks started again; one that still runs is started again when it has ended. */
export function reopen(machine: Machine, service: ServiceRecord, generation: GenerationRecord): void {
  if (machine.stopping || service.live !== generation) return
  const isolator = generation.isolator as ModuleIsolator
  isolator.renewTasks()
  openRoutes(machine, service, generation)
  service.quietWith = undefined
  setState(service, 'live')
  isolator.startBackground()
  machine.calls.queue.flush(service)
}
