/**
 * The HTTP API, typed by its table of routes: `ask('GET /api/services/{api}', {params: {api}})` knows what it takes and
 * what comes back. What fails is thrown as a `Refusal`: plain data, whatever went wrong. The token is given once, in the
 * fragment of the address or by hand, and kept for this tab only.
 */
import { signal } from '@preact/signals'
import { pathOf, type ApiAnswer, type ApiArguments, type ApiCall } from '../../../cli/api.ts'

export type { ApiAnswer, ApiCall }

/** What went wrong, as the API tells it: `code` is one of ERRORS.md, or `not_reachable` when nothing answered. */
export interface Refusal {
  code: string
  message: string
  hint: string
  /** where the code is explained, as `ERRORS.md#not_found` */
  doc: string
  file?: string
  line?: number
  column?: number
}

const KEPT = 'token'

/** Undefined: none is known, or the one that was is not taken any more. */
export const token = signal<string | undefined>(takeToken())

/** The last one was given and not taken. */
export const isRefused = signal(false)

/** From the fragment `#token=…`, which leaves the address at once: it must not reach a history or a screenshot. */
function takeToken(): string | undefined {
  if (typeof window === 'undefined') return undefined
  const { hash, pathname } = window.location
  const given = new URLSearchParams(hash.slice(1)).get('token')
  if (given === null) return sessionStorage.getItem(KEPT) ?? undefined
  window.history.replaceState(null, '', `${pathname}#/`)
  sessionStorage.setItem(KEPT, given)
  return given
}

export function keepToken(given: string): void {
  sessionStorage.setItem(KEPT, given)
  isRefused.value = false
  token.value = given
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEPT)
  token.value = undefined
}

function refuseToken(): void {
  isRefused.value ||= token.value !== undefined
  forgetToken()
}

/** A call of the API by its place in the table. Throws a `Refusal`. */
export async function ask<K extends ApiCall>(call: K, ...[given]: ApiArguments<K>): Promise<ApiAnswer<K>> {
  const [method = '', path = ''] = call.split(' ')
  const { params, query, body } = (given ?? {}) as { [part: string]: Record<string, unknown> | undefined }
  const response = await send(method, pathOf(path, params, query), method === 'GET' ? undefined : (body ?? {}))
  return (await answerOf(response)) as ApiAnswer<K>
}

/** One request as it is: for streams. Throws a `Refusal` when nothing answers or the answer is one. */
export async function open(
  method: string,
  path: string,
  more: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const response = await send(method, path, more.body, more)
  if (!response.ok) await answerOf(response)
  return response
}

async function send(
  method: string,
  path: string,
  body: unknown,
  { headers = {}, signal: stop }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${token.value ?? ''}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(stop === undefined ? {} : { signal: stop }),
    })
  } catch (thrown) {
    if (stop?.aborted === true) throw thrown
    throw refusal('not_reachable', 'The system does not answer', 'It is asked again by itself; `mm status` says more.')
  }
}

async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  const value: unknown = isJson ? JSON.parse(text) : text
  if (response.ok) return value
  const told = (value as { error?: Refusal } | null)?.error
  if (told?.code === 'unauthorized') refuseToken()
  throw told ?? refusal('not_reachable', `The system answered with ${response.status}`, '')
}

export const refusal = (code: string, message: string, hint: string): Refusal => ({
  code,
  message,
  hint,
  doc: `ERRORS.md#${code}`,
})

/** Whatever was thrown, as a refusal. */
export function refusalOf(thrown: unknown): Refusal {
  const told = (thrown ?? {}) as Partial<Refusal>
  const { code, message, hint = '', doc = '' } = told
  if (typeof code === 'string' && typeof message === 'string') return { ...told, code, message, hint, doc }
  return refusal('page_fault', typeof message === 'string' ? message : String(thrown), hint)
}
