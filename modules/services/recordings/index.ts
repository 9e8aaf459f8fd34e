/**
 * The service `recordings`: calls as they were made, bounded and without secrets, and what another version makes of them.
 * What is recorded of a service is said by `record:` in its own config.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type { Recorded, RecordedAnswer, RecordedCall, RecordingsApi, Replay } from '../../contracts/recordings.ts'
import type { TrialCall } from '../../contracts/trial.ts'
import { coded, toErrorData } from '../../lib/errors.ts'
import { MARK, Redactor } from '../../lib/redact.ts'
import { secretValues } from '../../lib/secret-values.ts'
import { answerOf, readOnlyTools } from './answers.ts'
import { configSchema, type Config } from './config.ts'
import { valueOf } from './form.ts'
import { Recorder } from './recorder.ts'
import { replay } from './replay.ts'
import { countBytes, forgetService, kindsOf, openBook, read, writeBook, type Book, type CallRow } from './store.ts'

export { configSchema }

export class Module implements RecordingsApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  #book: Book | undefined
  /** one at a time: a replay makes the same calls as another would */
  #replaying: Promise<unknown> = Promise.resolve()
  #failing = false
  #recorder: Recorder | undefined
  /** asked for anew when something of a service has changed */
  #redactor: Promise<Redactor> | undefined

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
  }

  async init(): Promise<void> {
    const kernel = this.#kernel
    const { runtime } = kernel.paths
    const { file, write_ms } = this.#config
    mkdirSync(runtime, { recursive: true })
    const book = await kernel.hold(
      `recordings 1 ${file}`,
      () => openBook(join(runtime, file)),
      ({ connection }) => connection.close(),
    )
    this.#book = book
    const recorder = new Recorder(book, this.#config, kernel.api, () => kernel.clock.monotonic())
    this.#recorder = recorder
    kernel.observe({ ended: (call) => recorder.ended(call), wants: (pair) => recorder.wants(pair) })
    kernel.events.on('service.*', () => {
      this.#redactor = undefined
    })
    kernel.every(write_ms, () => this.#write(), 'recorded calls to disk')
  }

  /** What waits is written before the file may be closed. */
  async shutdown(): Promise<void> {
    await this.#write()
  }

  async list(service: string): Promise<Recorded> {
    const book = await this.#written()
    const kinds = [...kindsOf(book, service)].map(([key, kind]) => {
      const [aspect = '', method = '', outcome = '', size = ''] = key.split(' ')
      return { aspect, method, outcome, size, ...kind }
    })
    const [sum] = read<{ bytes: number | null; total: number }>(
      book.connection,
      'SELECT sum(length(args) + length(result)) AS bytes, count(*) AS total FROM calls WHERE api = ?',
      [service],
    )
    const [{ answers } = { answers: 0 }] = read<{ answers: number }>(
      book.connection,
      'SELECT count(*) AS answers FROM answers WHERE caller = ?',
      [service],
    )
    return {
      service,
      calls: this.#recorder?.callsOf(service) ?? null,
      total: sum?.total ?? 0,
      bytes: sum?.bytes ?? 0,
      answers,
      kinds,
    }
  }

  async replay(service: string, options: { against?: string; limit?: number } = {}): Promise<Replay> {
    const { replay_calls_max } = this.#config
    const { against = 'disk', limit = replay_calls_max } = options
    if (typeof service !== 'string' || typeof against !== 'string')
      throw coded('bad_arguments', { reason: 'replay() takes a service and {against, limit}' })
    if (!Number.isInteger(limit) || limit < 1 || limit > replay_calls_max)
      throw coded('bad_arguments', { reason: `\`limit\` is a whole number from 1 to ${replay_calls_max}` })
    const run = this.#replaying.then(async () => {
      const book = await this.#written()
      const redactor = await this.#secrets()
      return replay({ kernel: this.#kernel, book, config: this.#config, redactor }, service, { against, limit })
    })
    this.#replaying = run.catch(() => undefined)
    return run
  }

  async calls(service: string, { limit = 1_000 }: { limit?: number } = {}): Promise<{ calls: RecordedCall[] }> {
    const { replay_calls_max } = this.#config
    if (typeof service !== 'string' || !Number.isInteger(limit) || limit < 1 || limit > replay_calls_max)
      throw coded('bad_arguments', { reason: `calls() takes a service and {limit: 1 to ${replay_calls_max}}` })
    const book = await this.#written()
    const last = 'SELECT * FROM (SELECT * FROM calls WHERE api = ? ORDER BY at DESC LIMIT ?) ORDER BY at'
    return { calls: read<CallRow>(book.connection, last, [service, limit]).map(recordedCall) }
  }

  async answer(caller: string, call: TrialCall): Promise<RecordedAnswer> {
    const book = await this.#written()
    const parts = { kernel: this.#kernel, book, config: this.#config, redactor: await this.#secrets() }
    return answerOf(parts, caller, await readOnlyTools(this.#kernel), call)
  }

  async forget(service: string): Promise<{ forgotten: number }> {
    const book = await this.#written()
    return { forgotten: forgetService(book, service) }
  }

  async #written(): Promise<Book> {
    if (this.#book === undefined) throw coded('service_stopped', { api: this.#kernel.api })
    await this.#write()
    return this.#book
  }

  /** Secrets are taken out here: what became one since the call is known by now. */
  async #write(): Promise<void> {
    const book = this.#book
    if (book === undefined || book.calls.length + book.answers.length === 0) return
    try {
      const redactor = await this.#secrets()
      writeBook(book, (text) => redactor.text(text), this.#config.answers_max)
      countBytes(book, this.#config.service_bytes_max)
      this.#failing = false
    } catch (thrown) {
      if (!this.#failing) this.#kernel.log.warn(`recorded calls cannot be written: ${toErrorData(thrown).message}`)
      this.#failing = true
    }
  }

  #secrets(): Promise<Redactor> {
    const { runtime } = this.#kernel.paths
    this.#redactor ??= this.#kernel
      .getApi<KernelServiceApi>('kernel')
      .configs()
      .then((configs) => new Redactor(secretValues(configs, runtime, process.env)))
    return this.#redactor
  }
}

function recordedCall({ aspect, method, caller, at, ms, outcome, message, args, result }: CallRow): RecordedCall {
  const told = outcome === 'ok' ? valueOf(result) : message
  const common = { aspect, method, caller, at, ms, outcome, result: told }
  return { ...common, args: valueOf(args) as unknown[], redacted: args.includes(MARK) }
}
