/**
 * Which addresses are connected to: public ones, and others only where `private:` of the config lists them. A name is
 * resolved once and the connection goes to that very address, so a name that answers differently the second time gains
 * nothing. Everything that is not known to be public counts as private.
 */
import { BlockList, isIP } from 'node:net'
import { coded } from '../../lib/errors.ts'

/** IANA's special-purpose registries: loopback, private, link-local, shared, multicast, documentation, reserved. */
const SPECIAL_4 =
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4'
/** Of IPv6 only 2000::/3 is given out; in it these are special, some of which hold an IPv4 address. */
const SPECIAL_6 = '2001::/23 2001:db8::/32 2002::/16 3fff::/20'
const PUBLIC_6 = '2000::/3'

export interface Address {
  address: string
  family: 4 | 6
}

const special = listOf([...SPECIAL_4.split(' '), ...SPECIAL_6.split(' ')])
const global6 = listOf([PUBLIC_6])

/** `10.1.0.0/16`, `127.0.0.1`. False: it is no range. */
export function addRange(list: BlockList, range: string): boolean {
  const [address = '', bits] = range.split('/')
  const family = isIP(address)
  const most = family === 4 ? 32 : 128
  const prefix = bits === undefined ? most : /^\d+$/.test(bits) ? Number(bits) : -1
  if (family === 0 || prefix < 0 || prefix > most) return false
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
  return true
}

export function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) addRange(list, range)
  return list
}

/** `::ffff:10.0.0.1` is 10.0.0.1. A URL writes every IPv6 address in one way. */
function plain({ address, family }: Address): Address {
  const written = family === 6 ? new URL(`http://[${address}]`).hostname : ''
  const mapped = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(written)
  if (mapped === null) return { address, family }
  const [high = 0, low = 0] = mapped.slice(1).map((part) => Number.parseInt(part, 16))
  return { address: [high >> 8, high & 255, low >> 8, low & 255].join('.'), family: 4 }
}

export function isPublic(given: Address): boolean {
  const { address, family } = plain(given)
  if (family === 4) return !special.check(address, 'ipv4')
  return global6.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

export type Resolve = (host: string) => Promise<readonly Address[]>

/** Those of the host's addresses that may be connected to. Throws `fetch_refused` when there is none. */
export async function allowedAddresses(hostname: string, allowed: BlockList, resolve: Resolve): Promise<Address[]> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const family = isIP(host)
  const found = family === 0 ? await resolve(host) : [{ address: host, family: family as 4 | 6 }]
  const may = found.filter((one) => {
    // A zone (`fe80::1%eth0`) is of a link, never public.
    if (one.address.includes('%')) return false
    const { address, family: version } = plain(one)
    return isPublic(one) || allowed.check(address, version === 4 ? 'ipv4' : 'ipv6')
  })
  if (may.length === 0) throw coded('fetch_refused', { host: hostname, reason: 'its address is private' })
  return may
}
