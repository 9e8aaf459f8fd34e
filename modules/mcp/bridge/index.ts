/**
 * An MCP server as a service: its tools join the catalogue and are methods of the service's handle. The YAML file names
 * a command or a URL. The connection is held over versions; when the server's list of tools changes, the service is
 * reloaded, which is how every change of a service's interface happens here. See docs/mcp.md.
 */
import { createHash } from 'node:crypto'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import type { Tool, ToolContext } from '../../contracts/tool.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { toErrorData } from '../../lib/errors.ts'
import { configSchema, type BridgeConfig } from './config.ts'
import { Connection, type ConnectionInfo, type Note, type ServerTool } from './connection.ts'
import { namesOf } from './names.ts'

export { configSchema }

const RETRY_MS = 100
/** Up for so long, a server counts as sound: the next pause is the shortest again. */
const SOUND_MS = 10_000
const CHECK_MS = 30_000
const DESCRIPTION_CHARS_MAX = 4_000

export class Module {
  readonly #kernel: KernelApi
  readonly #config: BridgeConfig
  readonly #tools: Record<string, Tool> = {}
  #connection: Connection | undefined
  /** the list this version was made from */
  #listed = '[]'

  constructor(kernel: KernelApi, config: BridgeConfig) {
    this.#kernel = kernel
    this.#config = config
  }

  /**
   * A server that does not start refuses a change, like any mistake in a config. At the first start there is nothing to
   * keep: the service is live without tools, and the server is tried again.
   */
  async init(): Promise<void> {
    const kernel = this.#kernel
    const { api } = kernel
    // What each call is given is no part of the connection.
    const { call_ms: _call, retry_ms_max: _retry, ...server } = this.#config
    const key = createHash('sha256').update(canonicalJson(server)).digest('hex')
    const connection = await kernel.hold(
      `MCP server ${key.slice(0, 12)}`,
      () => new Connection(api, kernel.paths.root, this.#config),
      (held) => held.close(),
    )
    this.#connection = connection
    if (!connection.tried) {
      await connection.connect().catch((thrown: unknown) => {
        if (kernel.generation > 1) throw thrown
      })
    }
    this.#offer(connection.tools)
  }

  #offer(tools: readonly ServerTool[]): void {
    this.#listed = canonicalJson(tools)
    const { named, left } = namesOf(
      tools.map(({ name }) => name),
      new Set(['connection']),
    )
    if (left.length > 0)
      this.#kernel.log.warn(`${this.#kernel.api}: tools without a name of their own are left out: ${left.join(', ')}`)
    const byName = new Map(tools.map((tool) => [tool.name, tool]))
    for (const { tool, method, alias } of named) {
      const { description = '', inputSchema, readOnly } = byName.get(tool) as ServerTool
      this.#tools[method] = {
        description: description.slice(0, DESCRIPTION_CHARS_MAX) || `The tool ${tool} of the MCP server.`,
        params: inputSchema as JsonMap,
        deadline_ms: this.#config.call_ms,
        read_only: readOnly,
        run: (params: Record<string, unknown>, { signal }: ToolContext) => this.#call(tool, params, signal),
      }
      const direct = (params: Record<string, unknown> = {}): Promise<unknown> => this.#call(tool, params)
      for (const name of alias === undefined ? [method] : [method, alias])
        Object.defineProperty(this, name, { value: direct })
    }
  }

  #call(tool: string, params: Record<string, unknown>, signal?: AbortSignal): Promise<unknown> {
    return (this.#connection as Connection).call(tool, params, this.#config.call_ms, signal)
  }

  getAspect(name: string): object | undefined {
    return name === 'tool' ? this.#tools : undefined
  }

  /** How the server is. */
  connection(): ConnectionInfo {
    return (this.#connection as Connection).info()
  }

  async run(signal: AbortSignal): Promise<void> {
    const kernel = this.#kernel
    const connection = this.#connection as Connection
    kernel.every(CHECK_MS, () => connection.check(), 'is the server there')
    let pause = RETRY_MS
    let upSince: number | undefined
    while (!signal.aborted) {
      for (const note of connection.takeNotes()) {
        this.#tell(note)
        if (note.type === 'tools') await connection.listAgain().catch(() => undefined)
      }
      if (connection.up) {
        upSince ??= kernel.clock.monotonic()
        if (canonicalJson(connection.tools) !== this.#listed) await this.#renew(signal)
        else await connection.noted(signal)
        continue
      }
      if (upSince !== undefined && kernel.clock.monotonic() - upSince > SOUND_MS) pause = RETRY_MS
      upSince = undefined
      await kernel.sleep(pause, signal).catch(() => undefined)
      pause = Math.min(2 * pause, this.#config.retry_ms_max)
      if (!signal.aborted) await connection.connect().catch(() => undefined)
    }
  }

  #tell(note: Note): void {
    const { log, events, api } = this.#kernel
    switch (note.type) {
      case 'up':
        log.info(`${api}: the MCP server is up`)
        events.emit('mcp.server_up', { api })
        return
      case 'down':
        log.warn(`${api}: the MCP server is down: ${note.reason}; it is tried again`, { code: 'mcp_server_down' })
        events.emit('mcp.server_down', { api, reason: note.reason })
        return
      case 'stderr':
        log.info(`${api}: ${note.line}`)
        return
      case 'tools':
        return
      default:
        note satisfies never
    }
  }

  /** The next version offers what the server has now. Refused while the system is frozen: asked again, later. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { api, log } = this.#kernel
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    const reloaded = this.#kernel
      .getApi<KernelServiceApi>('kernel')
      .reload(api)
      .catch((thrown: unknown) => {
        const { code, message } = toErrorData(thrown)
        if (!signal.aborted)
          log.warn(`${api}: the new tools of the MCP server are not offered yet: ${message}`, { code })
      })
    await Promise.race([reloaded, stopped])
    if (!signal.aborted) await this.#kernel.sleep(CHECK_MS, signal).catch(() => undefined)
  }
}
