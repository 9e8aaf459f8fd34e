/**
 * The service `mcp`: every tool of the catalogue for clients of the Model Context Protocol, over streamable HTTP. The
 * service `http` passes the requests of `/mcp` in; this one decides who asks (the token), what they may see and call
 * (capabilities), and what needs a confirmation. Sessions are held: see `sessions.ts`. `mm mcp` is the same on stdio.
 */
import { z } from 'zod'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { McpApi, ToolsApi } from '../../contracts/services.ts'
import type { ToolInfo } from '../../contracts/tool.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { coded, statusOf, toErrorData } from '../../lib/errors.ts'
import { newSpan, newTrace, placeUnder } from '../../lib/trace.ts'
import { BRIDGE_CLIENT, BRIDGE_SOURCE } from '../../lib/mcp-names.ts'
import { nearText } from '../../lib/near.ts'
import { checkTokens, holderOf, holdersOf, OPERATOR, TOKEN_NAME, type TokenHolder } from '../../lib/tokens.ts'
import { readConfirmation, withConfirmation } from './admin.ts'
import { answerOf, refusalOf } from './answer.ts'
import { covers, isCapability } from '../../lib/capabilities.ts'
import { Sessions, type Called, type Peer } from './sessions.ts'

const SWEEP_MS = 30_000
const BEAT_MS = 5_000
/** An image goes whole: in parts nobody could show it. */
const RESULT_BYTES_MAX = 8_388_608

const capability = z.string().refine(isCapability, 'write `domain:action`, for example `filesystem:read`, or `*`')

export const configSchema = z.object({
  tokens: z
    .record(
      z.string().regex(TOKEN_NAME, 'letters, digits, `_`, `-` and `.` only'),
      z.object({
        token: z.string(),
        capabilities: z.array(capability),
      }),
    )
    .default({}),
  admin: z
    .array(capability)
    .default(
      ['reload', 'rollback', 'undo', 'swap', 'freeze', 'thaw']
        .map((action) => `kernel:${action}`)
        .concat('config:edit', 'module:create', 'module:update'),
    ),
  sessions_max: z.number().int().positive().default(200),
  idle_ms: z.number().int().positive().default(3_600_000),
})

type Config = z.infer<typeof configSchema>

export class Module implements McpApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #tokens: Config['tokens']
  readonly #holders: readonly TokenHolder[]
  readonly #tools: Handle<ToolsApi>
  readonly #system: Handle<KernelServiceApi>
  #sessions: Sessions | undefined
  #looking = false
  #lookAgain = false

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#tokens = config.tokens
    this.#holders = holdersOf(config.tokens)
    this.#tools = kernel.getApi<ToolsApi>('tools')
    this.#system = kernel.getApi<KernelServiceApi>('kernel')
  }

  async init(): Promise<void> {
    const kernel = this.#kernel
    if (Object.keys(this.#tokens).length > 0) checkTokens(this.#tokens, await this.#system.configs(kernel.api))
    this.#sessions = await kernel.hold(
      'sessions',
      (route) => new Sessions(route),
      (sessions) => sessions.close(),
    )
    for (const pattern of ['service.live', 'service.stopped']) kernel.events.on(pattern, () => void this.#look())
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#kernel
    this.#kernel.every(SWEEP_MS, () => this.#sessions?.sweep(clock.monotonic(), this.#config), 'silent clients')
    this.#kernel.every(BEAT_MS, () => this.#sessions?.beat(clock.monotonic()), 'progress of calls')
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** One request of `/mcp`. `operator`: it came with the system's own token. Never rejects. */
  async handle(request: Request, operator: boolean): Promise<Response> {
    try {
      const holder = operator ? OPERATOR : holderOf(request.headers.get('authorization'), this.#holders)
      if (holder === undefined) throw coded('unauthorized')
      return await this.#answer(request, holder)
    } catch (thrown) {
      return refused(thrown)
    }
  }

  async #answer(request: Request, holder: string): Promise<Response> {
    const { clock } = this.#kernel
    const sessions = this.#sessions as Sessions
    const id = request.headers.get('mcp-session-id')
    if (id !== null) {
      const session = sessions.find(id, holder, clock.monotonic())
      // The protocol's way to say: begin a new one.
      return session === undefined ? noSession() : session.transport.handleRequest(request)
    }
    if (request.method !== 'POST') throw coded('bad_request', { reason: 'the header Mcp-Session-Id is missing' })
    sessions.fingerprint ??= await this.#fingerprint()
    const { version } = await this.#system.status()
    const transport = await sessions.open(holder, version, () => clock.monotonic(), this.#config)
    return transport.handleRequest(request)
  }

  /** From a held session: what this client may see. */
  async _list(peer: Peer): Promise<{ tools: object[] }> {
    const tools = (await this.#allowed(peer)).map((tool) => {
      const { name, description, schema, read_only } = tool
      const inputSchema = this.#isAdmin(tool) ? withConfirmation(schema) : schema
      return { name, description, inputSchema, ...(read_only === true ? { annotations: { readOnlyHint: true } } : {}) }
    })
    return { tools }
  }

  /** From a held session. A tool that may not be seen is as unknown as one that is not there. */
  async _call(peer: Peer, name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<Called> {
    try {
      const { holder, client } = peer
      const allowed = await this.#allowed(peer)
      const tool = allowed.find((one) => one.name === name)
      if (tool === undefined) return unknownTool(name, allowed)
      const admin = this.#isAdmin(tool)
      const confirmed = admin ? readConfirmation(tool, args) : { params: args, reason: '' }
      if ('error' in confirmed) return { result: refusalOf(confirmed.error) }
      if (admin) this.#record({ tool: name, token: holder, client, reason: confirmed.reason })
      const trace = newTrace()
      const span = newSpan()
      const place = placeUnder(trace, span)
      const how = { signal, caller: this.#kernel.api, result_bytes_max: RESULT_BYTES_MAX, trace: place }
      const result = await this.#tools.with({ trace, span }).invoke(name, confirmed.params, how)
      if (result.status === 'success') return { result: answerOf(result) }
      // It was there a moment ago.
      if (result.error.code === 'tool_not_found') return unknownTool(name, await this.#allowed(peer))
      return { result: refusalOf(result.error) }
    } catch (thrown) {
      return { result: refusalOf(toErrorData(thrown)) }
    }
  }

  #record(what: { tool: string; token: string; client: string; reason: string }): void {
    this.#kernel.log.info(`${what.tool} for ${what.token}: ${what.reason}`, what)
    this.#kernel.events.emit('mcp.admin_call', what)
  }

  #isAdmin = (tool: ToolInfo): boolean => covers(this.#config.admin, tool)

  /** By the config as it is now: a token that lost a power has lost it in its open sessions too. */
  async #allowed({ holder, client }: Peer): Promise<ToolInfo[]> {
    const patterns = holder === OPERATOR ? ['*'] : (this.#tokens[holder]?.capabilities ?? [])
    const { tools } = await this.#tools.list()
    const bridged = client === BRIDGE_CLIENT ? await this.#bridges() : new Set<string>()
    return tools.filter((tool) => covers(patterns, tool) && !bridged.has(tool.api))
  }

  async #bridges(): Promise<Set<string>> {
    const services = await this.#system.services()
    return new Set(services.filter(({ source_file }) => BRIDGE_SOURCE.test(source_file ?? '')).map(({ api }) => api))
  }

  /** Services come and go in bursts; clients are told once the list they would get is another one. */
  async #look(): Promise<void> {
    this.#lookAgain = true
    if (this.#looking) return
    this.#looking = true
    try {
      while (this.#lookAgain) {
        this.#lookAgain = false
        // The catalogue hears of the same event, perhaps after this service.
        await new Promise((resolve) => setImmediate(resolve))
        await this.#compare()
      }
    } catch (thrown) {
      const { code, message } = toErrorData(thrown)
      this.#kernel.log.warn(`the tools could not be listed: ${message}`, { code })
    } finally {
      this.#looking = false
    }
  }

  async #compare(): Promise<void> {
    const sessions = this.#sessions as Sessions
    if (sessions.size === 0) {
      sessions.fingerprint = undefined
      return
    }
    const known = sessions.fingerprint
    const fingerprint = await this.#fingerprint()
    sessions.fingerprint = fingerprint
    if (known !== fingerprint) sessions.tell()
  }

  /** Of everything that a list of tools is made from. */
  async #fingerprint(): Promise<string> {
    const { tools } = await this.#tools.list()
    const grants = Object.entries(this.#tokens).map(([name, { capabilities }]) => ({ name, capabilities }))
    return canonicalJson({ tools, grants, admin: this.#config.admin })
  }
}

const unknownTool = (name: string, allowed: readonly ToolInfo[]): Called => {
  const names = allowed.map((tool) => tool.name)
  const { code, hint } = coded('tool_not_found', { tool: name })
  return { refused: { message: `Unknown tool: ${name}${nearText(name, names)}`, data: { code, hint } } }
}

function noSession(): Response {
  const error = { code: -32_001, message: 'Session not found' }
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 })
}

/** The shape of the rest of the HTTP API. */
function refused(thrown: unknown): Response {
  const { code, message, hint } = toErrorData(thrown)
  return Response.json(
    { error: { code, message, hint, doc: `ERRORS.md#${code}` } },
    { status: statusOf(code), headers: code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {} },
  )
}
