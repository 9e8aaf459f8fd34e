/**
 * A module to copy. Save it as modules/<name>.ts, put a file configs/services/<name>.yml beside it, and it runs.
 * Save either of them again and the change is live. Delete the YAML file and it stops.
 */
import { tool, type KernelApi } from 'meta-machine'
import { z } from 'zod'

/** Optional: what the YAML file may say. A wrong value is refused with its line, and the old version keeps running. */
export const configSchema = z.object({
  greeting: z.string().default('Hello'),
  interval_seconds: z.number().positive().default(60),
})

type Config = z.infer<typeof configSchema>

export class Module {
  // `#private` is really private. Everything else that is a method can be called by other services.
  readonly #kernel: KernelApi
  readonly #config: Config
  #greeted = 0

  /** Quick, no I/O. */
  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  /** Optional: acquire what you need. If it fails, this version is dropped and the old one keeps serving. */
  async init(): Promise<void> {
    this.#kernel.own(() => this.#kernel.log.debug('example: gone'), 'farewell')
  }

  /** Optional: background work. It ends when `signal` aborts, before the next version's begins. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#kernel.sleep(this.#config.interval_seconds * 1000, signal)
      this.#kernel.log.debug(`example: greeted ${this.#greeted} so far`)
    }
  }

  /** `mm call example.greet name=Ada`, or `await kernel.getApi('example').greet({ name: 'Ada' })` in a module. */
  greet({ name }: { name: string }): string {
    this.#greeted++
    return `${this.#config.greeting}, ${name}!`
  }

  /** Optional: tools, for chat and MCP. The description is what a model reads. */
  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    return {
      greet: tool({
        description: 'Greet somebody by name.',
        params: z.object({ name: z.string().describe('who to greet') }),
        read_only: true,
        run: (params) => this.greet(params),
      }),
    }
  }

  /** Optional: release what the kernel does not know of. Called after the last call has ended. */
  async shutdown(): Promise<void> {}
}
