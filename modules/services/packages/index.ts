/**
 * The service `packages`: what a module is missing is asked for, confirmed by a person, and installed into
 * `runtime/packages/`, one exact version, scripts off; then the services that asked start by themselves. Modules and
 * models may ask and never confirm: a decision takes the operator's token, which no tool can read. What was asked for and
 * decided is kept in a file: a confirmed install that was cut off is done at the next start.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { PackageRequest, PackagesApi } from '../../contracts/services.ts'
import type { ToolContext } from '../../contracts/tool.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { checkOperator } from '../../lib/operator.ts'
import { tool } from '../../lib/tool.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { writeFailure } from '../../lib/write-failure.ts'
import { install, uninstall } from './npm.ts'
import { find, installed, replaced, withRequest } from './requests.ts'

export const configSchema = z.object({
  /** @default npm's own */
  registry: z.url().optional(),
  timeout_ms: z.number().int().positive().default(300_000),
})

type Config = z.infer<typeof configSchema>

const KEPT_MAX = 500

export class Module implements PackagesApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #system: Handle<KernelServiceApi>
  readonly #folder: string
  #list: PackageRequest[] = []
  /** what run() waits on */
  #wake = (): void => undefined

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#system = kernel.getApi<KernelServiceApi>('kernel')
    this.#folder = join(kernel.paths.runtime, 'packages')
  }

  init(): void {
    this.#list = this.#read()
  }

  /** The list is the file's: the version before may have changed it until the switch. */
  takeOver(): void {
    this.#list = this.#read()
  }

  handOver(): null {
    return null
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = this.#list.find((one) => one.state === 'confirmed')
      if (next !== undefined) {
        await this.#install(next, signal)
        continue
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  request(name: string, version: string, reason: string, requested_by = 'somebody'): PackageRequest {
    const id = `${name}@${version}`
    const before = this.#list.map((one) =>
      one.id === id && this.#isGone(one) ? { ...one, state: 'removed' as const } : one,
    )
    const known = before.some((one) => one.id === id && one.state !== 'removed')
    const now = this.#kernel.clock.now()
    this.#keep(withRequest(before, { name, version, reason, by: requested_by, now }))
    const request = find(this.#list, id)
    if (!known) {
      this.#kernel.log.warn(
        `${requested_by} asks for the package ${id}: ${request.reason}. Allow it: mm packages confirm ${id}`,
      )
      this.#kernel.events.emit('package.requested', { id, requested_by, reason: request.reason })
    }
    return request
  }

  list(): { packages: PackageRequest[] } {
    return { packages: this.#list }
  }

  confirm(id: string, token: string): PackageRequest {
    checkOperator(this.#kernel.paths.runtime, token, 'confirm a package')
    const request = find(this.#list, id)
    if (request.state === 'installed') return request
    const next = this.#decide(request, 'confirmed')
    this.#wake()
    return next
  }

  deny(id: string, token: string): PackageRequest {
    checkOperator(this.#kernel.paths.runtime, token, 'deny a package')
    const request = find(this.#list, id)
    if (request.state === 'installed') throw coded('package_refused', { id, reason: 'it is installed: remove it' })
    return this.#decide(request, 'denied')
  }

  async remove(id: string, token: string): Promise<PackageRequest> {
    checkOperator(this.#kernel.paths.runtime, token, 'remove a package')
    const request = find(this.#list, id)
    if (this.#list.some((one) => one.state === 'confirmed'))
      throw coded('package_refused', { id, reason: 'another one is being installed: try again when it is' })
    if (request.state === 'installed')
      await uninstall(id, request.name, this.#npm(), AbortSignal.timeout(this.#config.timeout_ms))
    return this.#decide(request, 'removed')
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    return {
      request: tool({
        description: 'Ask an operator for one exact version of an npm package. It is installed only when they confirm.',
        params: z.object({ name: z.string(), version: z.string(), reason: z.string().describe('why it is needed') }),
        run: ({ name: wanted, version, reason }, { caller }: ToolContext) =>
          this.request(wanted, version, reason, caller),
      }),
      list: tool({
        description: 'List the npm packages that were asked for, and what became of them.',
        params: z.object({}),
        read_only: true,
        run: () => this.list(),
      }),
    }
  }

  async #install({ id, name, requested_by }: PackageRequest, signal: AbortSignal): Promise<void> {
    try {
      const integrity = await install(id, name, this.#npm(), signal)
      this.#keep(installed(this.#list, id, integrity))
    } catch (error) {
      // Cut off, not failed: the next version, or the next start, does it.
      if (signal.aborted) return
      const reason = reasonOf(error)
      this.#kernel.log.error(reason, { code: 'package_refused' })
      this.#kernel.events.emit('package.failed', { id, reason })
      this.#keep(replaced(this.#list, { ...find(this.#list, id), state: 'failed', error: reason }))
      return
    }
    this.#kernel.log.info(`the package ${id} is installed`)
    this.#kernel.events.emit('package.installed', { id })
    await Promise.all(requested_by.map((api) => this.#startAgain(api)))
  }

  /** Who asked may be gone, or may be no service but a model: then there is nothing to start. */
  async #startAgain(api: string): Promise<void> {
    const services = await this.#system.services()
    const service = services.find((one) => one.api === api)
    if (service === undefined || service.state === 'live') return
    await this.#system.reload(api).catch((error: unknown) => this.#kernel.log.warn(`${api}: ${reasonOf(error)}`))
  }

  /** Somebody emptied the folder by hand. */
  #isGone({ name, state }: PackageRequest): boolean {
    return state === 'installed' && !existsSync(join(this.#folder, 'node_modules', name, 'package.json'))
  }

  #decide(request: PackageRequest, state: PackageRequest['state']): PackageRequest {
    const next: PackageRequest = { ...request, state, error: null, decided_at: this.#kernel.clock.now() }
    this.#keep(replaced(this.#list, next))
    this.#kernel.events.emit(`package.${state}`, { id: request.id })
    return next
  }

  #npm(): { folder: string; registry: string | undefined; timeoutMs: number } {
    return { folder: this.#folder, registry: this.#config.registry, timeoutMs: this.#config.timeout_ms }
  }

  #read(): PackageRequest[] {
    try {
      return JSON.parse(readFileSync(join(this.#folder, 'requests.json'), 'utf8')) as PackageRequest[]
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return []
      throw writeFailure(error, 'runtime/packages/requests.json')
    }
  }

  #keep(list: PackageRequest[]): void {
    const kept = list.slice(-KEPT_MAX)
    try {
      mkdirSync(this.#folder, { recursive: true })
      writeWhole(join(this.#folder, 'requests.json'), `${JSON.stringify(kept, null, 2)}\n`)
    } catch (error) {
      throw writeFailure(error, 'runtime/packages/requests.json')
    }
    this.#list = kept
  }
}
