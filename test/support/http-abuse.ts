/** What somebody who means harm sends: bare sockets, endless bodies, requests that no client would write. */
import { connect, type Socket } from 'node:net'
import type { Random } from './load.ts'

export interface Talk {
  /** everything that came until the connection ended */
  text: string
  /** how much was taken of what was sent */
  sent: number
}

/** Sends `pieces` as fast as they are taken, until there are none or the other side ends; then reads to the end. */
export function talk(port: number, pieces: Iterable<string | Buffer>): Promise<Talk> {
  return new Promise((resolve) => {
    const source = pieces[Symbol.iterator]()
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const other = { ended: false }
    const write = (): void => {
      while (!other.ended) {
        const { value, done } = source.next()
        if (done === true) return
        if (!socket.write(value)) {
          socket.once('drain', write)
          return
        }
      }
    }
    socket.on('connect', write)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    // Who is refused in the midst of a body may see a reset behind the answer.
    socket.on('error', () => undefined)
    socket.on('end', () => (other.ended = true))
    socket.on('close', () => {
      other.ended = true
      resolve({ text, sent: socket.bytesWritten - socket.writableLength })
    })
  })
}

export const statusesIn = ({ text }: Talk): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

/** A sender that stops in the midst and never goes on. */
export function slowSender(port: number, first: string): { socket: Socket; closed: Promise<string> } {
  const socket = connect(port, '127.0.0.1', () => {
    if (first !== '') socket.write(first)
  })
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.on('error', () => undefined)
  return { socket, closed: new Promise((resolve) => socket.on('close', () => resolve(text))) }
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE']
const PARTS = [
  'api',
  'services',
  'tools',
  'call',
  'echo',
  '..',
  '.',
  '%2e%2e',
  '%00',
  '%2f',
  '',
  'etc',
  'passwd',
  'mcp',
  'health',
  'x'.repeat(300),
  '%E0%A4%A',
  'why',
  'traces',
  '__proto__',
  '🦊',
  'metrics',
  'configs',
  'openapi.json',
  'history',
  'plan',
  'chat',
  'approvals',
  'kernel',
]
/** Where what is sent is looked at: requests that get that far are to be refused by their own fault. */
const KNOWN = [
  'api/plan',
  'api/services/echo/call',
  'api/services',
  'api/tools',
  'api/chat',
  'api/traces',
  'api/history',
]
const VALUES = [
  'null',
  '[]',
  '{}',
  '""',
  '1e999',
  '{"method":{}}',
  '{"method":"echo","args":',
  '{"__proto__":{"a":1}}',
  '\u0000',
  '[[[[[[',
  '{"method":"__proto__"}',
  '{"files":[{"path":1}]}',
  '{"message":[]}',
  'true',
]

export interface Fuzzed {
  method: string
  path: string
  headers: Record<string, string>
  body: string | undefined
}

/** One request of the storm; the same seed gives the same ones. None can change what runs, none opens a stream that would not end. */
export function fuzzed(random: Random, token: string): Fuzzed {
  const pick = <T>(of: readonly T[]): T => of[random.between(0, of.length - 1)] as T
  const parts = Array.from({ length: random.between(0, 5) }, () => pick(PARTS))
  const isKnown = random.next() < 0.4
  const madeUp = `${random.next() < 0.7 ? 'api/' : ''}${parts.map((part) => encodeURI(decodeSafely(part))).join('/')}`
  const path = `/${isKnown ? pick(KNOWN) : madeUp}`
  const query =
    random.next() < 0.3
      ? `?${pick(['limit=x', 'limit=-1', 'cursor=%%', 'subscribe=', 'service=..%2f..', 'draft=9'])}`
      : ''
  const auth = pick<string | undefined>([
    ...(isKnown ? Array.from({ length: 5 }, () => `Bearer ${token}`) : []),
    undefined,
    `Bearer ${token}`,
    `Bearer ${token}x`,
    `Basic ${token}`,
    'Bearer',
    '',
  ])
  const odd = random.next() < 0.2 ? { host: pick(['evil.example', '', '127.0.0.1']) } : {}
  const origin = random.next() < 0.1 ? { origin: pick(['null', 'https://evil.example']) } : {}
  const method = pick(METHODS)
  const hasBody = method !== 'GET' && method !== 'HEAD' && method !== 'TRACE' && random.next() < 0.7
  const type = pick(['application/json', 'text/plain', 'application/json; charset=x', ''])
  return {
    method,
    path: path + query,
    headers: {
      ...(auth === undefined ? {} : { authorization: auth }),
      ...odd,
      ...origin,
      ...(hasBody ? { 'content-type': type } : {}),
      ...(random.next() < 0.1 ? { 'idempotency-key': pick(['', 'a', 'x'.repeat(300)]) } : {}),
      ...(random.next() < 0.1 ? { 'last-event-id': pick(['-1', '1e9', 'NaN']) } : {}),
    },
    body: hasBody ? pick(VALUES) : undefined,
  }
}

/** What is written with `%` stays as it is written. */
const decodeSafely = (part: string): string => {
  try {
    return decodeURI(part)
  } catch {
    return part
  }
}
