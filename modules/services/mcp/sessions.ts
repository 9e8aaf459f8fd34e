/**
 * The sessions of MCP clients, held by the service over its versions: a client, its open stream and its open calls
 * notice nothing of a reload. What is held knows `route` only; what a request means is decided by the version that is
 * live when it arrives. Silent clients are asked for a sign of life, and dropped when none comes.
 */
import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { CallToolResult, ListToolsResult } from '@modelcontextprotocol/sdk/types.js'
import type { Route } from '../../contracts/module.ts'
import { coded } from '../../lib/errors.ts'

/** What the live version answers to a call: a result, or a refusal of the protocol. */
export type Called = { result: CallToolResult } | { refused: { message: string; data: object } }

export interface Peer {
  /** name of the token that opened the session */
  holder: string
  /** what the client calls itself */
  client: string
}

interface OpenCall {
  since: number
  beat(seconds: number): void
}

export interface Session {
  readonly id: string
  readonly holder: string
  readonly transport: WebStandardStreamableHTTPServerTransport
  readonly server: Server
  readonly calls: Set<OpenCall>
  /** by the clock's monotonic time */
  lastSeen: number
}

export interface SessionLimits {
  sessions_max: number
  idle_ms: number
}

/** When all places are taken, one that did not even answer a sign of life for so long makes room. */
const SILENT_MS = 120_000
const PING_AFTER_MS = 30_000

export class Sessions {
  private readonly route: Route
  private readonly byId = new Map<string, Session>()
  /** what the clients know of the catalogue; undefined while there are none */
  fingerprint: string | undefined

  constructor(route: Route) {
    this.route = route
  }

  get size(): number {
    return this.byId.size
  }

  /** Undefined when there is none, or when another token opened it. */
  find(id: string, holder: string, now: number): Session | undefined {
    const session = this.byId.get(id)
    if (session === undefined || session.holder !== holder) return undefined
    session.lastSeen = now
    return session
  }

  /** A session counts once its first request was accepted. Throws `mcp_sessions_full`. */
  async open(
    holder: string,
    version: string,
    now: () => number,
    { sessions_max }: SessionLimits,
  ): Promise<WebStandardStreamableHTTPServerTransport> {
    if (this.byId.size >= sessions_max && !this.makeRoom(now()))
      throw coded('mcp_sessions_full', { limit: sessions_max })
    const [{ Server }, { WebStandardStreamableHTTPServerTransport: Transport }, types] = await Promise.all([
      import('@modelcontextprotocol/sdk/server/index.js'),
      import('@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'),
      import('@modelcontextprotocol/sdk/types.js'),
    ])
    const { route, byId } = this
    const calls: Session['calls'] = new Set()
    const server = new Server(
      { name: 'meta-machine', version },
      { capabilities: { tools: { listChanged: true } }, debouncedNotificationMethods: [] },
    )
    const transport = new Transport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => {
        byId.set(id, { id, holder, transport, server, calls, lastSeen: now() })
      },
      onsessionclosed: (id) => {
        byId.delete(id)
      },
    })
    const peer = (): Peer => ({ holder, client: server.getClientVersion()?.name ?? '' })
    server.setRequestHandler(
      types.ListToolsRequestSchema,
      async () => (await route('_list', peer())) as ListToolsResult,
    )
    server.setRequestHandler(types.CallToolRequestSchema, async ({ params }, extra) => {
      const { signal, requestId, _meta: meta } = extra
      // A cancelled request gets no answer, so nothing else would end its stream.
      signal.addEventListener('abort', () => transport.closeSSEStream(requestId), { once: true })
      const token = meta?.progressToken
      const call: OpenCall = {
        since: now(),
        beat: (seconds) => {
          if (token === undefined) return
          const progress = { progressToken: token, progress: seconds, message: `running for ${seconds} s` }
          extra.sendNotification({ method: 'notifications/progress', params: progress }).catch(() => undefined)
        },
      }
      calls.add(call)
      try {
        const called = (await route('_call', peer(), params.name, params.arguments ?? {}, signal)) as Called
        if ('result' in called) return called.result
        throw new types.McpError(types.ErrorCode.InvalidParams, called.refused.message, called.refused.data)
      } finally {
        calls.delete(call)
      }
    })
    await server.connect(transport)
    return transport
  }

  private makeRoom(now: number): boolean {
    const silent = [...this.byId.values()].filter(
      ({ lastSeen, calls }) => calls.size === 0 && now - lastSeen > SILENT_MS,
    )
    const [longest] = silent.sort((a, b) => a.lastSeen - b.lastSeen)
    if (longest === undefined) return false
    this.drop(longest)
    return true
  }

  /** Tells every client that the list of tools is another one. */
  tell(): void {
    for (const { server } of this.byId.values()) server.sendToolListChanged().catch(() => undefined)
  }

  /** Who waits for a call hears that it is still running, if it asked to. */
  beat(now: number): void {
    for (const { calls } of this.byId.values()) {
      for (const call of calls) call.beat(Math.round((now - call.since) / 1_000))
    }
  }

  /** An answer to the sign of life is a request of the client, and counts as one. */
  sweep(now: number, { idle_ms }: SessionLimits): void {
    for (const session of this.byId.values()) {
      const silent = now - session.lastSeen
      if (session.calls.size > 0) continue
      if (silent > idle_ms) this.drop(session)
      else if (silent > PING_AFTER_MS) session.server.ping().catch(() => undefined)
    }
  }

  private drop(session: Session): void {
    this.byId.delete(session.id)
    void session.transport.close()
  }

  /** Open calls are aborted, streams end. */
  async close(): Promise<void> {
    const all = [...this.byId.values()]
    this.byId.clear()
    await Promise.all(all.map(({ transport }) => transport.close()))
  }
}
