/**
 * Inference through any OpenAI-compatible provider: one config, one service, as in the paper's Listing 10. Without a
 * key the service is live and says that it is not ready, so that a key set later only needs a reload. Answers are
 * always streamed from the provider; `complete` is the stream read to its end.
 */
import type OpenAI from 'openai'
import type { KernelApi } from '../../contracts/module.ts'
import type {
  Completion,
  CompletionChunk,
  CompletionRequest,
  EmbeddingApi,
  InferenceApi,
  ProviderInfo,
} from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import { Answer } from './answer.ts'
import type { CallTime, TryTime } from './call-time.ts'
import { configSchema, type Config } from './config.ts'
import { batchesOf, checkTexts, embedBatch } from './embed.ts'
import { isAnswer } from './failure.ts'
import { readKey } from './key.ts'
import { bodyOf, checkRequest, completed, refusedOption, type Body, type Unknown } from './request.ts'
import { serversOf, type Server, type Servers } from './server.ts'
import { chunksOf } from './stream.ts'
import { Tries } from './tries.ts'

export { configSchema }

export class Module implements InferenceApi, EmbeddingApi {
  /** as long as an answer may take by default */
  static readonly drain_ms = 300_000
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #servers: Servers
  readonly #tries: Tries
  readonly #unknown = new Set<Unknown>()

  constructor(kernel: KernelApi, config: Config) {
    const key = readKey(config)
    this.#kernel = kernel
    this.#config = config
    this.#servers = serversOf(config, key, kernel)
    this.#tries = new Tries(kernel, config, key)
  }

  async describe(): Promise<ProviderInfo> {
    const { model = '', tool_use, prompt_file } = this.#config
    const found = await this.#servers.find()
    const more = { tool_use, ...(prompt_file === undefined ? {} : { prompt_file }) }
    if ('missing' in found) return { model, ready: false, note: found.missing, ...more }
    return { model: found.model, ready: true, note: found.url, ...more }
  }

  async complete(request: CompletionRequest): Promise<Completion> {
    for await (const chunk of this.#run(request, false)) if (chunk.type === 'end') return chunk.completion
    throw coded('provider_empty', { provider: this.#kernel.api })
  }

  async *stream(request: CompletionRequest): AsyncGenerator<CompletionChunk> {
    yield* this.#run(request, true)
  }

  async embed(texts: string[]): Promise<{ vectors: number[][]; model: string }> {
    checkTexts(texts)
    const call = this.#tries.begin(undefined)
    const vectors: number[][] = []
    let model = this.#config.embedding_model ?? this.#config.model ?? ''
    try {
      for (const batch of batchesOf(texts)) {
        const made = await this.#embed(batch, call)
        model = made.model
        for (const vector of made.vectors) vectors.push(vector)
      }
    } finally {
      call.end()
    }
    const odd = vectors.find(({ length }) => length !== vectors[0]?.length)
    if (odd === undefined) return { vectors, model }
    throw coded('provider_failed', { provider: this.#kernel.api, reason: 'its vectors are not all of one length' })
  }

  async #embed(batch: string[], call: CallTime): Promise<{ vectors: number[][]; model: string }> {
    for (let tried = 1; ; tried++) {
      const time = call.try()
      try {
        return await embedBatch(await this.#server(), batch, time, this.#config)
      } catch (thrown) {
        this.#servers.forget()
        await this.#tries.next(thrown, tried, time, call, false)
      } finally {
        time.end()
      }
    }
  }

  async #server(): Promise<Server> {
    const found = await this.#servers.find()
    if ('missing' in found) throw coded('provider_unready', { provider: this.#kernel.api, reason: found.missing })
    return found
  }

  /** `live`: someone reads along, so that a try that broke off in the midst cannot be made again. */
  async *#run(request: CompletionRequest, live: boolean): AsyncGenerator<CompletionChunk> {
    checkRequest(request)
    const { prompt_file = '' } = this.#config
    const asked = completed(this.#config, request, () => this.#kernel.prompt(prompt_file).text)
    const call = this.#tries.begin(request.signal)
    try {
      for (let tried = 1; ; tried++) {
        call.signal.throwIfAborted()
        const time = call.try()
        let answer: Answer | undefined
        let body: Body | undefined
        try {
          const { client, model } = await this.#server()
          answer = new Answer(model, request.mark)
          body = bodyOf(this.#config, asked, model, this.#unknown)
          yield* this.#try(await client(), body, answer, time, call.signal)
          return
        } catch (thrown) {
          // An option that this server does not know is left out from now on: that is no failure.
          if (body !== undefined && this.#learned(thrown, body)) tried--
          else {
            this.#servers.forget()
            await this.#tries.next(thrown, tried, time, call, live && (answer?.chars ?? 0) > 0)
          }
        } finally {
          time.end()
        }
      }
    } finally {
      call.end()
    }
  }

  async *#try(
    client: OpenAI,
    body: Body,
    answer: Answer,
    time: TryTime,
    over: AbortSignal,
  ): AsyncGenerator<CompletionChunk> {
    const { price, answer_bytes_max } = this.#config
    const provider = this.#kernel.api
    try {
      for await (const chunk of chunksOf(client, body, time, answer_bytes_max)) {
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
    const calls = answer.takeCalls()
    if (calls !== '') yield { type: 'text', text: calls }
    const completion = answer.completion(price)
    if (completion.text.trim() === '') {
      if (!answer.filtered) throw coded('provider_empty', { provider })
      throw coded('provider_failed', { provider, reason: 'its content filter kept the answer back' })
    }
    const { model, finish, usage } = completion
    this.#kernel.events.emit('model.called', { model, finish, usage })
    yield { type: 'end', completion }
  }

  #learned(thrown: unknown, sent: Body): boolean {
    if (!isAnswer(thrown)) return false
    const option = refusedOption(thrown.status, thrown.message, sent)
    if (option === undefined || this.#unknown.has(option)) return false
    this.#unknown.add(option)
    return true
  }
}
