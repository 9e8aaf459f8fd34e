/**
 * Decides about each call that is told: whether its service is recorded, whether the call can be kept, and which earlier
 * one it takes the place of. On the path of the call, so most calls cost it a few comparisons. Called by `index.ts`.
 */
import type { CallPair, FinishedCall } from '../../contracts/observe.ts'
import { toErrorData } from '../../lib/errors.ts'
import { readRecord, type RecordOption } from '../../lib/record-option.ts'
import { Budget, kindKey, placeFor, sizeOf } from './choose.ts'
import type { Config } from './config.ts'
import { formOf } from './form.ts'
import { kindsOf, type Book } from './store.ts'

/** Outcomes that say something of the caller, the wait or the drain, and nothing of the service. */
const NOT_ITS_OWN = new Set(['call_aborted', 'deadline_exceeded', 'generation_retired', 'caller_stopped', 'stopped'])
/** Questions to models and turns of chats: what is said there is kept only where the operator says so. */
const TALK = new Set(['complete', 'stream', 'chat', 'chatStream', 'embed'])

export class Recorder {
  readonly #book: Book
  readonly #config: Config
  readonly #own: string
  readonly #monotonic: () => number
  readonly #options = new Map<unknown, RecordOption>()
  /** services all of whose calls are looked at: the answers they get are kept too */
  readonly #all = new Set<string>()
  /** those of them that keep their talk with models */
  readonly #talking = new Set<string>()
  readonly #heard = new Map<string, RecordOption['calls']>()
  readonly #budgets = new Map<string, Budget>()

  constructor(book: Book, config: Config, own: string, monotonic: () => number) {
    this.#book = book
    this.#config = config
    this.#own = own
    this.#monotonic = monotonic
  }

  wants({ caller, callee, caller_record, callee_record }: CallPair): boolean {
    const asked = this.#optionOf(caller_record)
    const isAll = asked.calls === 'all'
    mark(this.#all, caller, isAll)
    mark(this.#talking, caller, isAll && asked.talk)
    if (callee === 'kernel' || callee === this.#own) return false
    const { calls } = this.#optionOf(callee_record)
    return calls === 'all' || (isAll && calls !== 'none')
  }

  /** What the config of a service said when it was last heard of. */
  callsOf(service: string): RecordOption['calls'] | undefined {
    return this.#heard.get(service)
  }

  ended(call: FinishedCall): void {
    const { callee, kind, version, method, outcome } = call
    if (kind === 'stream' || version === null || callee === 'kernel' || callee === this.#own) return
    const option = this.#optionOf(call.record)
    this.#heard.set(callee, option.calls)
    if (option.calls === 'none') return
    const isTalk = TALK.has(method)
    const isKept = !isTalk || option.talk
    const isAnswer = this.#all.has(call.caller) && (!isTalk || this.#talking.has(call.caller))
    if (!isKept && !isAnswer) return
    // Errors have a budget of their own: they are rare where they matter.
    if (!this.#budgetOf(`${callee} ${outcome}`).take(this.#monotonic())) return
    const error = outcome === 'error' ? toErrorData(call.thrown) : undefined
    if (error !== undefined && NOT_ITS_OWN.has(error.code)) return
    const { call_chars_max } = this.#config
    const args = formOf(call.args, option.redact, call_chars_max)
    const result = error === undefined ? formOf(call.result, option.redact, call_chars_max) : ''
    if (args === undefined || result === undefined) return
    const row = { outcome: error?.code ?? 'ok', message: (error?.message ?? '').slice(0, 500), args, result }
    if (isKept) this.#keep(call, option, row)
    if (isAnswer) this.#keepAnswer(call, row)
  }

  #keep(
    { callee: api, aspect, method, caller, version, at, ms }: FinishedCall,
    { keep = this.#config.keep }: RecordOption,
    row: { outcome: string; message: string; args: string; result: string },
  ): void {
    const { kinds_max, service_bytes_max, waiting_max } = this.#config
    const book = this.#book
    if (version === null || book.calls.length >= waiting_max) return
    const kinds = kindsOf(book, api)
    const name = kindKey(aspect, method, row.outcome, sizeOf(row.args.length))
    let kind = kinds.get(name)
    if (kind === undefined) {
      if (kinds.size >= kinds_max) return
      kind = { seen: 0, kept: 0 }
      kinds.set(name, kind)
    }
    const bytes = (book.bytes.get(api) ?? 0) + row.args.length + row.result.length
    // A full service takes new calls in the places of old ones only.
    const isFull = bytes > service_bytes_max
    const place = placeFor(kind, isFull ? Math.max(1, kind.kept) : keep, Math.random)
    if (place === undefined) return
    book.bytes.set(api, bytes)
    const { generation, source_hash, config_hash } = version
    book.calls.push({
      api,
      kind: name,
      place,
      at,
      ms,
      aspect,
      method,
      caller,
      generation,
      source_hash,
      config_hash,
      ...row,
    })
  }

  #keepAnswer(
    { caller, callee: api, aspect, method, at }: FinishedCall,
    row: { outcome: string; message: string; args: string; result: string },
  ): void {
    const { answers } = this.#book
    if (answers.length < this.#config.waiting_max) answers.push({ caller, api, aspect, method, at, ...row })
  }

  #optionOf(record: unknown): RecordOption {
    let option = this.#options.get(record)
    if (option === undefined) {
      // Maps are new with each reading of a config: what is remembered is bounded.
      if (this.#options.size > 1_000) this.#options.clear()
      option = readRecord(record)
      this.#options.set(record, option)
    }
    return option
  }

  #budgetOf(name: string): Budget {
    let budget = this.#budgets.get(name)
    if (budget === undefined) {
      const { looks_per_second, looks_burst } = this.#config
      budget = new Budget(looks_per_second, looks_burst, this.#monotonic())
      this.#budgets.set(name, budget)
    }
    return budget
  }
}

function mark(set: Set<string>, name: string, isIn: boolean): void {
  if (isIn) set.add(name)
  else set.delete(name)
}
