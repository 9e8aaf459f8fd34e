/**
 * Signals as files in `runtime/signals/`: each is written whole, read once, in the order of its name, which is the order
 * of time. A reader first renames a file to where nobody else looks: so two readers never have the same one, and what a
 * killed process had in its hands comes back at the next start. What cannot be read is set aside and told, not lost.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import type { QueuedSignal } from '../../contracts/meta-loop.ts'
import type { EventPriority } from '../../contracts/signed-events.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { writeFailure } from '../../lib/write-failure.ts'

export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const satisfies readonly EventPriority[]
const TTL_S = 3_600
const TTL_S_MAX = 30 * 86_400
const NAME = /^\d{15}_[0-9a-z]{8}\.json$/
const BAD = 'bad'
const TAKEN = 'taken'
const SECOND_MS = 1_000

const signalSchema = z.strictObject({
  source: z.string().trim().min(1).max(200),
  priority: z.enum(PRIORITIES, { error: `known are: ${PRIORITIES.join(', ')}` }).default('normal'),
  payload: z.record(z.string(), z.json()).default({}),
  ttl_s: z.number().positive().max(TTL_S_MAX).default(TTL_S),
})
const fileSchema = signalSchema.extend({ id: z.string().min(1).max(100), at: z.number().int().nonnegative() })

export interface SignalInput {
  source: string
  priority?: EventPriority
  payload?: JsonMap
  ttl_s?: number
}

export interface Drained {
  signals: QueuedSignal[]
  expired: number
  /** names of files that were set aside, with what is wrong with them */
  bad: { file: string; reason: string }[]
}

export interface InboxLimits {
  signal_bytes_max: number
  signals_max: number
}

export class Inbox {
  readonly #folder: string
  readonly #limits: () => InboxLimits
  readonly #now: () => number
  readonly #taken: string[] = []
  #count = 0

  constructor(folder: string, now: () => number, limits: () => InboxLimits) {
    this.#folder = folder
    this.#now = now
    this.#limits = limits
    for (const inside of ['', BAD, TAKEN]) mkdirSync(join(folder, inside), { recursive: true })
  }

  /** What a process that was killed had taken comes back. Only at the start of the process: nobody reads then. */
  recover(): void {
    for (const file of readdirSync(join(this.#folder, TAKEN)))
      this.#move(join(TAKEN, file), NAME.test(file) ? file : join(BAD, file))
  }

  /** Throws `signal_invalid`, or what the disk throws. */
  push(given: SignalInput): QueuedSignal {
    const read = signalSchema.safeParse(given)
    if (!read.success) throw invalid(read.error)
    const { signal_bytes_max, signals_max } = this.#limits()
    if (this.#waiting().length >= signals_max)
      throw coded('signal_invalid', { field: 'signal', reason: `${signals_max} wait already` })
    const at = this.#now()
    const id = shortHash(`${at} ${process.pid} ${++this.#count} ${read.data.source}`).slice(0, 8)
    const signal: QueuedSignal = { id, at, ...(read.data as Omit<QueuedSignal, 'id' | 'at'>) }
    const text = JSON.stringify(signal)
    if (Buffer.byteLength(text) > signal_bytes_max)
      throw coded('signal_invalid', { field: 'payload', reason: `it has more than ${signal_bytes_max} bytes` })
    const file = `${String(at).padStart(15, '0')}_${id}.json`
    try {
      writeWhole(join(this.#folder, file), text)
    } catch (thrown) {
      throw writeFailure(thrown, `runtime/signals/${file}`)
    }
    return signal
  }

  /** Those that wait and can be read, as they stand; none is taken. */
  list(): QueuedSignal[] {
    return this.#waiting().flatMap((file) => {
      try {
        return [this.#read(join(this.#folder, file), file)]
      } catch {
        // Somebody takes it now, or the next cycle sets it aside and tells.
        return []
      }
    })
  }

  /** What was taken stands in the file of a cycle by now. */
  done(): void {
    for (const file of this.#taken.splice(0)) rmSync(join(this.#folder, TAKEN, file), { force: true })
  }

  /** Takes all that wait. Until `done`, a process that is killed has not taken them. */
  drain(): Drained {
    const drained: Drained = { signals: [], expired: 0, bad: [] }
    for (const file of this.#waiting()) {
      if (!this.#move(file, join(TAKEN, file))) continue
      this.#take(file, drained)
    }
    return drained
  }

  #take(file: string, drained: Drained): void {
    const path = join(this.#folder, TAKEN, file)
    try {
      const signal = this.#read(path, file)
      if (signal.at + signal.ttl_s * SECOND_MS < this.#now()) drained.expired++
      else drained.signals.push(signal)
      this.#taken.push(file)
    } catch (thrown) {
      drained.bad.push({ file, reason: reasonOf(thrown) })
      this.#move(join(TAKEN, file), join(BAD, file))
    }
  }

  #read(path: string, file: string): QueuedSignal {
    const { signal_bytes_max } = this.#limits()
    const { size } = statSync(path)
    if (size > signal_bytes_max) throw coded('signal_invalid', { field: file, reason: `it has ${size} bytes` })
    const read = fileSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')))
    if (!read.success) throw invalid(read.error)
    return read.data
  }

  /** In the order of their names. Any file that ends in `.json` is taken for a signal. */
  #waiting(): string[] {
    return readdirSync(this.#folder)
      .filter((file) => file.endsWith('.json') && !file.startsWith('.'))
      .sort()
  }

  /** False when somebody else has it. */
  #move(from: string, to: string): boolean {
    try {
      renameSync(join(this.#folder, from), join(this.#folder, to))
      return true
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code === 'ENOENT') return false
      throw writeFailure(thrown, `runtime/signals/${basename(from)}`)
    }
  }
}

function invalid(error: z.ZodError): Error {
  const [issue] = error.issues
  return coded('signal_invalid', { field: issue?.path.join('.') || 'signal', reason: issue?.message ?? '' })
}
