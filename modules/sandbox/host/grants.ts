/**
 * Whether a power is granted. Pure. Everything that is not granted is refused: an unknown method, a pattern on a method
 * whose argument nobody knows, an argument that is not what its kind says.
 */
import { posix } from 'node:path'
import type { Power } from '../../contracts/sandbox.ts'
import { parseGrant, powerText, type Grant } from '../../lib/grant-text.ts'
import { argumentRule, type ArgumentKind } from './grant-arguments.ts'
import { matches } from './glob.ts'

/** A call as a guest makes it. */
export interface AskedCall {
  service: string
  aspect: string
  method: string
  args: readonly unknown[]
}

export type Grants = readonly Grant[]

export const readGrants = (value: unknown): Grant[] =>
  (Array.isArray(value) ? value : []).flatMap((text) => {
    const grant = typeof text === 'string' ? parseGrant(text) : undefined
    return grant === undefined ? [] : [grant]
  })

const names = (grant: Grant, power: Pick<Power, 'service' | 'aspect' | 'method'>): boolean =>
  grant.service === power.service &&
  (grant.aspect === '*' || grant.aspect === power.aspect) &&
  (grant.method === '*' || grant.method === power.method)

/** Every argument of the call has to be granted, each by one grant or another. */
export function isGranted(grants: readonly Grant[], call: AskedCall): boolean {
  const named = grants.filter((grant) => names(grant, call))
  if (named.some(({ pattern }) => pattern === undefined)) return true
  const rule = argumentRule(call)
  if (named.length === 0 || rule === undefined) return false
  const asked = rule.read(call.args)
  return asked.length > 0 && asked.every((one) => named.some(({ pattern }) => fits(rule.kind, pattern ?? '', one)))
}

/** In what a scan found: it could not read this part. */
const UNKNOWN = '*'

/** The same for what a static scan found: what it could not read is left to the call itself. */
export function mayBeGranted(grants: readonly Grant[], power: Power): boolean {
  const { service, method, argument } = power
  if (service === UNKNOWN) return true
  const named = grants.filter((grant) => (method === UNKNOWN ? grant.service === service : names(grant, power)))
  const rule = argumentRule(power)
  if (argument === undefined || argument.includes(UNKNOWN) || rule?.isFirst !== true) return named.length > 0
  return named.some(({ pattern }) => pattern === undefined || fits(rule.kind, pattern, argument))
}

function fits(kind: ArgumentKind, pattern: string, argument: unknown): boolean {
  if (typeof argument !== 'string') return false
  switch (kind) {
    case 'path':
      return fitsPath(pattern, argument)
    case 'host':
      return fitsHost(pattern, argument)
    case 'statement':
      return fitsStatement(pattern, argument)
    case 'name':
      return matches(pattern, argument)
    default: {
      const never: never = kind
      return never
    }
  }
}

/** Paths from the root. `data/**` is the folder and all in it. */
function fitsPath(pattern: string, argument: string): boolean {
  const path = posix.normalize(argument)
  if (path.includes('\0') || path.includes('\\') || posix.isAbsolute(path) || path.split('/').includes('..'))
    return false
  return matches(posix.normalize(pattern), path.replace(/(.)\/$/, '$1'), '/')
}

/** The host of a URL, and its port where it is not the usual one: `api.example.com`, `*.example.com`, `localhost:8080`. */
function fitsHost(pattern: string, argument: string): boolean {
  const url = URL.canParse(argument) ? new URL(argument) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) return false
  return matches(pattern.toLowerCase(), url.host, '.')
}

/** One statement without comments; what is quoted counts as it is, and spaces and case do not. */
function fitsStatement(pattern: string, argument: string): boolean {
  const plain = (text: string): string => text.trim().replace(/;$/, '').replace(/\s+/g, ' ').toLowerCase()
  const statement = plain(argument)
  if (/--|\/\*|;/.test(statement)) return false
  return matches(plain(pattern), statement)
}

/** The smallest grant that would allow the call. */
export function leastGrant(call: AskedCall): string {
  const rule = argumentRule(call)
  const [argument] = rule?.read(call.args) ?? []
  const pattern = rule === undefined || typeof argument !== 'string' ? undefined : leastPattern(rule.kind, argument)
  return grantText(call, pattern)
}

export function leastGrantOf(power: Power): string {
  const rule = argumentRule(power)
  const { argument } = power
  const isKnown = rule?.isFirst === true && argument !== undefined && !argument.includes(UNKNOWN)
  return grantText(power, isKnown ? leastPattern(rule.kind, argument) : undefined)
}

const PATTERN_CHARS_MAX = 200

const grantText = (power: Power | AskedCall, pattern: string | undefined): string =>
  pattern === undefined || pattern === ''
    ? powerText(power)
    : `${powerText(power)}:${pattern.slice(0, PATTERN_CHARS_MAX)}`

function leastPattern(kind: ArgumentKind, argument: string): string | undefined {
  switch (kind) {
    case 'path':
      return posix.normalize(argument)
    case 'host':
      return URL.canParse(argument) ? new URL(argument).host : undefined
    case 'statement':
      return `${argument.trim().split(/\s/)[0] ?? ''} *`
    case 'name':
      return argument
    default: {
      const never: never = kind
      return never
    }
  }
}
