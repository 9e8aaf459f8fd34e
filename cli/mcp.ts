/**
 * `mm mcp`: the tools of the running system for a client that speaks MCP on stdio. Messages go through as they are,
 * between the parent's pipe and /mcp of the system; this process knows no tools. A system that was started anew in the
 * meantime is found again: the client's own first request opens the new session. Nothing else is written to stdout.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js'
import { coded, reasonOf, toErrorData } from '../modules/lib/errors.ts'
import { readAddress } from './client.ts'
import type { Command } from 'commander'
import { prints, type Cli } from './common.ts'

/** What an answer may still take once the client has closed its end. */
const LAST_ANSWERS_MS = 10_000
/** to tell the system that the session is over */
const GOODBYE_MS = 2_000
/** for the answer to the question whether a session is still there */
const PROBE_MS = 5_000
const MESSAGE_BYTES_MAX = 10_485_760

interface McpOptions {
  root: string
  /** name of the file in runtime/secrets/ with the token to use; the system's own without it */
  secret?: string
}

/** Resolves when the client is gone. Throws `not_reachable` when no system runs. */
async function serveStdio(options: McpOptions): Promise<void> {
  readAccess(options)
  const [{ StdioServerTransport: Stdio }, { StreamableHTTPClientTransport: Http }] = await Promise.all([
    import('@modelcontextprotocol/sdk/server/stdio.js'),
    import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
  ])
  const stdio = new Stdio(process.stdin, process.stdout, { maxBufferSize: MESSAGE_BYTES_MAX })
  const open = (): StreamableHTTPClientTransport => {
    const { url, token } = readAccess(options)
    return new Http(new URL(`${url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
      // The stream of a system that is gone for good ends this process by the next request, not before.
      reconnectionOptions: {
        initialReconnectionDelay: 500,
        maxReconnectionDelay: 5_000,
        reconnectionDelayGrowFactor: 2,
        maxRetries: 1_000_000,
      },
    })
  }
  await new Proxy(stdio, open).run()
}

function readAccess({ root, secret }: McpOptions): { url: string; token: string } {
  const address = readAddress(root)
  if (address === undefined) throw coded('not_reachable', { root })
  const file = secret === undefined ? address.token_file : join(root, 'runtime', 'secrets', secret)
  try {
    return { url: address.url, token: readFileSync(file, 'utf8').trim() }
  } catch {
    throw secret === undefined
      ? coded('not_reachable', { root })
      : coded('secret_missing', { name: secret, key: '--secret' })
  }
}

type Id = string | number

class Proxy {
  private readonly stdio: StdioServerTransport
  private readonly open: () => StreamableHTTPClientTransport
  private http: StreamableHTTPClientTransport
  /** the client's first request, for the sessions after the first */
  private initialize: JSONRPCRequest | undefined
  private version: string | undefined
  /** requests of the client; true once the system has taken them */
  private readonly pending = new Map<Id, boolean>()
  /** requests of this process itself */
  private readonly own = new Map<Id, (message: JSONRPCMessage) => void>()
  private renewing: Promise<void> | undefined
  private probing: Promise<void> | undefined
  /** nothing is asked any more: what its own end breaks off is no reason to look for the session */
  private closed = false
  private drained = (): void => {}

  constructor(stdio: StdioServerTransport, open: () => StreamableHTTPClientTransport) {
    this.stdio = stdio
    this.open = open
    this.http = open()
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      process.stdin.once('end', resolve)
      process.stdin.once('close', resolve)
    })
    const gone = new Promise<void>((resolve) => {
      process.stdout.on('error', () => resolve())
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
    })
    Object.assign(this.stdio, { onmessage: (message: JSONRPCMessage) => void this.fromClient(message) })
    await this.stdio.start()
    await Promise.race([gone, ended.then(() => this.lastAnswers())])
    this.closed = true
    const late = new Promise((resolve) => setTimeout(resolve, GOODBYE_MS))
    await Promise.race([this.http.terminateSession().catch(() => undefined), gone, late])
    await this.http.close()
  }

  private async lastAnswers(): Promise<void> {
    if (this.pending.size === 0) return
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, LAST_ANSWERS_MS)
      this.drained = () => {
        clearTimeout(late)
        resolve()
      }
    })
  }

  private async connect(): Promise<StreamableHTTPClientTransport> {
    const http = this.open()
    Object.assign(http, {
      onmessage: (message: JSONRPCMessage) => this.fromSystem(message),
      // A stream broke: look whether its session is still there, without waiting for the client's next request.
      onerror: () => {
        if (this.http === http && this.version !== undefined && this.renewing === undefined) this.probe()
      },
    })
    await http.start()
    return http
  }

  private async fromClient(message: JSONRPCMessage): Promise<void> {
    const request = 'method' in message && 'id' in message
    if (request) this.pending.set(message.id, false)
    try {
      if (request && message.method === 'initialize') {
        this.initialize = message
        this.http = await this.connect()
      }
      await this.toSystem(message)
      if (request && this.pending.has(message.id)) this.pending.set(message.id, true)
    } catch (thrown) {
      if (request) this.refuse(message.id, thrown)
    }
  }

  private refuse(id: Id, thrown: unknown): void {
    const { code, message, hint } = toErrorData(thrown)
    this.fromSystem({ jsonrpc: '2.0', id, error: { code: -32_000, message, data: { code, hint } } })
  }

  private fromSystem(message: JSONRPCMessage): void {
    const id = 'method' in message ? undefined : message.id
    const own = id === undefined ? undefined : this.own.get(id)
    if (own !== undefined) {
      own(message)
      return
    }
    if (id !== undefined) this.pending.delete(id)
    if (id !== undefined && id === this.initialize?.id) this.readVersion(message)
    void this.stdio.send(message)
    if (this.pending.size === 0) this.drained()
  }

  /** The version of the protocol goes into a header from then on. */
  private readVersion(message: JSONRPCMessage): void {
    const { protocolVersion } = ('result' in message ? message.result : {}) as { protocolVersion?: unknown }
    if (typeof protocolVersion !== 'string') return
    this.version = protocolVersion
    this.http.setProtocolVersion(protocolVersion)
  }

  private async toSystem(message: JSONRPCMessage): Promise<void> {
    const { http } = this
    try {
      await http.send(message)
    } catch (thrown) {
      if (!isSessionGone(thrown) || this.version === undefined) throw thrown
      if (this.http === http) this.renewing ??= this.renew().finally(() => (this.renewing = undefined))
      await this.renewing
      await this.http.send(message)
    }
  }

  /** One at a time: a probe that fails is an error of the transport again. One that nobody answers is given up. */
  private probe(): void {
    if (this.closed || this.probing !== undefined) return
    const late = new Promise<void>((resolve) => setTimeout(resolve, PROBE_MS).unref())
    const asked = this.ask((id) => this.toSystem({ jsonrpc: '2.0', id, method: 'ping' }))
    this.probing = Promise.race([asked, late])
      .catch(() => undefined)
      .finally(() => (this.probing = undefined))
  }

  /** A session with the system that runs now. What the one before had taken, nobody will answer. */
  private async renew(): Promise<void> {
    const { initialize, version } = this
    if (initialize === undefined || version === undefined) return
    const http = await this.connect()
    try {
      await this.ask((id) => http.send({ ...initialize, id }))
      http.setProtocolVersion(version)
      await http.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    } catch (thrown) {
      await http.close()
      throw thrown
    }
    await this.http.close()
    this.http = http
    for (const [id, taken] of this.pending) if (taken) this.refuse(id, coded('mcp_session_lost'))
    // Another system, perhaps with other tools.
    await this.stdio.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
  }

  private async ask(send: (id: Id) => Promise<void>): Promise<void> {
    const id = `mm-${crypto.randomUUID()}`
    const answered = new Promise<void>((resolve, reject) => {
      this.own.set(id, (message) => ('error' in message ? reject(new Error(message.error.message)) : resolve()))
    })
    try {
      await send(id)
      await answered
    } finally {
      this.own.delete(id)
    }
  }
}

/** 404 is the protocol's word for it; a socket that nobody answers is a system that is not there (any more). */
function isSessionGone(thrown: unknown): boolean {
  return (thrown as { code?: unknown }).code === 404 || reasonOf(thrown) === 'fetch failed'
}

export function addMcp(program: Command, { common }: Cli): void {
  prints(
    program
      .command('mcp')
      .description('the tools of the running system for an MCP client, on stdin and stdout')
      .option('--secret <name>', "use the token in runtime/secrets/<name> instead of the system's own")
      .action(async (options: { secret?: string }) => serveStdio({ root: common().root, ...options })),
    'MCP messages, with or without it',
  )
}
