/**
 * The service `http`: the API on loopback. The socket, the open event streams, and what is remembered of requests are
 * held over versions; everything else is rebuilt with each. `runtime/http.json` says where it listens, once it does and
 * this version is live.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { KernelApi } from '../../contracts/module.ts'
import { coded, toErrorData } from '../../lib/errors.ts'
import { emptyBook, Retries } from '../../lib/retries.ts'
import { checkTokens, holdersOf, OPERATOR } from '../../lib/tokens.ts'
import { forgetAddress, readToken, urlOf, writePrivate } from './address.ts'
import { refusalOf, type Sent } from './answer.ts'
import { createApp, type App } from './app.ts'
import { letRunOut } from './body.ts'
import type { Config } from './config.ts'
import { createMeans } from './desk.ts'
import { EventStreams } from './event-streams.ts'
import { emptyGate, enter, leave, type GateBook } from './gate.ts'
import { askersOf, checkScope, hostNames, judge, type GuardRules } from './guard.ts'
import { listen, type Listener } from './listener.ts'
import { openMcpStream } from './mcp.ts'
import { missedSince } from './missed.ts'
import { Outbox } from './outbox.ts'
import { eventsRoute } from './routes/kernel.ts'
import type { Asker } from './routes/route.ts'
import { readTarget, type Target } from './target.ts'
import { isWebPath, WebFiles } from './web-files.ts'

export { configSchema } from './config.ts'

const ADDRESS_RETRY_MS = 1_000
/** How long a body that nobody reads may go on behind its answer. */
const RUN_OUT_MS = 500

export class Module {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #outbox = new Outbox()
  readonly #files = new WebFiles()
  #listener: Listener | undefined
  #streams: EventStreams | undefined
  #gate: GateBook = emptyGate()
  #rules: GuardRules = { holders: [], askers: new Map(), hosts: new Set(), origins: new Set() }
  #app: App = async () => {}

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  async init(): Promise<void> {
    const kernel = this.#kernel
    const config = this.#config
    await this.#checkTokens()
    const nothing = (): void => {}
    const book = await kernel.hold('answers by key, 1', () => emptyBook<Sent>(), nothing)
    const retries = new Retries(book, config, () => kernel.clock.monotonic())
    this.#gate = await kernel.hold('requests, 1', emptyGate, nothing)
    const means = createMeans(kernel, config)
    this.#app = createApp({ means, body_bytes_max: config.body_bytes_max, retries, outbox: this.#outbox })
    this.#streams = await kernel.hold(
      'event streams, 2',
      () => new EventStreams(),
      (streams) => streams.close(),
    )
    await this.#listen()
    const streams = this.#streams
    kernel.events.on('*', (event) => streams.broadcast(event))
    kernel.events.on('service.live', ({ data }) => {
      if (data['api'] === kernel.api && data['generation'] === kernel.generation) this.#wentLive()
    })
  }

  async #checkTokens(): Promise<void> {
    const { tokens } = this.#config
    if (Object.keys(tokens).length === 0) return
    const system = this.#kernel.getApi<KernelServiceApi>('kernel')
    checkTokens(tokens, await system.configs(this.#kernel.api))
  }

  async #listen(): Promise<void> {
    const kernel = this.#kernel
    const config = this.#config
    const token = readToken(join(kernel.paths.runtime, 'token'))
    const addressFile = join(kernel.paths.runtime, 'http.json')
    this.#listener = await kernel.hold(
      `listener ${config.host}:${config.port}`,
      (route) => listen(config, route),
      (listener) => {
        forgetAddress(addressFile, urlOf(listener.host, listener.port))
        return listener.close()
      },
    )
    this.#rules = {
      holders: [...holdersOf({ [OPERATOR]: { token } }), ...holdersOf(config.tokens)],
      askers: askersOf(config.tokens, config.admin),
      hosts: hostNames(config.host, this.#listener.port, config.hosts),
      origins: new Set(config.origins),
    }
  }

  /**
   * At the switch, not in run(), which waits for the old version's tasks: who hears that this version is live finds its
   * address. Nor before it: the limits of a version that never went live must not reach the socket.
   */
  #wentLive(): void {
    const kernel = this.#kernel
    this.#listener?.limit(this.#config)
    this.#tendStreams()
    kernel.log.info(`listening on ${this.url()}`)
    if (this.#writeAddress(true)) return
    const stop = kernel.every(ADDRESS_RETRY_MS, () => {
      if (this.#writeAddress(false)) void stop()
    })
  }

  /** By this version's clock from now on. */
  #tendStreams(): void {
    const kernel = this.#kernel
    const streams = this.#streams
    if (streams === undefined) return
    // When this version ends before the time is over, what waits is done at once.
    streams.pace = (work, ms) => void kernel.sleep(ms).then(work, work)
    streams.onCut = (cut) => {
      kernel.log.warn(`an event stream was cut off: ${cut.reason}`, { ...cut })
      kernel.events.emit('http.stream_cut', { ...cut })
    }
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

  /** One request, from the held socket. Ends when the response has left, or flows as a stream of the service. */
  async _serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new Promise<void>((resolve) => response.once('close', resolve))
    let isIn = false
    try {
      const target = readTarget(request.url ?? '/')
      if (target === undefined) throw coded('bad_request', { reason: 'its path cannot be read' })
      const { asker, refused } = judge(target.path, request.headers, this.#rules)
      const shut = this.#enter(asker, target.path, request)
      isIn = shut === undefined
      if (shut !== undefined || refused !== undefined) throw shut ?? refused
      if (this.#sendFile(target, request, response)) return await left
      if (await this.#openStream(asker, target, request, response)) return
      await this.#app({ request, response, asker, target })
      await left
      if (!request.complete && !request.destroyed) await letRunOut(request, this.#kernel.sleep(RUN_OUT_MS))
    } catch (thrown) {
      this.#refuse(request, response, thrown)
      await left
    } finally {
      if (isIn) leave(this.#gate)
    }
  }

  #enter(asker: Asker | undefined, path: string, { socket }: IncomingMessage): Error | undefined {
    const { strangers_per_s, requests_per_s, parallel_max, tokens } = this.#config
    const now = this.#kernel.clock.monotonic()
    // Whose token it is there only the service `mcp` knows.
    if (asker === undefined && path === '/mcp')
      return enter(this.#gate, `mcp ${socket.remoteAddress}`, requests_per_s, parallel_max, now)
    // Names of tokens have no blank in them: no address is one.
    if (asker === undefined)
      return enter(this.#gate, `from ${socket.remoteAddress}`, strangers_per_s, parallel_max, now)
    const perSecond = tokens[asker.name]?.requests_per_s ?? requests_per_s
    return enter(this.#gate, asker.name, perSecond, parallel_max, now)
  }

  /** True when it is one of the dashboard. */
  #sendFile({ path }: Target, { method, headers }: IncomingMessage, response: ServerResponse): boolean {
    if ((method !== 'GET' && method !== 'HEAD') || !isWebPath(path)) return false
    const file = this.#files.file(path, String(headers['accept-encoding']))
    response.writeHead(200, file.headers)
    response.end(file.body)
    return true
  }

  /** True when it is one: it belongs to the service from here on, so this request counts as answered. */
  async #openStream(
    asker: Asker | undefined,
    { path, query }: Target,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    if (request.method !== 'GET' || (path !== eventsRoute.path && path !== '/mcp')) return false
    if (path === '/mcp') {
      await openMcpStream(this.#kernel, request, response, asker?.name === OPERATOR)
      return true
    }
    checkScope(asker, eventsRoute.scope)
    await this.#openEvents(request, response, query)
    return true
  }

  async #openEvents(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const { streams_max: limit } = this.#config
    if (this.#streams !== undefined && this.#streams.size >= limit) throw coded('streams_full', { limit })
    const patterns = query
      .getAll('subscribe')
      .flatMap((one) => one.split(','))
      .filter((one) => one !== '')
    const lastId = String(request.headers['last-event-id'] ?? query.get('last_event_id'))
    const wanted = patterns.length === 0 ? ['*'] : patterns
    if (!/^\d{1,15}$/.test(lastId)) {
      this.#streams?.add(response, wanted)([])
      return
    }
    const system = this.#kernel.getApi<KernelServiceApi>('kernel')
    const { since, events, gap } = missedSince(Number(lastId), await system.eventsSince(0))
    this.#streams?.add(response, wanted, since)(events, gap)
  }

  #refuse(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    // The body of a refused request is not read: the connection ends instead.
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
    const sent = refusalOf(thrown)
    if (length !== undefined || encoding !== undefined) sent.headers['connection'] = 'close'
    this.#outbox.send(response, sent)
  }
}
