/**
 * What a request asks for, in one spelling. A path can be written in many ways (`/%61pi`, `/x/../api`, `/\api`); here
 * it is decoded and written again, before the guard looks at it, so that what the guard judged is what the routes
 * match. Pure.
 */

export interface Target {
  /** each part decoded and encoded again: letters and digits always stand for themselves */
  path: string
  query: URLSearchParams
  /** path and query, as a request carries them */
  url: string
}

/** Written in that spelling already, as most requests are: nothing encoded, no dots, nothing behind a `?`. */
const PLAIN = /^(?:\/[\w-]+)+$/
const NO_QUERY = new URLSearchParams()

/** Undefined when the path cannot be read. */
export function readTarget(url: string): Target | undefined {
  if (PLAIN.test(url)) return { path: url, query: NO_QUERY, url }
  try {
    // `//x` is a path here and no host, so it may not be read as a relative address.
    const { pathname, search, searchParams } = new URL(url.startsWith('/') ? `http://localhost${url}` : url)
    const parts = pathname.split('/').map((part) => encodeURIComponent(decodeURIComponent(part)))
    const path = parts.join('/')
    return { path, query: searchParams, url: path + search }
  } catch {
    return undefined
  }
}
