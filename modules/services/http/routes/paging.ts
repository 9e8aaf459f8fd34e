/**
 * Lists in pages: `limit` and the `cursor` that the page before gave. A cursor names the last entry that was seen, so
 * entries that come and go meanwhile are neither doubled nor skipped. Pure.
 */
import { z } from 'zod'
import { coded } from '../../../lib/errors.ts'

const PAGE_MAX = 1_000

export const pageQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGE_MAX)
    .default(PAGE_MAX)
    .describe(`entries of a page, at most ${PAGE_MAX}`),
  cursor: z.string().optional().describe('`next_cursor` of the page before'),
})

export const nextCursor = {
  next_cursor: z.string().exactOptional().describe('there is more: the `cursor` of the next page'),
}

export interface Page<T> {
  items: T[]
  next: { next_cursor?: string }
}

/** `keyOf` is different for each entry; the list need not be sorted. */
export function pageOf<T>(list: readonly T[], keyOf: (one: T) => string, query: z.output<typeof pageQuery>): Page<T> {
  const { limit, cursor } = query
  const after = cursor === undefined ? undefined : keyIn(cursor)
  const sorted = list.map((one) => ({ one, key: keyOf(one) })).sort((a, b) => (a.key < b.key ? -1 : 1))
  const rest = after === undefined ? sorted : sorted.filter(({ key }) => key > after)
  const items = rest.slice(0, limit)
  const last = items.at(-1)
  const more = rest.length > items.length && last !== undefined
  return {
    items: items.map(({ one }) => one),
    next: more ? { next_cursor: Buffer.from(last.key, 'utf8').toString('base64url') } : {},
  }
}

function keyIn(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString('utf8')
  if (Buffer.from(key, 'utf8').toString('base64url') === cursor) return key
  const reason = '`cursor` in the query must be what `next_cursor` of the page before was'
  throw Object.assign(coded('bad_request', { reason }), { field: 'query.cursor', expected: 'a cursor' })
}
