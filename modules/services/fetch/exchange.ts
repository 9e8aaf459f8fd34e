/**
 * One request and the head of its answer, over a connection of its own to an address that was checked. Redirects are
 * followed here, each like a new request; to another host only where the config says so, since whoever asked may have
 * been granted only the first one. Nothing is kept between requests: no cookies, no connections.
 */
import type { BlockList } from 'node:net'
import { request as askHttp, type IncomingMessage } from 'node:http'
import { request as askHttps } from 'node:https'
import { coded, codeOf, reasonOf } from '../../lib/errors.ts'
import { allowedAddresses, type Address, type Resolve } from './addresses.ts'
import { checkUrl, portOf } from './hosts.ts'

export interface Outgoing {
  method: string
  headers: Readonly<Record<string, string>>
  body: string | Uint8Array | undefined
}

export interface ExchangeRules {
  hosts: readonly string[]
  allowed: BlockList
  resolve: Resolve
  redirects_max: number
  /** `same`: a redirect to another host is the answer, as it came */
  redirect_hosts: 'same' | 'listed'
}

export interface Answer {
  url: URL
  redirects: number
  /** not read yet: to be read to its end, or destroyed */
  response: IncomingMessage
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const PRIVATE_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization'])
const UNREACHED = new Set(['ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL'])

/** `url` has been checked. Rejects with `fetch_refused`, `fetch_failed`, or the signal's reason. */
export async function exchange(
  first: URL,
  outgoing: Outgoing,
  rules: ExchangeRules,
  signal: AbortSignal,
): Promise<Answer> {
  let url = first
  let next = outgoing
  for (let redirects = 0; ; redirects++) {
    const addresses = await allowedAddresses(url.hostname, rules.allowed, (host) => named(host, rules.resolve, signal))
    const response = await connect(url, addresses, next, signal)
    const target = targetOf(url, response)
    if (
      target === undefined ||
      (rules.redirect_hosts === 'same' && target.host !== url.host && !isUpgrade(url, target))
    )
      return { url, redirects, response }
    response.destroy()
    if (redirects >= rules.redirects_max)
      throw coded('fetch_failed', { host: first.host, reason: `it redirects more than ${rules.redirects_max} times` })
    checkUrl(target, rules.hosts)
    next = redirected(next, response.statusCode ?? 0, url.origin === target.origin)
    url = target
  }
}

/** From http to https of the same name, on the usual ports. */
const isUpgrade = (from: URL, to: URL): boolean =>
  from.hostname === to.hostname && from.protocol === 'http:' && to.protocol === 'https:' && from.port === to.port

async function named(host: string, resolve: Resolve, signal: AbortSignal): Promise<readonly Address[]> {
  signal.throwIfAborted()
  const given = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  try {
    return await Promise.race([resolve(host), given])
  } catch (error) {
    if (signal.aborted) throw error
    throw coded('fetch_failed', { host, reason: `its name is not known (${codeOf(error) ?? reasonOf(error)})` })
  }
}

/** Tries one address after the other, as long as nothing was reached. */
async function connect(
  url: URL,
  addresses: readonly Address[],
  outgoing: Outgoing,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  for (const [index, address] of addresses.entries()) {
    try {
      return await ask(url, address, outgoing, signal)
    } catch (error) {
      if (signal.aborted) throw error
      if (index + 1 < addresses.length && UNREACHED.has(codeOf(error) ?? '')) continue
      throw coded('fetch_failed', { host: url.host, reason: codeOf(error) ?? 'the connection broke' })
    }
  }
  throw coded('fetch_failed', { host: url.host, reason: 'it has no address' })
}

function ask(
  url: URL,
  { address, family }: Address,
  { method, headers, body }: Outgoing,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? askHttps : askHttp
    const request = send({
      agent: false,
      host: address,
      family,
      port: portOf(url),
      // The name, not the address, is what the certificate must be for.
      ...(url.protocol === 'https:' ? { servername: url.hostname } : {}),
      path: url.pathname + url.search,
      method,
      headers: { 'accept-encoding': 'identity', ...headers, host: url.host },
      signal,
    })
    request.on('response', resolve)
    // Later errors are those of the answer, told where it is read.
    request.on('error', reject)
    request.on('upgrade', (_response, socket) => {
      socket.destroy()
      reject(new Error('it changed the protocol'))
    })
    request.end(body)
  })
}

/** Where the answer sends us; undefined: it is the answer. */
function targetOf(url: URL, { statusCode = 0, headers }: IncomingMessage): URL | undefined {
  const { location } = headers
  if (!REDIRECTS.has(statusCode) || location === undefined || !URL.canParse(location, url.href)) return undefined
  return new URL(location, url)
}

/** As browsers do: what was sent to be changed is asked for instead, and secrets stay with whom they were meant for. */
function redirected({ method, headers, body }: Outgoing, status: number, sameOrigin: boolean): Outgoing {
  const toGet = (status === 303 && method !== 'HEAD') || ((status === 301 || status === 302) && method === 'POST')
  const kept = Object.entries(headers).filter(
    ([name]) => (sameOrigin || !PRIVATE_HEADERS.has(name)) && !(toGet && name.startsWith('content-')),
  )
  return { method: toGet ? 'GET' : method, headers: Object.fromEntries(kept), body: toGet ? undefined : body }
}
