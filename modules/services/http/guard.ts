/**
 * Who may ask: decided before anything else about a request. The Host must be an address of this server (a page on
 * another site can make a browser send requests here, but not with that header), the Origin must be ours or allowed,
 * and everything under /api needs the bearer token. /mcp needs one too, but the service `mcp` knows further ones. Pure.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { coded, type CodedError } from '../../lib/errors.ts'

export interface GuardRules {
  token: string
  /** `host:port` of this server, in every spelling it answers to */
  hosts: ReadonlySet<string>
  /** further origins that may call from a browser */
  origins: ReadonlySet<string>
}

export function checkRequest(path: string, headers: IncomingHttpHeaders, rules: GuardRules): CodedError | undefined {
  const host = (headers.host ?? '').toLowerCase()
  if (!rules.hosts.has(host)) return coded('host_refused', { host })
  const { origin } = headers
  if (origin !== undefined && !isOwnOrigin(origin, rules)) return coded('origin_refused', { origin })
  if (!needsToken(path) || isOperator(headers, rules)) return undefined
  return path === '/mcp' && tokenOf(headers) !== undefined ? undefined : coded('unauthorized')
}

/** Whether the request carries the system's own token. */
export function isOperator(headers: IncomingHttpHeaders, { token }: Pick<GuardRules, 'token'>): boolean {
  const given = tokenOf(headers)
  return given !== undefined && sameSecret(given, token)
}

const tokenOf = ({ authorization }: IncomingHttpHeaders): string | undefined =>
  /^Bearer ([\x21-\x7e]+)$/.exec(authorization ?? '')?.[1]

const needsToken = (path: string): boolean => /^\/(api|mcp|metrics)(\/|$)/.test(path)

function isOwnOrigin(origin: string, rules: GuardRules): boolean {
  if (rules.origins.has(origin)) return true
  const host = /^https?:\/\/(.+)$/.exec(origin.toLowerCase())?.[1]
  return host !== undefined && rules.hosts.has(host)
}

/** Compared as hashes, so that neither content nor length shows in the time it takes. */
function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** The names a server answers to: its own address, the usual ones of loopback, and those of the config. */
export function hostNames(host: string, port: number, extra: readonly string[]): Set<string> {
  const loopback = ['127.0.0.1', 'localhost', '[::1]']
  const bare = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  const names = [...new Set([bare, ...loopback])].map((name) => `${name}:${port}`)
  return new Set([...names, ...extra.map((name) => name.toLowerCase())])
}
