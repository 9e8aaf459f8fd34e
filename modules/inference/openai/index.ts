/**
 * Inference through any OpenAI-compatible provider: one config, one service, as in the paper's Listing 10. Without a
 * key the service is live and says that it is not ready, so that a key set later only needs a reload. Answers are
 * always streamed from the provider; `complete` is the stream read to its end.
 */
import OpenAI, { APIError } from 'openai'
import type { KernelApi } from '../../contracts/module.ts'
import type {
  Completion,
  CompletionChunk,
  CompletionRequest,
  InferenceApi,
  ProviderInfo,
} from '../../contracts/services.ts'
import { codeOf, coded } from '../../lib/errors.ts'
import { Answer } from './answer.ts'
import { CallTime, type TryTime } from './call-time.ts'
import { configSchema, type Config } from './config.ts'
import { failureOf, type Failure } from './failure.ts'
import { keyVariable, readKey, redact } from './key.ts'
import { bodyOf, refusedOption, type Body, type Unknown } from './request.ts'
import { pauseBefore, spread } from './retry.ts'
import { chunksOf } from './stream.ts'

export { configSchema }

/** Said by this module itself: another try would bring the same. */
const FINAL = new Set(['provider_empty', 'provider_failed'])

export class Module implements InferenceApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #key: string | undefined
  readonly #client: OpenAI
  readonly #unknown = new Set<Unknown>()

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#key = readKey(config)
    // Tries, times and logging are this module's: the client's sleeps cannot be aborted, and its log holds bodies.
    this.#client = new OpenAI({
      apiKey: this.#key ?? 'none',
      baseURL: config.base_url,
      organization: null,
      project: null,
      maxRetries: 0,
      timeout: Math.ceil(config.timeout_seconds * 1000),
      logLevel: 'off',
    })
  }

  describe(): ProviderInfo {
    const { model, base_url } = this.#config
    if (this.#key !== undefined) return { model, ready: true, note: base_url }
    return { model, ready: false, note: `set ${keyVariable(this.#config) ?? 'a key'} to use it` }
  }

  async complete(request: CompletionRequest): Promise<Completion> {
    for await (const chunk of this.#run(request, false)) if (chunk.type === 'end') return chunk.completion
    throw coded('provider_empty', { provider: this.#kernel.api })
  }

  async *stream(request: CompletionRequest): AsyncGenerator<CompletionChunk> {
    yield* this.#run(request, true)
  }

  /** `live`: someone reads along, so that a try that broke off in the midst cannot be made again. */
  async *#run(request: CompletionRequest, live: boolean): AsyncGenerator<CompletionChunk> {
    if (this.#key === undefined) {
      throw coded('provider_unready', { provider: this.#kernel.api, reason: this.describe().note })
    }
    const call = this.#callTime(request.signal)
    try {
      for (let tried = 1; ; tried++) {
        call.signal.throwIfAborted()
        const time = call.try()
        const answer = new Answer(this.#config.model)
        const body = bodyOf(this.#config, request, this.#config.model, this.#unknown)
        try {
          yield* this.#try(body, answer, time, call.signal)
          return
        } catch (thrown) {
          call.signal.throwIfAborted()
          // An option that this server does not know is left out from now on: that is no failure.
          if (this.#learned(thrown, body)) tried--
          else await this.#pause(time.late ?? thrown, tried, live && answer.chars > 0, call)
        } finally {
          time.end()
        }
      }
    } finally {
      call.end()
    }
  }

  async *#try(body: Body, answer: Answer, time: TryTime, over: AbortSignal): AsyncGenerator<CompletionChunk> {
    const { price, answer_bytes_max } = this.#config
    const provider = this.#kernel.api
    try {
      for await (const chunk of chunksOf(this.#client, body, time, answer_bytes_max)) {
        const text = answer.take(chunk)
        if (text !== '') yield { type: 'text', text }
        if (answer.whole) break
        if (answer.ended) time.ending()
      }
    } catch (thrown) {
      // What goes wrong after the end of an answer no longer spoils it.
      if (!answer.ended) throw thrown
    }
    // The client's stream ends in silence when it is aborted or cut off.
    over.throwIfAborted()
    if (!answer.ended) throw new Error(`its answer broke off after ${answer.chars} characters`)
    const completion = answer.completion(price)
    if (completion.text.trim() === '') {
      if (!answer.filtered) throw coded('provider_empty', { provider })
      throw coded('provider_failed', { provider, reason: 'its content filter kept the answer back' })
    }
    yield { type: 'end', completion }
  }

  /** Waits until the next try is due; throws when there is none. `thrown` may be the words of a try that was too slow. */
  async #pause(thrown: unknown, tried: number, shown: boolean, call: CallTime): Promise<void> {
    if (FINAL.has(codeOf(thrown) ?? '')) throw thrown
    const failure: Failure =
      typeof thrown === 'string' ? { reason: thrown, passing: true } : failureOf(thrown, this.#kernel.clock.now())
    const pause = shown ? undefined : pauseBefore(failure, tried, this.#config, call.leftMs, spread())
    const reason = redact(failure.reason, this.#key)
    if (pause === undefined) {
      throw coded('provider_failed', {
        provider: this.#kernel.api,
        reason: tried > 1 ? `${reason} (try ${tried})` : reason,
      })
    }
    this.#kernel.log.info(`try ${tried} failed, the next one begins in ${Math.round(pause)} ms: ${reason}`)
    await this.#kernel.sleep(pause, call.signal).catch((stopped: unknown) => {
      call.signal.throwIfAborted()
      throw stopped
    })
  }

  #learned(thrown: unknown, sent: Body): boolean {
    if (!(thrown instanceof APIError)) return false
    const option = refusedOption(thrown.status, thrown.message, sent)
    if (option === undefined || this.#unknown.has(option)) return false
    this.#unknown.add(option)
    return true
  }

  #callTime(caller: AbortSignal | undefined): CallTime {
    const { timeout_seconds, connect_seconds, idle_seconds } = this.#config
    const times = { total_ms: timeout_seconds * 1000, connect_ms: connect_seconds * 1000, idle_ms: idle_seconds * 1000 }
    const late = (): Error =>
      coded('provider_failed', { provider: this.#kernel.api, reason: `no whole answer within ${timeout_seconds} s` })
    return new CallTime(times, caller, () => this.#kernel.clock.monotonic(), late)
  }
}
