/**
 * Which two versions of a service are compared: what a way back would change, and what is looked at among the versions
 * that were kept. Pure.
 */
import type { ServiceStatus } from '../../../../modules/contracts/kernel.ts'
import type { Happening } from '../now/happenings.tsx'

export interface Compared {
  from: string
  to: string
}

/** The generation that served before the one that serves; undefined when nobody kept it. `happened`: oldest first. */
export function generationBefore(
  happened: readonly Happening[],
  { api, generation }: Pick<ServiceStatus, 'api' | 'generation'>,
): number | undefined {
  const live = happened.findLast(
    (one) => one.type === 'service.live' && one.api === api && one.data['generation'] === generation,
  )
  const from = live?.data['from']
  return typeof from === 'number' ? from : undefined
}

/** What a rollback would change of what runs. */
export function rollbackCompared(
  happened: readonly Happening[],
  service: Pick<ServiceStatus, 'api' | 'generation'>,
): Compared | undefined {
  const before = generationBefore(happened, service)
  return before === undefined ? undefined : { from: 'live', to: `g${before}` }
}

/** What an undo would write: where the disk is ahead of what runs, that is taken back, else the last version is. */
export function undoCompared(
  happened: readonly Happening[],
  service: Pick<ServiceStatus, 'api' | 'generation' | 'stale'>,
): Compared | undefined {
  return service.stale ? { from: 'disk', to: 'live' } : rollbackCompared(happened, service)
}

/** Those whose texts were kept, oldest first. */
export const versionsOf = (happened: readonly Happening[], api: string): Happening[] =>
  happened.filter((one) => one.type === 'service.live' && one.api === api)

/** What is compared: as the address says, else the version before the last and what runs. */
export function picked(
  versions: readonly Pick<Happening, 'id'>[],
  { from, to }: Readonly<Record<string, string>>,
): { from: string; to: string } {
  return { from: from ?? versions.at(-2)?.id ?? 'live', to: to ?? (versions.length > 1 ? 'live' : 'disk') }
}
