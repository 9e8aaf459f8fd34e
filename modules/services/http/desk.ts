/** What a route gets to work with: handles, made once, and what it may ask about its request, made when it asks. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Context } from 'hono'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { AssistantApi, ToolsApi } from '../../contracts/services.ts'
import { covers } from '../../lib/capabilities.ts'
import { coded } from '../../lib/errors.ts'
import type { Env } from './app.ts'
import { openApiOf } from './openapi.ts'
import { ROUTES } from './routes/index.ts'
import type { Asker, Desk } from './routes/route.ts'

/** The same for all requests to one version. */
export interface Means {
  kernel: KernelApi
  system: Handle<KernelServiceApi>
  tools: Handle<ToolsApi>
  assistant: Handle<AssistantApi>
  deadline_ms: number
}

export const createMeans = (kernel: KernelApi, config: { assistant: string; deadline_ms: number }): Means => ({
  kernel,
  system: kernel.getApi<KernelServiceApi>('kernel'),
  tools: kernel.getApi<ToolsApi>('tools'),
  assistant: kernel.getApi<AssistantApi>(config.assistant),
  deadline_ms: config.deadline_ms,
})

export const createDesk = (means: Means, context: Context<Env>, key: string | undefined): Desk =>
  new RequestDesk(means, context, key)

class RequestDesk implements Desk {
  readonly kernel: KernelApi
  readonly system: Means['system']
  readonly tools: Means['tools']
  readonly assistant: Means['assistant']
  readonly deadline_ms: number
  readonly idempotencyKey: string | undefined
  readonly asker: Asker | undefined
  readonly #context: Context<Env>
  #left: AbortController | undefined

  constructor(means: Means, context: Context<Env>, key: string | undefined) {
    this.kernel = means.kernel
    this.system = means.system
    this.tools = means.tools
    this.assistant = means.assistant
    this.deadline_ms = means.deadline_ms
    this.idempotencyKey = key
    this.asker = context.env.asker
    this.#context = context
  }

  get headers(): IncomingHttpHeaders {
    return this.#context.env.incoming.headers
  }

  get web(): Request {
    return this.#context.req.raw
  }

  get signal(): AbortSignal {
    if (this.#left !== undefined) return this.#left.signal
    const left = new AbortController()
    this.#left = left
    this.#context.env.outgoing.once('close', () => left.abort())
    return left.signal
  }

  openApi({ version }: { version: string }): Record<string, unknown> {
    return openApiOf(ROUTES, version)
  }

  checkCall(api: string, method: string): void {
    const { asker } = this
    if (asker === undefined || asker.scope === 'admin') return
    const call = `${api}:${method}`
    if (covers(asker.admin, { api, method }))
      throw coded('token_scope', { name: asker.name, reason: `\`${call}\` needs the scope \`admin\`` })
    if (!covers(asker.capabilities, { api, method }))
      throw coded('token_scope', { name: asker.name, reason: `its capabilities do not cover \`${call}\`` })
  }
}
