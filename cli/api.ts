/**
 * The types of the HTTP API, from its table of routes: `client.ask('GET /api/services/{api}', {params: {api}})` knows
 * what it takes and what comes back. Types only: the table itself is not loaded.
 */
import type { z } from 'zod'
import type { ApiRoute } from '../modules/services/http/routes/index.ts'

type KeyOf<R> = R extends { method: infer M extends string; path: infer P extends string } ? `${M} ${P}` : never

export type ApiCall = KeyOf<ApiRoute>
type Find<K extends ApiCall, R = ApiRoute> = R extends unknown ? (KeyOf<R> extends K ? R : never) : never

/** A part that wants nothing may be left out. */
type Part<Name extends string, T> = keyof T extends never
  ? unknown
  : T extends Record<string, never>
    ? unknown
    : Partial<T> extends T
      ? { [K in Name]?: T }
      : { [K in Name]: T }

type Input<R, Name extends 'params' | 'query' | 'body'> = R extends { [K in Name]: infer S extends z.ZodType }
  ? z.input<S>
  : never

export type ApiInput<K extends ApiCall> = Part<'params', Input<Find<K>, 'params'>> &
  Part<'query', Input<Find<K>, 'query'>> &
  Part<'body', Input<Find<K>, 'body'>>

export type ApiAnswer<K extends ApiCall> = Find<K> extends { answer: infer A extends z.ZodType } ? z.output<A> : never

/** The arguments behind the name of the call: none where nothing is needed. */
export type ApiArguments<K extends ApiCall> =
  Partial<ApiInput<K>> extends ApiInput<K> ? [given?: ApiInput<K>] : [given: ApiInput<K>]

/** `/api/services/{api}` with its parts filled in, and the query. Pure. */
export function pathOf(
  path: string,
  params: Record<string, unknown> = {},
  query: Record<string, unknown> = {},
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(String(params[name])))
  const asked = Object.entries(query).filter(([, value]) => value !== undefined && value !== null)
  return asked.length === 0
    ? filled
    : `${filled}?${String(new URLSearchParams(asked.map(([name, value]) => [name, String(value)] as [string, string])))}`
}
