/**
 * Stands under the name callers know before several services of one module: each call goes to the one with the fewest
 * under way, and one that is off is left out. It offers what the first of them offers, and is loaded anew when that
 * changes. Each call is made once: what failed has perhaps been done. The meta-loop writes its config, or a person does.
 */
import { z } from 'zod'
import type { KernelServiceApi, MethodInfo } from '../contracts/kernel.ts'
import type { Handle, KernelApi, MachineEvent, UntypedService } from '../contracts/module.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { coded, reasonOf } from '../lib/errors.ts'

export const configSchema = z.object({
  /** of one module. They stand in `needs` too, so that they are live before this one */
  services: z.array(z.string().min(1)).min(2).max(16),
})

type Config = z.infer<typeof configSchema>

interface Worker {
  readonly api: string
  readonly handle: Handle<UntypedService>
  open: number
  isOff: boolean
}

const OFF = ['service.tripped', 'service.quarantined', 'service.stopped']

export class Module {
  readonly #kernel: KernelApi
  readonly #system: Handle<KernelServiceApi>
  readonly #workers: Worker[]
  #turn = 0

  constructor(kernel: KernelApi, { services }: Config) {
    this.#kernel = kernel
    this.#system = kernel.getApi<KernelServiceApi>('kernel')
    this.#workers = services.map((api) => ({ api, handle: kernel.getApi(api), open: 0, isOff: false }))
  }

  async init(): Promise<void> {
    const { events, log, api } = this.#kernel
    for (const type of OFF) events.on(type, (event) => this.#note(event, true))
    const methods = await this.#offered()
    events.on('service.live', (event) => {
      if (this.#note(event, false) !== this.#workers[0]) return
      this.#follow(methods).catch((thrown: unknown) => log.warn(`${api} offers what it did: ${reasonOf(thrown)}`))
    })
    for (const method of methods)
      Object.defineProperty(this, method.name, { value: this.#forward(method), enumerable: true })
  }

  /** Rejects where there is nothing to call. */
  async #offered(): Promise<MethodInfo[]> {
    const api = this.#workers[0]?.api ?? ''
    const { methods } = await this.#system.show(api)
    if (methods.length === 0) throw coded('service_failed', { api, reason: 'it has no method to call' })
    return methods
  }

  async #follow(known: readonly MethodInfo[]): Promise<void> {
    const now = await this.#offered()
    const said = (methods: readonly MethodInfo[]): string => canonicalJson(methods.map((one) => ({ ...one })))
    if (said(now) !== said(known)) await this.#system.reload(this.#kernel.api)
  }

  #note({ data }: MachineEvent, isOff: boolean): Worker | undefined {
    const worker = this.#workers.find(({ api }) => api === data['api'])
    if (worker !== undefined) worker.isOff = isOff
    return worker
  }

  #forward({ name, kind, length }: MethodInfo): object {
    const call = (...args: unknown[]): Promise<unknown> => this.#call(name, args)
    const read = (args: unknown[]): AsyncGenerator => this.#read(name, args)
    const stream = async function* (...args: unknown[]): AsyncGenerator {
      yield* read(args)
    }
    return Object.defineProperty(kind === 'stream' ? stream : call, 'length', { value: length })
  }

  async #call(name: string, args: unknown[]): Promise<unknown> {
    const worker = this.#free()
    worker.open++
    try {
      return await worker.handle[name]?.(...args)
    } finally {
      worker.open--
    }
  }

  async *#read(name: string, args: unknown[]): AsyncGenerator {
    const worker = this.#free()
    worker.open++
    try {
      yield* worker.handle[name]?.(...args) as unknown as AsyncGenerator
    } finally {
      worker.open--
    }
  }

  /** Where all are off, each says itself why. */
  #free(): Worker {
    const on = this.#workers.filter(({ isOff }) => !isOff)
    const able = on.length > 0 ? on : this.#workers
    const least = Math.min(...able.map(({ open }) => open))
    const free = able.filter(({ open }) => open === least)
    return free[this.#turn++ % free.length] as Worker
  }
}
