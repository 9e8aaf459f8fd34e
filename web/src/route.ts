/**
 * Where the person is: the part of the address behind `#`, as `#/services/tasks%2Fcounter?tab=versions`. Links are plain
 * links, so back, forward and a new tab work by themselves. Reading and writing addresses is pure.
 */
import { signal } from '@preact/signals'

export interface Route {
  /** id of a page; empty: the first one */
  page: string
  /** what stands behind it, decoded: of `#/services/a%2Fb` it is `['a/b']` */
  parts: readonly string[]
  query: Readonly<Record<string, string>>
}

export function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [page = '', ...parts] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded)
  return { page, parts, query: Object.fromEntries(new URLSearchParams(query)) }
}

/** What somebody typed may be no encoding at all. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** `hrefOf('services', ['a/b'], {tab: 'calls'})`; what is undefined in the query is left out. */
export function hrefOf(
  page: string,
  parts: readonly string[] = [],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const path = [page, ...parts].map(encodeURIComponent).join('/')
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return `#/${path}${given.length === 0 ? '' : `?${String(new URLSearchParams(given))}`}`
}

const here = (): string => (typeof window === 'undefined' ? '' : window.location.hash)

export const route = signal<Route>(readRoute(here()))

/** To another page. */
export function go(href: string): void {
  window.location.hash = href
}

/** Changes the query of this page without a new entry in the history: filters, the open tab. `undefined` takes one out. */
export function setQuery(change: Readonly<Record<string, string | undefined>>): void {
  const { page, parts, query } = route.value
  window.history.replaceState(null, '', hrefOf(page, parts, { ...query, ...change }))
  route.value = readRoute(here())
}

/** Until the returned function is called. */
export function startRoute(): () => void {
  const onChange = (): void => {
    route.value = readRoute(here())
  }
  window.addEventListener('hashchange', onChange)
  onChange()
  return () => window.removeEventListener('hashchange', onChange)
}
