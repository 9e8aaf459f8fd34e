/**
 * Inference through any OpenAI-compatible provider: one config, one service, as in the paper's Listing 10. Without a
 * key the service is live and says that it is not ready, so that a key set later only needs a reload.
 */
import OpenAI from 'openai'
import { z } from 'zod'
import type { KernelApi } from '../contracts/module.ts'
import type {
  Completion,
  CompletionChunk,
  CompletionRequest,
  InferenceApi,
  ProviderInfo,
} from '../contracts/services.ts'
import { coded, reasonOf } from '../lib/errors.ts'

export const configSchema = z.object({
  /** name of the environment variable that holds the key */
  api_key_env: z.string().default('OPENAI_API_KEY'),
  base_url: z.url().default('https://api.openai.com/v1'),
  model: z.string().min(1),
  temperature: z.number().min(0).max(2).optional(),
  tool_use: z.boolean().default(true),
  prompt_file: z.string().optional(),
  timeout_seconds: z.number().positive().default(120),
  retries: z.number().int().min(0).max(10).default(2),
  max_tokens: z.number().int().positive().optional(),
})

type Config = z.infer<typeof configSchema>

export class Module implements InferenceApi {
  readonly #config: Config
  readonly #name: string
  readonly #key: string | undefined
  readonly #client: OpenAI

  constructor(kernel: KernelApi, config: Config) {
    this.#config = config
    this.#name = kernel.api
    this.#key = (process.env[config.api_key_env] || undefined) ?? (isLoopback(config.base_url) ? 'local' : undefined)
    this.#client = new OpenAI({
      apiKey: this.#key ?? 'none',
      baseURL: config.base_url,
      maxRetries: config.retries,
      timeout: config.timeout_seconds * 1000,
    })
  }

  describe(): ProviderInfo {
    const { model, api_key_env: variable } = this.#config
    if (this.#key === undefined) return { model, ready: false, note: `set ${variable} to use it` }
    return { model, ready: true, note: this.#config.base_url }
  }

  async complete({ messages, signal }: CompletionRequest): Promise<Completion> {
    if (this.#key === undefined) throw coded('provider_unready', { provider: this.#name, reason: this.describe().note })
    const { model, temperature, max_tokens } = this.#config
    const request = {
      model,
      messages,
      ...(temperature === undefined ? {} : { temperature }),
      ...(max_tokens === undefined ? {} : { max_tokens }),
    }
    let answer: OpenAI.ChatCompletion
    try {
      answer = await this.#client.chat.completions.create(request, signal === undefined ? {} : { signal })
    } catch (error) {
      throw coded('provider_failed', { provider: this.#name, reason: reasonOf(error) }, {}, error)
    }
    const choice = answer.choices?.[0]
    const text = choice?.message?.content ?? ''
    if (text === '') throw coded('provider_empty', { provider: this.#name })
    return {
      text,
      model: answer.model ?? model,
      finish: choice?.finish_reason === 'length' ? 'length' : 'stop',
      usage:
        answer.usage === undefined
          ? null
          : {
              input_tokens: answer.usage.prompt_tokens,
              output_tokens: answer.usage.completion_tokens,
              cached_tokens: answer.usage.prompt_tokens_details?.cached_tokens ?? 0,
              cost_usd: null,
            },
    }
  }

  async *stream(request: CompletionRequest): AsyncGenerator<CompletionChunk> {
    const completion = await this.complete(request)
    yield { type: 'text', text: completion.text }
    yield { type: 'end', completion }
  }
}

/** A server on this machine usually wants no key. */
const isLoopback = (url: string): boolean => /^https?:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:|\/|$)/.test(url)
