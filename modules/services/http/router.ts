/**
 * Which route a request means. Routes are told apart by their method and how many parts their path has; of those the
 * first whose fixed parts are the same is meant, in the order of the table. Pure.
 */
import type { Route } from './routes/route.ts'

export interface Found {
  route: Route
  /** what stands in the path for each `{name}`, decoded */
  params: Record<string, string>
}

interface Entry {
  route: Route
  /** a fixed part, or the name of what is filled in */
  parts: { fixed?: string; name?: string }[]
}

export class Router {
  readonly #entries = new Map<string, Entry[]>()

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const parts = route.path.split('/').map((part) => {
        const [, name] = /^\{(\w+)\}$/.exec(part) ?? []
        return name === undefined ? { fixed: part } : { name }
      })
      const key = `${route.method} ${parts.length}`
      this.#entries.set(key, [...(this.#entries.get(key) ?? []), { route, parts }])
    }
  }

  /** `path` in the spelling of `readTarget`. A HEAD is a GET whose answer has no body. */
  find(method: string, path: string): Found | undefined {
    const given = path.split('/')
    const entries = this.#entries.get(`${method === 'HEAD' ? 'GET' : method} ${given.length}`)
    if (entries === undefined) return undefined
    for (const { route, parts } of entries) {
      const params = paramsOf(parts, given)
      if (params !== undefined) return { route, params }
    }
    return undefined
  }
}

/** Undefined: these parts mean another path. */
function paramsOf(parts: Entry['parts'], given: string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {}
  for (const [at, { fixed, name }] of parts.entries()) {
    const part = given[at] ?? ''
    if (name === undefined ? part !== fixed : part === '') return undefined
    if (name !== undefined) params[name] = decodeURIComponent(part)
  }
  return params
}
