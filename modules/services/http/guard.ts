/**
 * Who may ask: decided before anything else about a request. The Host must be an address of this server (a page on
 * another site can make a browser send requests here, but not with that header), the Origin must be ours or allowed,
 * and everything under /api needs a bearer token. /mcp needs one too, but the service `mcp` knows further ones. What
 * the token may do is asked by the route. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { coded, type CodedError } from '../../lib/errors.ts'
import { bearerOf, holderOf, OPERATOR, type TokenHolder } from '../../lib/tokens.ts'
import type { TokenConfig } from './config.ts'
import { SCOPES, type Asker, type Scope } from './routes/route.ts'

export interface GuardRules {
  holders: readonly TokenHolder[]
  /** what the holder of each token may do, by name */
  askers: ReadonlyMap<string, Asker>
  /** `host:port` of this server, in every spelling it answers to */
  hosts: ReadonlySet<string>
  /** further origins that may call from a browser */
  origins: ReadonlySet<string>
}

export interface Judged {
  /** whose token came with it, when it is a good one */
  asker: Asker | undefined
  refused: CodedError | undefined
}

export function judge(path: string, headers: IncomingHttpHeaders, rules: GuardRules): Judged {
  const host = (headers.host ?? '').toLowerCase()
  if (!rules.hosts.has(host)) return { asker: undefined, refused: coded('host_refused', { host }) }
  const { origin } = headers
  if (origin !== undefined && !isOwnOrigin(origin, rules))
    return { asker: undefined, refused: coded('origin_refused', { origin }) }
  const asker = rules.askers.get(holderOf(headers.authorization, rules.holders) ?? '')
  if (asker !== undefined || !needsToken(path)) return { asker, refused: undefined }
  const known = path === '/mcp' && bearerOf(headers.authorization) !== undefined
  return { asker, refused: known ? undefined : coded('unauthorized') }
}

/** `admin`: calls that need the scope of that name, as `service:method`. */
export function askersOf(tokens: Readonly<Record<string, TokenConfig>>, admin: readonly string[]): Map<string, Asker> {
  const askers = Object.entries(tokens).map(([name, { scope, capabilities }]): Asker => {
    return { name, scope, capabilities, admin: scope === 'admin' ? [] : admin }
  })
  const operator: Asker = { name: OPERATOR, scope: 'admin', capabilities: ['*'], admin: [] }
  return new Map([operator, ...askers].map((asker) => [asker.name, asker]))
}

/** Throws `unauthorized` without a token, `token_scope` for one that may do less. */
export function checkScope(asker: Asker | undefined, needed: Scope | 'open'): void {
  if (needed === 'open') return
  if (asker === undefined) throw coded('unauthorized')
  const { name, scope } = asker
  if (SCOPES.indexOf(scope) >= SCOPES.indexOf(needed)) return
  throw coded('token_scope', { name, reason: `it has the scope \`${scope}\`, this needs \`${needed}\`` })
}

const needsToken = (path: string): boolean => /^\/(api|mcp|metrics)(\/|$)/.test(path)

function isOwnOrigin(origin: string, rules: GuardRules): boolean {
  if (rules.origins.has(origin)) return true
  const host = /^https?:\/\/(.+)$/.exec(origin.toLowerCase())?.[1]
  return host !== undefined && rules.hosts.has(host)
}

/** The names a server answers to: its own address, the usual ones of loopback, and those of the config. */
export function hostNames(host: string, port: number, extra: readonly string[]): Set<string> {
  const loopback = ['127.0.0.1', 'localhost', '[::1]']
  const bare = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  const names = [...new Set([bare, ...loopback])].map((name) => `${name}:${port}`)
  return new Set([...names, ...extra.map((name) => name.toLowerCase())])
}
