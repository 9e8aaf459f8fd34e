/**
 * The paper's sample of a background service: it computes nothing useful, but it runs for ever, writes each step to
 * the table `training_log` through the service `database`, and knows nothing of who reads it.
 */
import { z } from 'zod'
import type { Handle, KernelApi } from '../contracts/module.ts'
import type { DatabaseApi } from '../contracts/services.ts'

export const configSchema = z.object({
  learning_rate: z.number().positive().default(0.01),
  step_delay_seconds: z.number().nonnegative().default(2),
})

type Config = z.infer<typeof configSchema>

const TABLE = `CREATE TABLE IF NOT EXISTS training_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  step INTEGER NOT NULL,
  loss REAL NOT NULL,
  learning_rate REAL NOT NULL,
  logged_at INTEGER NOT NULL
)`
const INSERT = 'INSERT INTO training_log (step, loss, learning_rate, logged_at) VALUES (?, ?, ?, ?)'

export class Module {
  static needs = ['database']
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #db: Handle<DatabaseApi>
  #step = 0
  #loss: number | null = null

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#db = kernel.getApi<DatabaseApi>('database')
  }

  async init(): Promise<void> {
    await this.#db.execute(TABLE)
  }

  async run(signal: AbortSignal): Promise<void> {
    const { learning_rate: rate, step_delay_seconds: delay } = this.#config
    while (!signal.aborted) {
      this.#step++
      this.#loss = 1 / (this.#step + Math.random() - 0.5)
      await this.#db.execute(INSERT, [this.#step, this.#loss, rate, this.#kernel.clock.now()])
      await this.#kernel.sleep(delay * 1000, signal)
    }
  }

  status(): { step: number; loss: number | null; learning_rate: number } {
    return { step: this.#step, loss: this.#loss, learning_rate: this.#config.learning_rate }
  }
}
