/**
 * Which URLs the config lets through: `api.example.com` (ports 80 and 443), `*.example.com` (its subdomains), `host:8080`,
 * `host:*`, and `*` (every name). Pure. Names are compared as a URL has them: lower case, punycode, no dot at the end.
 */
import { coded } from '../../lib/errors.ts'

/** Throws `fetch_refused`, `bad_arguments`. */
export function checkedUrl(given: unknown, hosts: readonly string[]): URL {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined)
    throw coded('bad_arguments', { api: 'fetch', reason: 'the first argument must be an absolute URL' })
  checkUrl(url, hosts)
  return url
}

export function checkUrl(url: URL, hosts: readonly string[]): void {
  const refuse = (reason: string): never => {
    throw coded('fetch_refused', { host: url.host, reason })
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') refuse('only http and https are spoken')
  if (url.username !== '' || url.password !== '') refuse('a URL must hold no password')
  if (!hosts.some((entry) => matches(entry, url))) refuse('the host is not listed')
}

export const portOf = (url: URL): number => Number(url.port) || (url.protocol === 'https:' ? 443 : 80)

const withoutDot = (name: string): string => name.replace(/\.$/, '')

function matches(entry: string, url: URL): boolean {
  const [, name = '', port] = /^(.*?)(?::(\d+|\*))?$/.exec(isAddress(entry) ? `[${entry}]` : entry) ?? []
  const isPort = port === undefined ? [80, 443].includes(portOf(url)) : port === '*' || Number(port) === portOf(url)
  if (!isPort) return false
  const wanted = withoutDot(name.toLowerCase())
  const asked = withoutDot(url.hostname)
  if (wanted === '*') return true
  return wanted.startsWith('*.') ? asked.endsWith(wanted.slice(1)) && asked !== wanted.slice(2) : asked === wanted
}

/** An IPv6 address without brackets, whose colons are no port. */
const isAddress = (entry: string): boolean => (entry.match(/:/g)?.length ?? 0) > 1 && !entry.startsWith('[')
