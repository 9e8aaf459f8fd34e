/**
 * The service `module`: makes new services from source, and changes the source of those that run. A module and its
 * config land as one batch; what does not load, or whose service does not start, is taken back whole. The source is
 * replaced only by somebody who names the hash of what he has read.
 */
import { stringify } from 'yaml'
import { z } from 'zod'
import type { KernelApi } from '../../contracts/module.ts'
import type { Landed, ModuleCreate, ModuleUpdate, WorkshopApi } from '../../contracts/workshop.ts'
import { coded, fromErrorData } from '../../lib/errors.ts'
import { tool } from '../../lib/tool.ts'
import { checkThawed, firstStart, land, partsOf, taken, type WorkshopParts } from './landing.ts'

export const configSchema = z.object({
  /** how long a new service may take to start before the answer says so */
  start_ms: z.number().int().positive().default(15_000),
})

const NAME = /^[a-z][a-z0-9_-]*(\/[a-z][a-z0-9_-]*)*$/
const ENDINGS = ['.ts', '.mjs', '.js', '/index.ts']

export class Module implements WorkshopApi {
  static needs = ['filesystem']
  readonly #parts: WorkshopParts
  readonly #startMs: number

  constructor(kernel: KernelApi, config: z.infer<typeof configSchema>) {
    this.#parts = partsOf(kernel)
    this.#startMs = config.start_ms
  }

  async read(service: string): ReturnType<WorkshopApi['read']> {
    const { source_file: file } = await this.#parts.system.show(service)
    if (file === null) throw coded('file_missing', { path: `modules/ of ${service}` })
    const { content, hash } = await this.#parts.files.read_file(file)
    return { service, file, source: content, hash: hash ?? null }
  }

  async create({
    name,
    source,
    config = {},
    api = name,
    description,
  }: ModuleCreate): ReturnType<WorkshopApi['create']> {
    const { kernel, system } = this.#parts
    await checkThawed(this.#parts)
    if (typeof name !== 'string' || !NAME.test(name) || name.startsWith('meta'))
      throw coded('bad_arguments', { reason: '`name` is lower case words, as `reports/daily`' })
    await this.#checkFree(name, api)
    const about = description === undefined ? {} : { description }
    const names = { api, prog: name }
    const text = stringify({ ...names, ...about, ...config, ...names }, { lineWidth: 0 })
    const files = [`modules/${name}.ts`, `configs/${name}.yml`] as const
    const plan = (await system.plan([{ path: files[1], text }])).find((one) => one.api === api)
    if (plan?.error) throw fromErrorData(plan.error)
    const start = firstStart(this.#parts, { service: api, file: files[1] }, this.#startMs)
    const changes = [
      { path: files[0], content: source, base: null },
      { path: files[1], content: text, base: null },
    ]
    try {
      const take = async (): Promise<Landed[]> => [await start.outcome()]
      const { landed, taken_back } = await land(this.#parts, changes, [null, null], take)
      if (taken_back) await start.gone()
      kernel.log.info(`${api}: ${taken_back ? 'made and taken back' : 'made'}`, { files: [...files] })
      return { service: api, files: taken_back ? [] : [...files], landed, taken_back }
    } finally {
      start.stop()
    }
  }

  async update({ service, source, base }: ModuleUpdate): ReturnType<WorkshopApi['update']> {
    const { system } = this.#parts
    await checkThawed(this.#parts)
    const before = await this.read(service)
    const { file } = before
    if (before.hash !== base) throw coded('file_changed', { file })
    const users = (await system.services()).filter((one) => one.source_file === file).map(({ api }) => api)
    const change = { path: file, content: source, base }
    // One after the other: the first that is asked for takes the others that share the file along.
    const take = async (): Promise<Landed[]> => {
      const landed: Landed[] = []
      for (const api of users) landed.push(await taken(this.#parts, api))
      return landed
    }
    const { landed, taken_back } = await land(this.#parts, [change], [before.source], take)
    const { hash } = await this.read(service)
    return { service, file, hash, landed, taken_back }
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    const source = z.string().min(1).describe('TypeScript that exports `class Module`, as modules/example.ts')
    const service = z.string().describe('the name of a service, as kernel_list_services shows it')
    return {
      read: tool({
        description: "Read the source of a service's module, with the hash that module_update asks for.",
        params: z.object({ service }),
        read_only: true,
        run: (given) => this.read(given.service),
      }),
      create: tool({
        description:
          'Make a new service: writes its module and config, and starts it. If it does not start, both are taken back and the error says why.',
        params: z.object({
          name: z.string().describe('path under modules/ without ending, as `reports/daily`'),
          source,
          config: z.record(z.string(), z.json()).optional().describe('what the module gets as config'),
          api: z.string().optional().describe('what others call it by; default: the name'),
          description: z.string().optional(),
        }),
        run: (given) => this.create(given as ModuleCreate),
      }),
      update: tool({
        description:
          "Replace the source of a service's module, and load it. If it is refused, the file is put back and the version before serves on.",
        params: z.object({
          service,
          source,
          base: z.string().describe('`hash` from module_read: nothing is overwritten unseen'),
        }),
        run: (given) => this.update(given),
      }),
    }
  }

  async #checkFree(name: string, api: string): Promise<void> {
    const services = await this.#parts.system.services()
    const other = services.find((one) => one.api === api || one.prog === name)
    if (other !== undefined) throw coded('file_exists', { path: other.source_file ?? other.config_file })
    const folder = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : ''
    const wanted = [
      ...ENDINGS.map((ending) => `modules/${name}${ending}`),
      `configs/${name}.yml`,
      `configs/${name}.yaml`,
    ]
    for (const place of [`modules/${folder}`, `modules/${name}`, `configs/${folder}`]) {
      const found = await this.#filesIn(place)
      const path = wanted.find((one) => found.has(one))
      if (path !== undefined) throw coded('file_exists', { path })
    }
  }

  async #filesIn(folder: string): Promise<ReadonlySet<string>> {
    try {
      const { files } = await this.#parts.files.list_files(folder)
      return new Set(files.map(({ path }) => path))
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code === 'file_missing') return new Set()
      throw thrown
    }
  }
}
