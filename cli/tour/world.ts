/**
 * What the tour is led through: a running system, asked by its HTTP API, and files of its root. The command line writes
 * them to the disk, as a person with an editor would; the page, which has no disk, asks the system to. Nothing else of
 * the tour knows which of them it is.
 */
import type { ApiAnswer, ApiArguments, ApiCall } from '../api.ts'

export interface TourWorld {
  /** Rejects with a coded error. */
  ask<K extends ApiCall>(call: K, ...given: ApiArguments<K>): Promise<ApiAnswer<K>>
  /** `path`: from the root. null: the file goes, if it is there. */
  write(path: string, text: string | null): Promise<void>
  pause(ms: number): Promise<void>
  /** What is thrown when something did not come in time: `deadline_exceeded`. */
  late(what: string, ms: number): unknown
  /** what a step keeps for those after it */
  notes: Map<string, number | string>
}

export type ServiceLine = ApiAnswer<'GET /api/services/{api}'>

export const call = async (world: TourWorld, api: string, method: string, ...args: unknown[]): Promise<unknown> =>
  (await world.ask('POST /api/services/{api}/call', { params: { api }, body: { method, args } })).result

/** Of whatever was thrown. */
export const codeOf = (thrown: unknown): string | undefined => (thrown as { code?: string } | undefined)?.code

/** Undefined: there is no such service. Asking for one that is not there would count as a failed call. */
export async function show(world: TourWorld, api: string): Promise<ServiceLine | undefined> {
  const { services } = await world.ask('GET /health')
  if (services[api] === undefined) return undefined
  try {
    return await world.ask('GET /api/services/{api}', { params: { api } })
  } catch (thrown) {
    if (codeOf(thrown) === 'service_not_found') return undefined
    throw thrown
  }
}

const LOOKS_MAX = 1_200
const LOOK_MS = 100

/** Looks until there is something; gives up after two minutes. */
export async function until<T>(world: TourWorld, what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const found = await look()
    if (found !== undefined) return found
    await world.pause(LOOK_MS)
  }
  throw world.late(what, LOOKS_MAX * LOOK_MS)
}

/** Resolves when a version serves that is younger than `after`, made from what is on disk. */
export function serves(world: TourWorld, api: string, after = 0): Promise<ServiceLine> {
  return until(world, `${api} to serve`, async () => {
    const now = await show(world, api)
    return now?.state === 'live' && !now.stale && (now.generation ?? 0) > after ? now : undefined
  })
}
