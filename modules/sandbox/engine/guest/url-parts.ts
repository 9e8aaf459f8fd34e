/**
 * A URL taken apart as the web does it: by its parts, not by letters. Hosts are in `host-name.ts`, queries in `query.ts`.
 * Pure.
 */
import { invalid, parseHost } from './host-name.ts'
import { percent } from './query.ts'

export const PORTS: Readonly<Record<string, string>> = {
  'http:': '80',
  'https:': '443',
  'ws:': '80',
  'wss:': '443',
  'ftp:': '21',
  'file:': '',
}
export const isSpecial = (protocol: string): boolean => Object.hasOwn(PORTS, protocol)

export interface Parts {
  protocol: string
  username: string
  password: string
  /** null: it has none, as in `mailto:a` */
  host: string | null
  port: string
  /** a string for opaque paths */
  path: string | string[]
  query: string | null
  hash: string | null
}

export const encode = (text: string, which: RegExp): string => text.replace(which, (letter) => percent(letter))
export const FRAGMENT = /[\0-\x20"<>`]|[^\x21-\x7e]/gu
export const QUERY = /[\0-\x20"#<>]|[^\x21-\x7e]/gu
export const SPECIAL_QUERY = /[\0-\x20"#'<>]|[^\x21-\x7e]/gu
const PATH = /[\0-\x20"#<>?^`{}]|[^\x21-\x7e]/gu
export const USER = /[\0-\x20"#/:;<=>?@[\\\]^`{|}]|[^\x21-\x7e]/gu
const OPAQUE = /[^\x20-\x7e]/gu

/** Throws a TypeError for what is none. */
export function parseUrl(given: string, base: Parts | undefined): Parts {
  const text = given.replace(/^[\0-\x20]+|[\0-\x20]+$/g, '').replace(/[\t\n\r]/g, '')
  const hashAt = text.indexOf('#')
  const hash = hashAt < 0 ? null : encode(text.slice(hashAt + 1), FRAGMENT)
  const rest = hashAt < 0 ? text : text.slice(0, hashAt)
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(rest)?.[1]
  const protocol = scheme === undefined ? undefined : `${scheme.toLowerCase()}:`
  if (protocol === undefined) {
    if (base === undefined) throw invalid(given)
    return { ...relative(rest, base, given, hash !== null), hash }
  }
  const after = rest.slice(protocol.length)
  // Of a special scheme without `//` what follows is relative to a base of that scheme.
  if (isSpecial(protocol)) {
    if (base?.protocol === protocol && !/^[/\\]{2}/.test(after)) return { ...relative(after, base, given, false), hash }
    return { ...absolute(protocol, after, given), hash }
  }
  return { ...(after.startsWith('//') ? absolute(protocol, after, given) : opaque(protocol, after)), hash }
}

/** `scheme:/path` or `scheme:anything` */
function opaque(protocol: string, after: string): Omit<Parts, 'hash'> {
  const { body, query } = split(after, protocol)
  const none = { protocol, username: '', password: '', host: null, port: '', query }
  if (body.startsWith('/')) return { ...none, path: pathOf(body, [], protocol) }
  return { ...none, path: encode(body, OPAQUE) }
}

function split(text: string, protocol: string): { body: string; query: string | null } {
  const at = text.indexOf('?')
  if (at < 0) return { body: text, query: null }
  return { body: text.slice(0, at), query: encode(text.slice(at + 1), isSpecial(protocol) ? SPECIAL_QUERY : QUERY) }
}

function absolute(protocol: string, after: string, given: string): Omit<Parts, 'hash'> {
  const special = isSpecial(protocol)
  const { body, query } = split(after, protocol)
  if (protocol === 'file:') return { ...fileOf(body, given), query }
  const inner = body.replace(special ? /^[/\\]*/ : /^\/\//, '')
  const end = inner.search(special ? /[/\\]/ : /\//)
  const authority = end < 0 ? inner : inner.slice(0, end)
  const path = end < 0 ? '' : inner.slice(end)
  const at = authority.lastIndexOf('@')
  const login = at < 0 ? '' : authority.slice(0, at)
  const colon = login.indexOf(':')
  const found = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority.slice(at + 1))
  if (found === null) throw invalid(given)
  const [, name = '', port = ''] = found
  if (name === '' && (special || at >= 0 || port !== '')) throw invalid(given)
  return {
    protocol,
    username: encode(colon < 0 ? login : login.slice(0, colon), USER),
    password: encode(colon < 0 ? '' : login.slice(colon + 1), USER),
    host: name === '' ? '' : parseHost(name, special),
    port: portOf(port, protocol, given),
    path: special || path !== '' ? pathOf(path, [], protocol) : [],
    query,
  }
}

export function portOf(port: string, protocol: string, given: string): string {
  if (port === '') return ''
  if (Number(port) > 65_535) throw invalid(given)
  const plainPort = String(Number(port))
  return plainPort === PORTS[protocol] ? '' : plainPort
}

function fileOf(body: string, given: string): Omit<Parts, 'hash' | 'query'> {
  const none = { protocol: 'file:', username: '', password: '', port: '' }
  const found = /^[/\\]{2}([^/\\]*)(.*)$/s.exec(body)
  if (found === null) return { ...none, host: '', path: pathOf(body, [], 'file:') }
  const [, name = '', path = ''] = found
  if (isDrive(name)) return { ...none, host: '', path: pathOf(`/${name}${path}`, [], 'file:') }
  const host = name === '' ? '' : parseHost(name, true)
  if (host.includes(':') && !host.startsWith('[')) throw invalid(given)
  return { ...none, host: host === 'localhost' ? '' : host, path: pathOf(path, [], 'file:') }
}

const isDrive = (text: string): boolean => /^[A-Za-z][:|]$/.test(text)

function relative(rest: string, base: Parts, given: string, hasHash: boolean): Omit<Parts, 'hash'> {
  const { protocol } = base
  if (typeof base.path === 'string') {
    if (rest !== '' || !hasHash) throw invalid(given)
    return base
  }
  const slash = isSpecial(protocol) ? /^[/\\]/ : /^\//
  if (slash.test(rest) && slash.test(rest.slice(1))) return absolute(protocol, rest, given)
  const { body, query } = split(rest, protocol)
  const isOwnDrive = protocol === 'file:' && /^[/\\]?[A-Za-z][:|](?:[/\\]|$)/.test(body)
  if (isOwnDrive) return { ...base, path: pathOf(body, [], protocol), query }
  if (slash.test(body)) {
    const drive = protocol === 'file:' && isDrive(base.path[0] ?? '') ? [base.path[0] ?? ''] : []
    return { ...base, path: pathOf(body, drive, protocol), query }
  }
  if (body === '') return { ...base, query: query ?? base.query }
  return { ...base, path: pathOf(body, base.path.slice(0, -1), protocol), query }
}

/** Segments, after `..` and `.` have done what they say. */
export function pathOf(text: string, start: readonly string[], protocol: string): string[] {
  const segments = [...start]
  const body = text.replace(isSpecial(protocol) ? /^[/\\]/ : /^\//, '')
  const parts = body.split(isSpecial(protocol) ? /[/\\]/ : '/')
  parts.forEach((part, index) => {
    const isLast = index === parts.length - 1
    const dots = part.replace(/%2e/gi, '.')
    if (dots === '..') {
      if (!(protocol === 'file:' && segments.length === 1 && isDrive(segments[0] ?? ''))) segments.pop()
      if (isLast) segments.push('')
    } else if (dots === '.') {
      if (isLast) segments.push('')
    } else if (protocol === 'file:' && segments.length === 0 && isDrive(part)) segments.push(`${part.charAt(0)}:`)
    else segments.push(encode(part, PATH))
  })
  return segments
}
