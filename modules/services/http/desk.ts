/** What a route gets to work with: handles, made once, and what it may ask about its request, made when it asks. */
import type { IncomingHttpHeaders } from 'node:http'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { CallSignal, Handle, KernelApi } from '../../contracts/module.ts'
import type { AssistantApi, ToolsApi } from '../../contracts/services.ts'
import { covers } from '../../lib/capabilities.ts'
import { coded } from '../../lib/errors.ts'
import type { Told } from './answer.ts'
import type { Visit } from './app.ts'
import { Cleaner } from './clean.ts'
import { Doctor } from './doctor.ts'
import { HangUp } from './hang-up.ts'
import { openApiOf } from './openapi.ts'
import { ROUTES } from './routes/index.ts'
import type { Asker, Desk } from './routes/route.ts'

/** The same for all requests to one version. */
export interface Means {
  kernel: KernelApi
  system: Handle<KernelServiceApi>
  tools: Handle<ToolsApi>
  assistant: Handle<AssistantApi>
  cleaner: Cleaner
  doctor: Doctor
  deadline_ms: number
}

export function createMeans(kernel: KernelApi, config: { assistant: string; deadline_ms: number }): Means {
  const system = kernel.getApi<KernelServiceApi>('kernel')
  return {
    kernel,
    system,
    tools: kernel.getApi<ToolsApi>('tools'),
    assistant: kernel.getApi<AssistantApi>(config.assistant),
    cleaner: new Cleaner(kernel, system),
    doctor: new Doctor(kernel),
    deadline_ms: config.deadline_ms,
  }
}

export class RequestDesk implements Desk {
  readonly kernel: KernelApi
  readonly system: Means['system']
  readonly tools: Means['tools']
  readonly assistant: Means['assistant']
  readonly doctor: Doctor
  readonly deadline_ms: number
  readonly idempotencyKey: string | undefined
  readonly asker: Asker | undefined
  readonly headers: IncomingHttpHeaders
  readonly hangUp: CallSignal
  readonly #cleaner: Cleaner
  #left: AbortController | undefined

  constructor(means: Means, { request, response, asker }: Visit, key: string | undefined) {
    this.kernel = means.kernel
    this.system = means.system
    this.tools = means.tools
    this.assistant = means.assistant
    this.doctor = means.doctor
    this.deadline_ms = means.deadline_ms
    this.idempotencyKey = key
    this.asker = asker
    this.headers = request.headers
    this.#cleaner = means.cleaner
    this.hangUp = new HangUp(response)
  }

  get signal(): AbortSignal {
    if (this.#left !== undefined) return this.#left.signal
    const left = new AbortController()
    this.#left = left
    // A connection also closes behind an answer that has left.
    this.hangUp.addEventListener('abort', () => {
      if (this.hangUp.aborted) left.abort()
    })
    return left.signal
  }

  openApi({ version }: { version: string }): Record<string, unknown> {
    return openApiOf(ROUTES, version)
  }

  clean(error: Told): Promise<Told> {
    return this.#cleaner.error(error)
  }

  cleaner(): Promise<(text: string) => string> {
    return this.#cleaner.cleaner()
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
