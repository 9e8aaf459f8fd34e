/**
 * The listening socket, held by the service over its versions. It knows `route` only: each request goes to whichever
 * version is live when it arrives, and a connection outlives the version that first answered on it.
 */
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Route } from '../../contracts/module.ts'
import { coded, reasonOf, type CodedError } from '../../lib/errors.ts'
import { refusalOf } from './answer.ts'

export interface Listener {
  readonly port: number
  readonly host: string
  /** Other limits from now on. Header sizes count for connections made after this. */
  limit(limits: ListenLimits): void
  close(): Promise<void>
}

export interface ListenOptions extends ListenLimits {
  host: string
  port: number
  port_tries: number
}

export interface ListenLimits {
  header_bytes_max: number
  headers_ms: number
  request_ms: number
  connections_max: number
}

/** How often slow senders are looked for. */
const CHECK_MS = 500

/** Resolves when the socket listens. Rejects with `port_in_use` when no port of the range is free. */
export async function listen(options: ListenOptions, route: Route): Promise<Listener> {
  const server = createServer(
    { connectionsCheckingInterval: CHECK_MS, keepAlive: true },
    (request, response) => void serve(request, response, route),
  )
  setLimits(server, options)
  server.on('clientError', answerBrokenRequest)
  const port = await bindPort(server, options)
  return {
    port,
    host: options.host,
    limit: (limits) => setLimits(server, limits),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
        server.closeAllConnections()
      }),
  }
}

/** Node reads all of these anew for each connection or check, so the socket can stay. */
function setLimits(server: Server & { maxHeaderSize?: number }, limits: ListenLimits): void {
  server.maxHeaderSize = limits.header_bytes_max
  server.headersTimeout = limits.headers_ms
  server.requestTimeout = limits.request_ms
  server.maxConnections = limits.connections_max
}

async function bindPort(server: Server, { host, port, port_tries }: ListenOptions): Promise<number> {
  for (let offset = 0; ; offset++) {
    const wanted = port === 0 ? 0 : port + offset
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(wanted, host, () => {
          server.off('error', reject)
          resolve()
        })
      })
      const address = server.address()
      return typeof address === 'object' && address !== null ? address.port : wanted
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EADDRINUSE')
        throw coded('bad_request', { reason: `cannot listen on ${host}:${wanted}: ${reasonOf(error)}` })
      if (port === 0 || offset + 1 >= port_tries) throw coded('port_in_use', { host, port: wanted })
    }
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, route: Route): Promise<void> {
  try {
    await route('_serve', request, response)
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    const { headers, text } = refusalOf(error)
    response.writeHead(503, { ...headers, 'retry-after': '1' })
    response.end(text)
  }
}

/** What Node's parser refuses never reaches a route: answered here, without detail. */
function answerBrokenRequest(error: Error, socket: Socket): void {
  if (!socket.writable || socket.destroyed) {
    socket.destroy()
    return
  }
  const { status, headers, text } = refusalOf(brokenRequest((error as NodeJS.ErrnoException).code))
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': Buffer.byteLength(text) })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${text}`)
}

function brokenRequest(code: string | undefined): CodedError {
  if (code === 'HPE_HEADER_OVERFLOW') return coded('headers_too_large')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return coded('request_timeout')
  return coded('bad_request', { reason: 'it is no HTTP' })
}
