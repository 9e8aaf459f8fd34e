/**
 * The connection to one MCP server, held by the bridge over its versions: a reload neither starts the server anew nor
 * cuts a call. It is driven from outside: the live version's `run()` connects, reads the notes, and decides what a
 * change means. While it is down every call fails at once, with the reason.
 */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js'
import { coded, reasonOf } from '../../lib/errors.ts'
import { BRIDGE_CLIENT } from '../../lib/mcp-names.ts'
import type { BridgeConfig } from './config.ts'
import { limitedFetch } from './limited-fetch.ts'
import { ServerProcess } from './server-process.ts'
import { textOf, valueOf } from './value.ts'

export type ServerTool = Pick<Tool, 'name' | 'description' | 'inputSchema'> & { readOnly: boolean }

/** What happened, for whoever is live to tell. */
export type Note =
  | { type: 'up' }
  | { type: 'down'; reason: string }
  | { type: 'stderr'; line: string }
  | { type: 'tools' }

export interface ConnectionInfo {
  state: 'up' | 'down'
  /** why it is down; empty when it is up */
  reason: string
  server: { name: string; version: string } | null
  pid: number | null
  tools: number
  /** how often it came up after the first time */
  restarts: number
}

const NOTES_MAX = 1_000
const LINE_CHARS_MAX = 2_000
const CHECK_MS = 5_000
/** JSON-RPC codes of the SDK */
const TIMED_OUT = -32_001
const CLOSED = -32_000

export class Connection {
  private readonly api: string
  private readonly root: string
  private readonly config: BridgeConfig
  private client: Client | undefined
  private process: ServerProcess | undefined
  private notes: Note[] = []
  private wake = (): void => {}
  private checking = false
  private closed = false
  private starts = 0
  private connecting: Promise<void> | undefined
  /** once it was asked to connect */
  tried = false
  private reason = 'it was not started yet'
  /** as last listed; what is down keeps them */
  tools: ServerTool[] = []

  constructor(api: string, root: string, config: BridgeConfig) {
    this.api = api
    this.root = root
    this.config = config
  }

  get up(): boolean {
    return this.client !== undefined
  }

  info(): ConnectionInfo {
    const { name = '', version = '' } = this.client?.getServerVersion() ?? {}
    return {
      state: this.up ? 'up' : 'down',
      reason: this.up ? '' : this.reason,
      server: this.up ? { name, version } : null,
      pid: this.process?.pid ?? null,
      tools: this.tools.length,
      restarts: Math.max(0, this.starts - 1),
    }
  }

  /** Rejects with `mcp_server_down`, with nothing left of the attempt. */
  connect(): Promise<void> {
    this.tried = true
    this.connecting ??= this.begin().finally(() => (this.connecting = undefined))
    return this.connecting
  }

  private async begin(): Promise<void> {
    if (this.up || this.closed) return
    const [{ Client: SdkClient }, { ToolListChangedNotificationSchema }] = await Promise.all([
      import('@modelcontextprotocol/sdk/client/index.js'),
      import('@modelcontextprotocol/sdk/types.js'),
    ])
    const client = new SdkClient({ name: BRIDGE_CLIENT, version: '1' })
    const transport = await this.transport()
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => this.note({ type: 'tools' }))
    try {
      await client.connect(transport, { timeout: this.config.connect_ms })
      this.tools = await this.list(client)
    } catch (thrown) {
      const reason = this.process?.reason || reasonOf(thrown)
      await client.close().catch(() => undefined)
      this.process = undefined
      this.reason = reason
      this.note({ type: 'down', reason })
      throw this.down()
    }
    Object.assign(client, {
      onclose: () => this.lost(client, this.process?.reason || 'the connection was closed'),
      onerror: () => void this.check(),
    })
    this.client = client
    this.starts++
    this.note({ type: 'up' })
    // It may have ended, or been closed, while its tools were read.
    if (this.process?.reason) this.lost(client, this.process.reason)
    if (this.closed) await this.close()
  }

  private async transport(): Promise<Transport> {
    const { config } = this
    if (config.url !== undefined) {
      const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js')
      return new StreamableHTTPClientTransport(new URL(config.url), {
        requestInit: { headers: config.headers },
        fetch: limitedFetch(config.message_bytes_max, () => {
          if (this.client !== undefined)
            this.lost(this.client, `it sent a message of more than ${config.message_bytes_max} bytes`)
        }),
        reconnectionOptions: {
          initialReconnectionDelay: 200,
          maxReconnectionDelay: 2_000,
          reconnectionDelayGrowFactor: 2,
          maxRetries: 3,
        },
      })
    }
    const [{ getDefaultEnvironment }, { ReadBuffer }] = await Promise.all([
      import('@modelcontextprotocol/sdk/client/stdio.js'),
      import('@modelcontextprotocol/sdk/shared/stdio.js'),
    ])
    this.process = new ServerProcess(
      {
        command: config.command ?? '',
        args: config.args,
        env: { ...getDefaultEnvironment(), ...config.env },
        cwd: this.root,
        message_bytes_max: config.message_bytes_max,
        onStderr: (line) => this.note({ type: 'stderr', line: line.slice(0, LINE_CHARS_MAX) }),
      },
      new ReadBuffer({ maxBufferSize: config.message_bytes_max }),
    )
    return this.process
  }

  private async list(client: Client): Promise<ServerTool[]> {
    const { tools_max, connect_ms } = this.config
    const tools: ServerTool[] = []
    let cursor: string | undefined
    do {
      const page = await client.listTools(cursor === undefined ? {} : { cursor }, { timeout: connect_ms })
      for (const { name, description, inputSchema, annotations } of page.tools)
        tools.push({ name, description, inputSchema, readOnly: annotations?.readOnlyHint === true })
      cursor = page.tools.length === 0 ? undefined : page.nextCursor
    } while (cursor !== undefined && tools.length < tools_max)
    return tools.slice(0, tools_max)
  }

  /** After a note `tools`. */
  async listAgain(): Promise<void> {
    if (this.client !== undefined) this.tools = await this.list(this.client)
  }

  /** One call. The server's own error is `mcp_tool_failed`; a lost server is `mcp_server_down`, at once. */
  async call(tool: string, args: Record<string, unknown>, ms: number, signal?: AbortSignal): Promise<unknown> {
    const { client, api } = this
    if (client === undefined) throw this.down()
    const { CallToolResultSchema } = await import('@modelcontextprotocol/sdk/types.js')
    let result: CallToolResult
    try {
      result = await client.request(
        { method: 'tools/call', params: { name: tool, arguments: args } },
        CallToolResultSchema,
        {
          timeout: ms,
          ...(signal === undefined ? {} : { signal }),
        },
      )
    } catch (thrown) {
      if (signal?.aborted === true) throw coded('call_aborted', { api, method: tool })
      const code: unknown = (thrown as { code?: unknown }).code
      if (code === TIMED_OUT) throw coded('deadline_exceeded', { api, method: tool, ms })
      if (code === CLOSED || this.client !== client) throw this.down()
      if (isWayBroken(thrown)) {
        this.lost(client, reasonOf(thrown))
        throw this.down()
      }
      throw coded('mcp_tool_failed', { server: api, tool, reason: reasonOf(thrown) })
    }
    if (result.isError === true)
      throw coded('mcp_tool_failed', { server: api, tool, reason: textOf(result.content).slice(0, LINE_CHARS_MAX) })
    return valueOf(result)
  }

  private down(): Error {
    return coded('mcp_server_down', { server: this.api, reason: this.reason })
  }

  private lost(client: Client, reason: string): void {
    if (this.client !== client) return
    this.client = undefined
    this.process = undefined
    this.reason = reason
    this.note({ type: 'down', reason })
    // Ends what is left of it, and with it every call that still waits.
    void client.close().catch(() => undefined)
  }

  /** Something went wrong on the way, perhaps nothing that matters: the server is asked whether it is there. */
  async check(): Promise<void> {
    const { client } = this
    if (client === undefined || this.checking || this.config.url === undefined) return
    this.checking = true
    try {
      await client.ping({ timeout: CHECK_MS })
    } catch (thrown) {
      // One that is slow or knows no `ping` is there.
      if (isWayBroken(thrown)) this.lost(client, reasonOf(thrown))
    } finally {
      this.checking = false
    }
  }

  private note(note: Note): void {
    if (this.notes.length < NOTES_MAX) this.notes.push(note)
    this.wake()
  }

  takeNotes(): Note[] {
    return this.notes.splice(0)
  }

  /** Resolves when there are notes. One version at a time waits. */
  async noted(signal: AbortSignal): Promise<void> {
    if (this.notes.length > 0 || signal.aborted) return
    await new Promise<void>((resolve) => {
      this.wake = resolve
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  async close(): Promise<void> {
    this.closed = true
    const { client } = this
    if (client === undefined) return
    this.lost(client, 'it was closed')
  }
}

/** Codes of JSON-RPC are negative, and the server's answer; those of HTTP are not, and a broken socket has none. */
function isWayBroken(thrown: unknown): boolean {
  const code: unknown = (thrown as { code?: unknown }).code
  return typeof code !== 'number' || code > 0
}
