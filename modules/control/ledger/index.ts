/**
 * The service `ledger`: the append-only record of every decision and change. Appends that come together are written
 * together; each is answered when it is on the disk. The whole chain is checked at every start: what was altered, cut or
 * put back is named, and nothing is appended any more until a person has looked. Values of `payload` are stored as given:
 * whoever appends keeps secrets out.
 */
import { join } from 'node:path'
import { z } from 'zod'
import type {
  CycleLine,
  LedgerApi,
  LedgerCheck,
  LedgerEntry,
  LedgerHead,
  LedgerInput,
  LedgerQuery,
} from '../../contracts/ledger.ts'
import type { KernelApi } from '../../contracts/module.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { tool } from '../../lib/tool.ts'
import { lineOf } from './evolution.ts'
import { LedgerStore, openLedger } from './store.ts'

export const configSchema = z.object({
  /** of one entry, as it is stored */
  entry_bytes_max: z.number().int().positive().default(65_536),
  /** appends that wait for the disk */
  waiting_max: z.number().int().positive().default(10_000),
  /** entries one read gives at most */
  limit_max: z.number().int().positive().default(1_000),
})

type Config = z.infer<typeof configSchema>

const name = z.string().trim().min(1).max(200)
const inputSchema = z.strictObject({
  actor: name,
  origin: z.enum(['human', 'self', 'test', 'system']),
  action: name,
  resource: name,
  outcome: name,
  subsystem: name.optional(),
  reason: z.string().max(10_000).optional(),
  cycle: name.optional(),
  payload: z.record(z.string(), z.json()).optional(),
})

/** What is written in one go: the others wait for the next. */
const GROUP_MAX = 500

interface Waiting {
  text: string
  resolve: (head: LedgerHead) => void
  reject: (error: unknown) => void
}

export class Module implements LedgerApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  #opened: LedgerStore | undefined
  #broken = false
  #checked: LedgerCheck | null = null
  #waiting: Waiting[] = []
  #isWriting = false

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  async init(): Promise<void> {
    const folder = join(this.#kernel.paths.runtime, 'control')
    const files = await this.#kernel.hold(
      'ledger',
      () => openLedger(folder),
      ({ connection }) => connection.close(),
    )
    const bad = new Set<number>()
    this.#opened = new LedgerStore(files, (sequence) => {
      if (!bad.has(sequence)) this.#kernel.log.error(`entry ${sequence} of the ledger cannot be read: it is left out`)
      bad.add(sequence)
    })
    this.#broken = !this.#opened.looksWhole()
  }

  handOver(): null {
    return null
  }

  /** The chain is the file's: the version before has appended to it until now. */
  takeOver(): void {
    this.#store().refresh()
  }

  async run(): Promise<void> {
    const checked = await this.verify()
    if (!checked.valid) return
    this.#kernel.log.info(`the ledger is whole: ${checked.entries} entries`)
  }

  async append(entry: LedgerInput): Promise<LedgerHead> {
    const text = this.#textOf(entry)
    if (this.#broken) throw this.#brokenError()
    if (this.#waiting.length >= this.#config.waiting_max)
      throw coded('ledger_busy', { limit: this.#config.waiting_max })
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject })
      void this.#write()
    })
  }

  read(query: LedgerQuery = {}): LedgerEntry[] {
    const limit = Math.min(Math.max(1, query.limit ?? 100), this.#config.limit_max)
    return this.#store().read({ ...query, limit })
  }

  async verify({ from, to }: { from?: number; to?: number } = {}): Promise<LedgerCheck> {
    const checked = await this.#store().check(from, to)
    if (from === undefined && to === undefined) this.#checked = checked
    if (!checked.valid) this.#close(checked)
    return checked
  }

  status(): ReturnType<LedgerApi['status']> {
    const store = this.#store()
    const head = store.head.sequence === 0 ? null : store.head
    return { open: !this.#broken, head, checked: this.#checked, bytes: store.bytes() }
  }

  async *entries(from = 1): AsyncGenerator<LedgerEntry> {
    for (let after = from - 1; ; ) {
      const entries = this.read({ after, limit: this.#config.limit_max })
      yield* entries
      const last = entries.at(-1)
      if (last === undefined) return
      after = last.sequence
    }
  }

  cycles({ limit = 100 }: { limit?: number } = {}): CycleLine[] {
    const names = this.#store().cycles(Math.min(Math.max(1, limit), this.#config.limit_max))
    return names.flatMap((cycle) => {
      const entries = this.#ofCycle(cycle)
      return entries.length === 0 ? [] : lineOf(entries)
    })
  }

  replay(cycle: string): LedgerEntry[] {
    const entries = this.#ofCycle(cycle)
    if (entries.length === 0) throw coded('cycle_unknown', { cycle: String(cycle) })
    return entries
  }

  #ofCycle(cycle: string): LedgerEntry[] {
    return this.read({ cycle, after: 0, limit: this.#config.limit_max })
  }

  getAspect(aspect: string): object | undefined {
    if (aspect !== 'tool') return undefined
    return {
      tail: tool({
        description:
          'Read the newest entries of the ledger: what was decided or changed, by whom, and what became of it.',
        params: z.object({ limit: z.number().int().min(1).max(100).default(20), action: z.string().optional() }),
        read_only: true,
        run: ({ limit, action }) => ({ entries: this.read({ limit, ...(action === undefined ? {} : { action }) }) }),
      }),
      verify: tool({
        description: 'Check that no entry of the ledger was altered, removed or cut off.',
        params: z.object({}),
        read_only: true,
        run: () => this.verify(),
      }),
    }
  }

  #textOf(given: LedgerInput): string {
    const read = inputSchema.safeParse(given)
    if (!read.success) {
      const [issue] = read.error.issues
      throw coded('ledger_entry_invalid', { field: issue?.path.join('.') || 'entry', reason: issue?.message ?? '' })
    }
    const { subsystem = read.data.action.split('_')[0], ...rest } = read.data
    const text = canonicalJson({ ...rest, subsystem, time: this.#kernel.clock.now() })
    const bytes = Buffer.byteLength(text)
    if (bytes <= this.#config.entry_bytes_max) return text
    throw coded('ledger_entry_invalid', {
      field: 'payload',
      reason: `${bytes} bytes are more than entry_bytes_max ${this.#config.entry_bytes_max}`,
    })
  }

  /** One writer: entries that arrive while it works are the next group. */
  async #write(): Promise<void> {
    if (this.#isWriting) return
    this.#isWriting = true
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, GROUP_MAX)
      try {
        if (this.#broken) throw this.#brokenError()
        const heads = this.#store().add(group.map(({ text }) => text))
        await this.#store().keepHead(heads.at(-1) as LedgerHead)
        for (const [index, { resolve }] of group.entries()) resolve(heads[index] as LedgerHead)
      } catch (thrown) {
        this.#kernel.log.error(`nothing can be recorded: ${reasonOf(thrown)}`)
        for (const { reject } of group) reject(thrown)
      }
    }
    this.#isWriting = false
  }

  #close({ at, fault }: LedgerCheck): void {
    this.#broken = true
    this.#kernel.log.error(`the ledger is not what was written: entry ${at} (${fault}); nothing is recorded any more`)
    this.#kernel.events.emit('ledger.broken', { at, fault })
  }

  #brokenError(): Error {
    const { at, fault } = this.#checked ?? { at: null, fault: 'cut' }
    return coded('ledger_broken', { at: String(at ?? 'the last'), fault: String(fault) })
  }

  #store(): LedgerStore {
    if (this.#opened === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    return this.#opened
  }
}
