/**
 * The service `config`: single keys of a service's YAML file, read with where they come from and changed with its
 * comments kept. A change is checked before it is written, lands whole, and is taken back when the service refuses it.
 */
import { z } from 'zod'
import type { EffectiveConfig, PlannedChange } from '../../contracts/kernel.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type { ConfigApi, ConfigEdit, Landed } from '../../contracts/workshop.ts'
import { coded, fromErrorData } from '../../lib/errors.ts'
import { tool } from '../../lib/tool.ts'
import { editYaml } from '../../lib/edit-yaml.ts'
import { checkThawed, land, partsOf, taken, type WorkshopParts } from './landing.ts'

/** They say what the service is: that is another file, not another value. */
const IDENTITY = new Set(['api', 'prog'])

export class Module implements ConfigApi {
  static needs = ['filesystem']
  readonly #parts: WorkshopParts

  constructor(kernel: KernelApi) {
    this.#parts = partsOf(kernel)
  }

  async read(service: string): ReturnType<ConfigApi['read']> {
    const { file, prog, values, error } = await this.#configOf(service)
    const { content, hash } = await this.#parts.files.read_file(file)
    return { service, file, prog, text: content, hash: hash ?? null, values, error }
  }

  async edit(service: string, { set = {}, remove = [], base }: ConfigEdit): ReturnType<ConfigApi['edit']> {
    await checkThawed(this.#parts)
    for (const key of [...Object.keys(set), ...remove]) {
      if (IDENTITY.has(key)) throw coded('config_edit_failed', { key, reason: 'it says which service this file is' })
    }
    const { file } = await this.#configOf(service)
    const { content, hash } = await this.#parts.files.read_file(file)
    if (base !== undefined && base !== hash) throw coded('file_changed', { file })
    const text = editYaml(file, content, { set, remove })
    if (text === content) return { service, file, hash: hash ?? null, changed: [], landed: null, taken_back: false }
    const plan = (await this.#parts.system.plan([{ path: file, text }])).find(({ api }) => api === service)
    if (plan?.error) throw fromErrorData(plan.error)
    const change = { path: file, content: text, ...(hash === undefined ? {} : { base: hash }) }
    const { landed, taken_back } = await land(this.#parts, [change], [content], async () => [
      await this.#outcome(service, plan),
    ])
    const after = await this.#parts.files.read_file(file)
    const changed = [...Object.keys(set), ...remove]
    return { service, file, hash: after.hash ?? null, changed, landed: landed[0] ?? null, taken_back }
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    const service = z.string().describe('the name of a service, as kernel_list_services shows it')
    return {
      read: tool({
        description: "Read a service's config: the file's text and hash, and each value with where it comes from.",
        params: z.object({ service }),
        read_only: true,
        run: (given) => this.read(given.service),
      }),
      edit: tool({
        description:
          "Change keys of a service's config. Comments stay. It is checked first, applied at once, and taken back if the service refuses it.",
        params: z.object({
          service,
          set: z.record(z.string(), z.json()).optional().describe('key → value; `limits.drain_ms` is one level down'),
          remove: z.array(z.string()).optional().describe('keys that go back to their default'),
          base: z.string().optional().describe('`hash` from reading it: refused if the file has changed since'),
        }),
        run: ({ service: api, ...edit }) => this.edit(api, edit as ConfigEdit),
      }),
    }
  }

  async #configOf(service: string): Promise<EffectiveConfig> {
    const [config] = await this.#parts.system.configs(service)
    if (config === undefined) throw coded('path_protected', { path: 'configs/meta*.yml' })
    return config
  }

  async #outcome(service: string, plan: PlannedChange | undefined): Promise<Landed> {
    if (plan?.change !== 'stop') return taken(this.#parts, service)
    // Asked for by name it is looked at now; that it is gone is what was wanted.
    const gone = await taken(this.#parts, service)
    return gone.state === 'failed' ? gone : { service, state: 'stopped', generation: null }
  }
}
