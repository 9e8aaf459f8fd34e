/**
 * Lists that come in pages, read to their end: a system may have more services than a page holds. For the command line
 * and the dashboard alike.
 */
import type { ApiAnswer, ApiArguments, ApiCall } from './api.ts'

interface Asking {
  ask<K extends ApiCall>(call: K, ...given: ApiArguments<K>): Promise<ApiAnswer<K>>
}

type Status = ApiAnswer<'GET /api/services'>['services'][number]
type Config = ApiAnswer<'GET /api/configs'>['configs'][number]

async function toTheEnd<T>(
  read: (cursor?: string) => Promise<{ items: T[]; next?: string | undefined }>,
): Promise<T[]> {
  const all: T[] = []
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await read(cursor)
    all.push(...items)
    if (next === undefined) return all
    cursor = next
  }
}

const from = (cursor: string | undefined): { cursor?: string } => (cursor === undefined ? {} : { cursor })

/** Every service. `limit`: of one page. */
export const allServices = (client: Asking, limit?: number): Promise<Status[]> =>
  toTheEnd(async (cursor) => {
    const query = { ...from(cursor), ...(limit === undefined ? {} : { limit }) }
    const { services, next_cursor } = await client.ask('GET /api/services', { query })
    return { items: services, next: next_cursor }
  })

/** Every config, or those of one service. */
export const allConfigs = (client: Asking, service?: string): Promise<Config[]> =>
  toTheEnd(async (cursor) => {
    const query = { ...from(cursor), ...(service === undefined ? {} : { service }) }
    const { configs, next_cursor } = await client.ask('GET /api/configs', { query })
    return { items: configs, next: next_cursor }
  })
