/**
 * The service `tools`: every tool of every live service under one folded name, and the one way to call them. The
 * catalogue follows each switch; a call is checked against the tool's schema, has a deadline, and its result a size.
 */
import { z } from 'zod'
import type { Handle, KernelApi, UntypedService } from '../../contracts/module.ts'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { ToolsApi } from '../../contracts/services.ts'
import type { ToolInfo, ToolResult } from '../../contracts/tool.ts'
import { coded, toErrorData } from '../../lib/errors.ts'
import { nearText } from '../../lib/near.ts'
import { plainText } from '../../lib/plain-json.ts'
import { foldToolName, signatureOf } from '../../lib/tool-name.ts'

export const configSchema = z.object({
  deadline_ms: z.number().int().positive().default(30_000),
  result_bytes_max: z.number().int().positive().default(262_144),
})

type Config = z.infer<typeof configSchema>

export class Module implements ToolsApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #system: Handle<KernelServiceApi>
  #catalogue: Promise<{ tools: ToolInfo[]; conflicts: string[] }> | undefined

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#system = kernel.getApi<KernelServiceApi>('kernel')
    // Any switch may change the tools: forget them, and read them when they are next asked for.
    for (const pattern of ['service.live', 'service.stopped']) {
      kernel.events.on(pattern, () => {
        this.#catalogue = undefined
      })
    }
  }

  list(): Promise<{ tools: ToolInfo[]; conflicts: string[] }> {
    // A failure is not kept: the next one who asks reads again.
    this.#catalogue ??= this.#readCatalogue().catch((thrown: unknown) => {
      this.#catalogue = undefined
      throw thrown
    })
    return this.#catalogue
  }

  async #readCatalogue(): Promise<{ tools: ToolInfo[]; conflicts: string[] }> {
    const tools = new Map<string, ToolInfo>()
    const conflicts: string[] = []
    for (const { api, method, description, schema } of await this.#system.tools()) {
      const name = foldToolName(api, method)
      const taken = tools.get(name)
      if (taken !== undefined) {
        const owners = `${taken.api}.${taken.method}, ${api}.${method}`
        const { message, hint, code } = coded('tool_name_taken', { tool: name, owners })
        conflicts.push(message)
        this.#kernel.log.warn(`${message}. ${hint}`, { code })
        continue
      }
      tools.set(name, { name, api, method, description, schema, signature: signatureOf(name, schema) })
    }
    return { tools: [...tools.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), conflicts }
  }

  /** Never rejects: what went wrong is the result, in a form a model can act on. */
  async invoke(
    name: string,
    params: Record<string, unknown>,
    options: { deadline_ms?: number; signal?: AbortSignal; trace?: string; caller?: string } = {},
  ): Promise<ToolResult> {
    try {
      const { tools } = await this.list()
      const info = tools.find((one) => one.name === name)
      if (info === undefined)
        throw coded('tool_not_found', {
          tool: String(name),
          near: nearText(
            String(name),
            tools.map((one) => one.name),
          ),
        })
      const handle = this.#kernel.getApi<UntypedService>(info.api).as<UntypedService>('tool')
      const withOptions = handle.with({
        deadlineMs: options.deadline_ms ?? this.#config.deadline_ms,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        ...(options.trace === undefined ? {} : { trace: options.trace }),
      })
      const context = {
        caller: options.caller ?? this.#kernel.api,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }
      const value = await withOptions[info.method]?.(params, context)
      this.#checkSize(info, value)
      this.#kernel.events.emit('tool.called', { tool: name, status: 'success' })
      return { name, status: 'success', value: value ?? null }
    } catch (thrown) {
      const { code, message, hint } = toErrorData(thrown)
      this.#kernel.events.emit('tool.called', { tool: String(name), status: 'error', code })
      return { name: String(name), status: 'error', error: { code, message, hint } }
    }
  }

  #checkSize({ name, api, method }: ToolInfo, value: unknown): void {
    const bytes = Buffer.byteLength(plainText(value, { api, method }))
    if (bytes > this.#config.result_bytes_max)
      throw coded('tool_output_limit', { tool: name, bytes, limit: this.#config.result_bytes_max })
  }
}
