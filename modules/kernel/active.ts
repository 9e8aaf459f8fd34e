/**
 * How services stand now, in the words of the plan: which are at rest, what is wanted of the others, and what runs.
 * Read by the reconciler at each look; a thousand services at rest cost a few comparisons each.
 */
import type { DesiredService, ServiceRecord } from '../contracts/state.ts'
import type { Scan } from '../contracts/seams.ts'
import type { DesiredState } from './configs.ts'
import type { Machine } from './machine.ts'
import type { Active, PlanInput, Wanted } from './reconcile.ts'

/** Runs what its files ask for, and nothing is under way or owed. */
export function isAtRest(service: ServiceRecord, target: DesiredService | undefined): boolean {
  const { live } = service
  return (
    live !== undefined &&
    target !== undefined &&
    service.state === 'live' &&
    !service.busy &&
    service.refusal === undefined &&
    service.refusedAttempt === undefined &&
    service.lastGood === undefined &&
    service.graceSince === undefined &&
    service.deferral === undefined &&
    runs(service, target)
  )
}

/** Whether the live version is made from what its files hold now. */
export const runs = ({ live, scan }: ServiceRecord, target: DesiredService): boolean =>
  live !== undefined && live.desired.hash === target.hash && live.scan.key === scan?.key

const hashes = (one: { desired: DesiredService; scan: Scan }): { configHash: string; sourceKey: string } => ({
  configHash: one.desired.hash,
  sourceKey: one.scan.key,
})

function wantedOf(service: ServiceRecord, target: DesiredService): Wanted {
  const { api, base, prog, hash } = target
  return { api, base, prog, configHash: hash, sourceKey: service.scan?.key ?? '' }
}

/**
 * The config a service comes from: the last one that asked for it, before it goes live too. Not one that asks for another
 * name by now, and may not have it.
 */
export function baseOf({ desired, live }: ServiceRecord, { broken }: DesiredState): string | undefined {
  const base = (desired ?? live?.desired)?.base
  const isElsewhere = base !== undefined && broken.get(base)?.code === 'config_api_taken'
  return isElsewhere ? (live?.desired.base ?? base) : base
}

/** `now` in monotonic ms. */
function activeOf(service: ServiceRecord, state: DesiredState, now: number, drainingMax: number): Active {
  const { live, candidate, deferral, goingBack } = service
  return {
    api: service.api,
    base: baseOf(service, state),
    state: service.state,
    busy: service.busy,
    full: service.draining.size >= drainingMax,
    live: live && { prog: live.desired.prog, base: live.desired.base, ...hashes(live) },
    candidate: candidate === undefined || goingBack ? undefined : hashes(candidate),
    refused: service.refusedAttempt,
    putOff: deferral !== undefined && deferral.retryAt > now ? deferral : undefined,
    waitingFor: service.waitingFor,
    graceSince: service.graceSince,
  }
}

/** What the plan is made from, for the services that are not at rest. */
export function planInput(
  machine: Machine,
  desired: DesiredState,
  unrested: readonly ServiceRecord[],
  sure: ReadonlySet<string>,
): PlanInput {
  const { services, options, limits } = machine
  const now = options.clock.monotonic()
  const wanted = new Map<string, Wanted>()
  const active = new Map<string, Active>()
  for (const service of unrested) {
    const target = desired.services.get(service.api)
    if (target !== undefined) wanted.set(service.api, wantedOf(service, target))
    active.set(service.api, activeOf(service, desired, now, limits.generations_draining_max))
  }
  return {
    wanted,
    active,
    brokenBases: new Set(desired.broken.keys()),
    contestedApis: new Set(desired.contested.keys()),
    isLive: (api) => services.get(api)?.state === 'live',
    now,
    graceMs: limits.file_grace_ms,
    sure,
  }
}

/**
 * Files that differ between what runs and what is wanted. A first start, or another module, changes nothing that others
 * share: the files are as they were.
 */
export function changedFiles({ live }: ServiceRecord, scan: Scan): Set<string> {
  const changed = new Set<string>()
  if (live === undefined || live.scan.entry !== scan.entry) return changed
  const before = live.scan.files
  for (const [path, hash] of scan.files) if (before.get(path) !== hash) changed.add(path)
  for (const path of before.keys()) if (!scan.files.has(path)) changed.add(path)
  return changed
}
