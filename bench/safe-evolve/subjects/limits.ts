/** How many calls a client may make: a bucket for each, filled with time. All its numbers come from its config. */
import type { KernelApi } from 'meta-machine'
import { z } from 'zod'

export const configSchema = z.object({
  per_second: z.number().positive().max(1_000).default(50),
  burst: z.number().int().min(1).max(500).default(100),
  clients_max: z.number().int().min(1).max(10_000).default(1_000),
})

type Config = z.infer<typeof configSchema>

export class Module {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #buckets = new Map<string, { left: number; at: number }>()

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  allow(client: string): { allowed: boolean; left: number } {
    const now = this.#kernel.clock.now()
    const bucket = this.#buckets.get(client) ?? { left: this.#config.burst, at: now }
    bucket.left = Math.min(this.#config.burst, bucket.left + ((now - bucket.at) / 1_000) * this.#config.per_second)
    bucket.at = now
    this.#buckets.set(client, bucket)
    const oldest = this.#buckets.keys().next()
    if (this.#buckets.size > this.#config.clients_max && !oldest.done) this.#buckets.delete(oldest.value)
    if (bucket.left < 1) return { allowed: false, left: 0 }
    bucket.left--
    return { allowed: true, left: Math.floor(bucket.left) }
  }

  settings(): { per_second: number; burst: number } {
    return { per_second: this.#config.per_second, burst: this.#config.burst }
  }
}
