/**
 * The service `http`: the API on loopback. The socket and the open event streams are held over versions; everything
 * else is rebuilt with each. `runtime/http.json` says where it listens, once it does and this version is live.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { z } from 'zod'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { KernelApi } from '../../contracts/module.ts'
import { coded, toErrorData } from '../../lib/errors.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { writeFailure } from '../../lib/write-failure.ts'
import { refusalOf } from './answer.ts'
import { createApp, type Served } from './app.ts'
import { EventStreams } from './event-streams.ts'
import { checkRequest, hostNames, isOperator, type GuardRules } from './guard.ts'
import { listen, type Listener } from './listener.ts'
import { openMcpStream } from './mcp.ts'
import { readTarget } from './target.ts'

const ADDRESS_RETRY_MS = 1_000

export const configSchema = z.object({
  host: z.string().default('127.0.0.1'),
  port: z.number().int().min(0).max(65_535).default(7700),
  port_tries: z.number().int().positive().default(1),
  /** further `host:port` names this server is known by */
  hosts: z.array(z.string()).default([]),
  origins: z.array(z.string()).default([]),
  assistant: z.string().default('assistant'),
  body_bytes_max: z.number().int().positive().default(1_048_576),
  header_bytes_max: z.number().int().positive().default(16_384),
  headers_ms: z.number().int().positive().default(10_000),
  request_ms: z.number().int().positive().default(60_000),
  connections_max: z.number().int().positive().default(1_000),
  deadline_ms: z.number().int().positive().default(30_000),
})

type Config = z.infer<typeof configSchema>

export class Module {
  readonly #kernel: KernelApi
  readonly #config: Config
  #listener: Listener | undefined
  #streams: EventStreams | undefined
  #rules: GuardRules = { token: '', hosts: new Set(), origins: new Set() }
  #answer: (request: IncomingMessage, response: ServerResponse) => void = () => {}

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  async init(): Promise<void> {
    const kernel = this.#kernel
    const config = this.#config
    const addressFile = join(kernel.paths.runtime, 'http.json')
    const token = readToken(join(kernel.paths.runtime, 'token'))
    const app = createApp({ kernel, ...config })
    const answer = getRequestListener((request, served) =>
      app.fetch(request, {
        ...(served as Served),
        operator: isOperator((served as Served).incoming.headers, this.#rules),
      }),
    )
    this.#answer = (request, response) => void answer(request, response)
    this.#streams = await kernel.hold(
      'event streams',
      () => new EventStreams(),
      (streams) => streams.close(),
    )
    this.#listener = await kernel.hold(
      `listener ${config.host}:${config.port}`,
      (route) => listen(config, route),
      (listener) => {
        forgetAddress(addressFile, urlOf(listener.host, listener.port))
        return listener.close()
      },
    )
    const { port } = this.#listener
    this.#rules = { token, hosts: hostNames(config.host, port, config.hosts), origins: new Set(config.origins) }
    const streams = this.#streams
    kernel.events.on('*', (event) => streams.broadcast(event))
    kernel.events.on('service.live', ({ data }) => {
      if (data['api'] === kernel.api && data['generation'] === kernel.generation) this.#wentLive()
    })
  }

  /**
   * At the switch, not in run(), which waits for the old version's tasks: who hears that this version is live finds its
   * address. Nor before it: the limits of a version that never went live must not reach the socket.
   */
  #wentLive(): void {
    const kernel = this.#kernel
    this.#listener?.limit(this.#config)
    kernel.log.info(`listening on ${this.url()}`)
    if (this.#writeAddress(true)) return
    const stop = kernel.every(ADDRESS_RETRY_MS, () => {
      if (this.#writeAddress(false)) void stop()
    })
  }

  /** False when it could not be written: whoever looks for the system waits until it can be. */
  #writeAddress(tell: boolean): boolean {
    const kernel = this.#kernel
    const file = join(kernel.paths.runtime, 'http.json')
    const where = {
      url: this.url(),
      pid: process.pid,
      supervisor_pid: process.connected ? process.ppid : process.pid,
      token_file: join(kernel.paths.runtime, 'token'),
    }
    try {
      writePrivate(file, `${JSON.stringify(where)}\n`, 'runtime/http.json')
      if (!tell) kernel.log.info('runtime/http.json is written')
      return true
    } catch (thrown) {
      const { code, message, hint } = toErrorData(thrown)
      if (tell) kernel.log.error(`${message}; it is tried again each second. ${hint}`, { code })
      return false
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const kernel = this.#kernel
    this.#streams?.startHeartbeat((ms, work) => kernel.every(ms, work, 'event stream heartbeat'))
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  url(): string {
    return urlOf(this.#config.host, this.#listener?.port ?? this.#config.port)
  }

  /** One request, from the held socket. Ends when the response has left. */
  async _serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = readTarget(request.url ?? '/')
    if (target === undefined) {
      refuse(request, response, coded('bad_request', { reason: 'its path cannot be read' }))
      return
    }
    const refused = checkRequest(target.path, request.headers, this.#rules)
    if (refused !== undefined) {
      refuse(request, response, refused)
      return
    }
    if (target.path === '/api/events' && request.method === 'GET') {
      await this.#openStream(request, response, target.query)
      return
    }
    if (target.path === '/mcp' && request.method === 'GET') {
      const operator = isOperator(request.headers, this.#rules)
      const opened = openMcpStream(this.#kernel, request, response, operator)
      await opened.catch((thrown: unknown) => refuse(request, response, thrown))
      return
    }
    // The routes get what the guard has judged, and no other spelling of it.
    request.url = target.url
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    this.#answer(request, response)
    await closed
  }

  /** The stream belongs to the service from here on, so this request counts as answered. */
  async #openStream(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const patterns = query
      .getAll('subscribe')
      .flatMap((one) => one.split(','))
      .filter((one) => one !== '')
    const lastId = String(request.headers['last-event-id'] ?? query.get('last_event_id'))
    const catchUp = this.#streams?.add(response, patterns.length === 0 ? ['*'] : patterns)
    const system = this.#kernel.getApi<KernelServiceApi>('kernel')
    catchUp?.(/^\d+$/.test(lastId) ? await system.eventsSince(Number(lastId)) : [])
  }
}

/** The address goes with the socket. A newer listener on another port has written its own: that one stays. */
function forgetAddress(file: string, url: string): void {
  try {
    const written = JSON.parse(readFileSync(file, 'utf8')) as { pid?: number; url?: string }
    if (written.pid === process.pid && written.url === url) rmSync(file, { force: true })
  } catch {
    // Nothing to remove.
  }
}

const urlOf = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`

function refuse(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
  const { status, headers, text } = refusalOf(thrown)
  // The body of a refused request is not read: the connection ends instead.
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
  response.writeHead(status, { ...headers, ...(hasBody ? { connection: 'close' } : {}) })
  response.end(text)
}

/** Made at the first start; 0600 always, also when somebody copied it with other rights. */
function readToken(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat !== undefined) {
    const token = readFileSync(path, 'utf8').trim()
    if (token.length >= 32) {
      if ((stat.mode & 0o777) !== 0o600) closeToOthers(path)
      return token
    }
  }
  const token = randomBytes(32).toString('hex')
  writePrivate(path, `${token}\n`, 'runtime/token')
  return token
}

function closeToOthers(path: string): void {
  try {
    chmodSync(path, 0o600)
  } catch (thrown) {
    throw writeFailure(thrown, 'runtime/token')
  }
}

/** Whole or not at all, for this user only. Throws `disk_full`, `read_only` or `file_failed`. */
function writePrivate(path: string, text: string, shown: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeWhole(path, text, { mode: 0o600 })
  } catch (thrown) {
    throw writeFailure(thrown, shown)
  }
}
