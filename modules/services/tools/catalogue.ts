/**
 * Every tool of every live service under one folded name, read when it is next asked for after a switch. Called by the
 * service `tools` only; what was read is one immutable record, so that whatever is derived from it can be kept with it.
 */
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { ToolPrompt } from '../../contracts/services.ts'
import type { ToolInfo } from '../../contracts/tool.ts'
import { coded } from '../../lib/errors.ts'
import { nearText } from '../../lib/near.ts'
import { foldToolName, signatureOf } from '../../lib/tool-name.ts'

export interface Listed {
  readonly tools: readonly ToolInfo[]
  readonly byName: ReadonlyMap<string, ToolInfo>
  readonly conflicts: readonly string[]
  /** service → what its config says it is */
  readonly services: ReadonlyMap<string, string>
  /** by their `chars_max`: made when they are first asked for */
  readonly prompts: Map<number, ToolPrompt>
}

export class Catalogue {
  readonly #kernel: KernelApi
  readonly #system: Handle<KernelServiceApi>
  #listed: Promise<Listed> | undefined

  constructor(kernel: KernelApi) {
    this.#kernel = kernel
    this.#system = kernel.getApi<KernelServiceApi>('kernel')
  }

  /** Any switch may change the tools. */
  forget(): void {
    this.#listed = undefined
  }

  read(): Promise<Listed> {
    if (this.#listed !== undefined) return this.#listed
    // A failure is not kept: the next one who asks reads again.
    const reading = this.#read().catch((thrown: unknown) => {
      if (this.#listed === reading) this.#listed = undefined
      throw thrown
    })
    this.#listed = reading
    return reading
  }

  /** Rejects with `tool_not_found`. */
  async find(name: string): Promise<ToolInfo> {
    const { byName } = await this.read()
    const info = byName.get(name)
    if (info === undefined)
      throw coded('tool_not_found', { tool: String(name), near: nearText(String(name), byName.keys()) })
    return info
  }

  async #read(): Promise<Listed> {
    const [contracts, statuses] = await Promise.all([this.#system.tools(), this.#system.services()])
    const byName = new Map<string, ToolInfo>()
    const conflicts: string[] = []
    for (const { api, method, ...rest } of contracts) {
      const name = foldToolName(api, method)
      const taken = byName.get(name)
      if (taken !== undefined) {
        const owners = `${taken.api}.${taken.method}, ${api}.${method}`
        const { message, hint, code } = coded('tool_name_taken', { tool: name, owners })
        conflicts.push(message)
        this.#kernel.log.warn(`${message}. ${hint}`, { code })
        continue
      }
      byName.set(name, { name, api, method, ...rest, signature: signatureOf(name, rest.schema) })
    }
    return {
      tools: [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      byName,
      conflicts,
      services: new Map(statuses.map(({ api, description }) => [api, description ?? ''])),
      prompts: new Map(),
    }
  }
}
