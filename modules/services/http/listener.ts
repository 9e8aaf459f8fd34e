/**
 * The listening socket, held by the service over its versions. It knows `route` only: each request goes to whichever
 * version is live when it arrives, and a connection outlives the version that first answered on it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Route } from '../../contracts/module.ts'
import { coded, reasonOf, toErrorData } from '../../lib/errors.ts'

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

/** Resolves when the socket listens. Rejects with `port_in_use` when no port of the range is free. */
export async function listen(options: ListenOptions, route: Route): Promise<Listener> {
  const server = createServer(
    { connectionsCheckingInterval: 1_000, keepAlive: true },
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
    const { code, message, hint } = toErrorData(error)
    response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' })
    response.end(JSON.stringify({ error: { code, message, hint, doc: `ERRORS.md#${code}` } }))
  }
}

/** What Node's parser refuses never reaches a route: answered here, without detail. */
function answerBrokenRequest(error: Error, socket: Socket): void {
  if (!socket.writable || socket.destroyed) {
    socket.destroy()
    return
  }
  const { code } = error as NodeJS.ErrnoException
  const status =
    code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
