/** A system with its HTTP API, for the tests that ask it over the wire. */
import type { Clock } from '../../modules/contracts/seams.ts'
import type { TestRoot } from './root.ts'
import { startSystem, type TestSystem } from './system.ts'

export interface ServedSystem extends TestSystem {
  readonly url: string
  readonly token: string
  fetch(path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>
  /** The answer as JSON, whatever its status. */
  json<T>(path: string, body?: unknown, headers?: Record<string, string>): Promise<T>
}

export async function startServed(
  files: Record<string, string> | TestRoot,
  options: { clock?: Clock } = {},
): Promise<ServedSystem> {
  const http = 'prog: services/http\nport: 0\n'
  if ('path' in files && typeof files.write === 'function') files.write('configs/http.yml', http)
  const system = await startSystem('path' in files ? files : { 'configs/http.yml': http, ...files }, options)
  const { url } = JSON.parse(system.root.read('runtime/http.json')) as { url: string }
  const token = system.root.read('runtime/token').trim()
  const ask: ServedSystem['fetch'] = (path, body, headers = {}) =>
    fetch(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return Object.defineProperty(
    Object.assign(Object.create(system) as TestSystem, {
      url,
      token,
      fetch: ask,
      json: async <T>(path: string, body?: unknown, headers?: Record<string, string>) =>
        (await (await ask(path, body, headers)).json()) as T,
    }),
    'kernel',
    { get: () => system.kernel },
  )
}
