/**
 * `URL` as the web knows it, for an isolate that has none; `url-parts.ts` reads it. A test holds it against Node's over a
 * few hundred cases.
 */
import { parseHost } from './host-name.ts'
import { URLSearchParams } from './query.ts'
import {
  encode,
  FRAGMENT,
  isSpecial,
  parseUrl,
  pathOf,
  portOf,
  PORTS,
  QUERY,
  SPECIAL_QUERY,
  USER,
  type Parts,
} from './url-parts.ts'

export class URL {
  #parts: Parts
  #query: URLSearchParams

  constructor(given: unknown, base?: unknown) {
    const from = base === undefined ? undefined : parseUrl(String(base), undefined)
    this.#parts = parseUrl(String(given), from)
    this.#query = URLSearchParams.bound(this.#parts.query ?? '', (text) => {
      this.#parts.query = text === '' ? null : text
    })
  }

  static canParse(given: unknown, base?: unknown): boolean {
    return URL.parse(given, base) !== null
  }

  static parse(given: unknown, base?: unknown): URL | null {
    try {
      return new URL(given, base)
    } catch {
      return null
    }
  }

  /** Where what was set is no part of a URL, it stays as it was. */
  #change(make: (parts: Parts) => Partial<Parts>): void {
    try {
      Object.assign(this.#parts, make(this.#parts))
    } catch {
      return
    }
    URLSearchParams.reset(this.#query, this.#parts.query ?? '')
  }

  get href(): string {
    const { protocol, username, password, host, path, query, hash } = this.#parts
    const login = username === '' && password === '' ? '' : `${username}${password === '' ? '' : `:${password}`}@`
    // A path that begins like a host must not be read as one.
    const guard = host === null && typeof path !== 'string' && path.length > 1 && path[0] === '' ? '/.' : ''
    const start = host === null ? guard : `//${login}${this.host}`
    return `${protocol}${start}${this.pathname}${query === null ? '' : `?${query}`}${hash === null ? '' : `#${hash}`}`
  }

  set href(given: string) {
    const parts = parseUrl(String(given), undefined)
    this.#change(() => parts)
  }

  get origin(): string {
    const { protocol, path } = this.#parts
    if (protocol === 'blob:' && typeof path === 'string') return URL.parse(path)?.origin ?? 'null'
    return isSpecial(protocol) && protocol !== 'file:' ? `${protocol}//${this.host}` : 'null'
  }

  get protocol(): string {
    return this.#parts.protocol
  }

  set protocol(given: string) {
    const name = /^([A-Za-z][A-Za-z0-9+.-]*):?/.exec(String(given))?.[1]
    if (name === undefined) return
    const protocol = `${name.toLowerCase()}:`
    if (isSpecial(protocol) !== isSpecial(this.#parts.protocol)) return
    this.#change(({ port }) => ({ protocol, port: port === PORTS[protocol] ? '' : port }))
  }

  get username(): string {
    return this.#parts.username
  }

  set username(given: string) {
    if (this.#parts.host) this.#change(() => ({ username: encode(String(given), USER) }))
  }

  get password(): string {
    return this.#parts.password
  }

  set password(given: string) {
    if (this.#parts.host) this.#change(() => ({ password: encode(String(given), USER) }))
  }

  get host(): string {
    const { host, port } = this.#parts
    return `${host ?? ''}${port === '' ? '' : `:${port}`}`
  }

  set host(given: string) {
    if (typeof this.#parts.path === 'string') return
    const [, name = '', port] = /^(\[[^\]]*\]|[^:/?#\\]*)(?::(\d+))?/.exec(String(given)) ?? []
    this.#change(({ protocol }) => ({
      host: parseHost(name, isSpecial(protocol)),
      ...(port === undefined ? {} : { port: portOf(port, protocol, port) }),
    }))
  }

  get hostname(): string {
    return this.#parts.host ?? ''
  }

  set hostname(given: string) {
    if (typeof this.#parts.path === 'string' || String(given).includes(':')) return
    this.#change(({ protocol }) => ({ host: parseHost(String(given), isSpecial(protocol)) }))
  }

  get port(): string {
    return this.#parts.port
  }

  set port(given: string) {
    const digits = /^\d*/.exec(String(given))?.[0] ?? ''
    if (!this.#parts.host || (digits === '' && String(given) !== '')) return
    this.#change(({ protocol }) => ({ port: portOf(digits, protocol, digits) }))
  }

  get pathname(): string {
    const { path } = this.#parts
    return typeof path === 'string' ? path : path.map((segment) => `/${segment}`).join('')
  }

  set pathname(given: string) {
    if (typeof this.#parts.path === 'string') return
    this.#change(({ protocol }) => ({ path: pathOf(String(given), [], protocol) }))
  }

  get search(): string {
    const { query } = this.#parts
    return query === null || query === '' ? '' : `?${query}`
  }

  set search(given: string) {
    const text = String(given).replace(/^\?/, '')
    this.#change(({ protocol }) => ({
      query: text === '' ? null : encode(text, isSpecial(protocol) ? SPECIAL_QUERY : QUERY),
    }))
  }

  get searchParams(): URLSearchParams {
    return this.#query
  }

  get hash(): string {
    const { hash } = this.#parts
    return hash === null || hash === '' ? '' : `#${hash}`
  }

  set hash(given: string) {
    const text = String(given).replace(/^#/, '')
    this.#change(() => ({ hash: text === '' ? null : encode(text, FRAGMENT) }))
  }

  toString(): string {
    return this.href
  }

  toJSON(): string {
    return this.href
  }
}
