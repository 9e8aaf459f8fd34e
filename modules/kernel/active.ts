/**
 * How services stand now, in the words of the plan: which are at rest, what is wanted of the others, and what runs.
 * Read by the reconciler at each look; a thousand services at rest cost a few comparisons each.
 */
import type { DesiredService, ServiceRecord } from '../contracts/state.ts'
import type { Scan } from '../contracts/seams.ts'
import type { Active, Wanted } from './reconcile.ts'

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
    service.graceSince === undefined &&
    service.deferral === undefined &&
    live.desired.hash === target.hash &&
    live.scan.key === service.scan?.key
  )
}

const hashes = (one: { desired: DesiredService; scan: Scan }): { configHash: string; sourceKey: string } => ({
  configHash: one.desired.hash,
  sourceKey: one.scan.key,
})

export function wantedOf(service: ServiceRecord, target: DesiredService): Wanted {
  const { api, base, prog, hash } = target
  return { api, base, prog, configHash: hash, sourceKey: service.scan?.key ?? '' }
}

/** `now` in monotonic ms. */
export function activeOf(service: ServiceRecord, now: number, drainingMax: number): Active {
  const { live, candidate, deferral } = service
  return {
    api: service.api,
    base: (service.desired ?? live?.desired)?.base,
    state: service.state,
    busy: service.busy,
    full: service.draining.size >= drainingMax,
    live: live === undefined ? undefined : { prog: live.desired.prog, ...hashes(live) },
    candidate: candidate === undefined ? undefined : hashes(candidate),
    refused: service.refusedAttempt,
    putOff: deferral !== undefined && deferral.retryAt > now ? deferral : undefined,
    waitingFor: service.waitingFor,
    graceSince: service.graceSince,
  }
}

/** Files that differ between what runs and what is wanted. A first start changes nothing that others share. */
export function changedFiles(service: ServiceRecord, scan: Scan): Set<string> {
  const changed = new Set<string>()
  const before = service.live?.scan.files
  if (before === undefined) return changed
  for (const [path, hash] of scan.files) if (before.get(path) !== hash) changed.add(path)
  for (const path of before.keys()) if (!scan.files.has(path)) changed.add(path)
  return changed
}
