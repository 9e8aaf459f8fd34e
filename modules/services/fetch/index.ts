/**
 * The service `fetch`: HTTP for modules that have no network of their own. Who may be asked is a list in the config; size,
 * time and redirects have limits; loopback, private and link-local addresses are refused unless they are listed too.
 * Answers are plain data. What a module may ask of these hosts is narrowed further by its grants (`fetch.get:api.example.com`).
 */
import { lookup } from 'node:dns/promises'
import { BlockList } from 'node:net'
import { z } from 'zod'
import type { KernelApi } from '../../contracts/module.ts'
import type { FetchAnswer, FetchApi, FetchOptions } from '../../contracts/services.ts'
import { codeOf, coded } from '../../lib/errors.ts'
import { tool } from '../../lib/tool.ts'
import { addRange, listOf, type Address } from './addresses.ts'
import { exchange, type Answer, type ExchangeRules } from './exchange.ts'
import { checkedUrl } from './hosts.ts'
import { outgoingOf } from './outgoing.ts'

const range = z.string().refine((text) => addRange(new BlockList(), text), 'an address or a range, as 10.1.0.0/16')

export const configSchema = z.object({
  /** who may be asked: `api.example.com`, `*.example.com`, `host:8080`, `*` */
  hosts: z.array(z.string().min(1)).default([]),
  /** addresses that are not public and may be connected to: `127.0.0.1`, `10.1.0.0/16` */
  private: z.array(range).default([]),
  answer_bytes_max: z.number().int().positive().default(5_242_880),
  body_bytes_max: z.number().int().positive().default(1_048_576),
  /** from asking to the end of the answer; a call may ask for less */
  timeout_ms: z.number().int().positive().default(30_000),
  redirects_max: z.number().int().nonnegative().default(5),
  redirect_hosts: z.enum(['same', 'listed']).default('same'),
  open_max: z.number().int().positive().default(64),
  /** whether models get it as a tool */
  tool: z.boolean().default(false),
})

type Config = z.infer<typeof configSchema>

interface Open {
  answer: Answer
  /** what a failure while it is read is told as */
  failure(error: unknown): unknown
  end(): void
}

export class Module implements FetchApi {
  readonly #config: Config
  readonly #rules: ExchangeRules
  readonly #ended = new AbortController()
  #open = 0

  constructor(kernel: KernelApi, config: Config) {
    this.#config = config
    this.#rules = {
      hosts: config.hosts,
      allowed: listOf(config.private),
      resolve: async (host) => (await lookup(host, { all: true, verbatim: true })) as Address[],
      redirects_max: config.redirects_max,
      redirect_hosts: config.redirect_hosts,
    }
    kernel.own(() => this.#ended.abort(coded('stopped')), 'requests under way')
  }

  get(url: string, options: Omit<FetchOptions, 'method' | 'body'> = {}): Promise<FetchAnswer> {
    return this.request(url, { ...options, method: 'GET', body: undefined })
  }

  async request(url: string, options: FetchOptions = {}): Promise<FetchAnswer> {
    const open = await this.#begin(url, options)
    try {
      const parts: Uint8Array[] = []
      for await (const part of this.#parts(open.answer)) parts.push(part)
      return plainAnswer(open.answer, Buffer.concat(parts), options.as ?? 'text')
    } catch (error) {
      throw open.failure(error)
    } finally {
      open.end()
    }
  }

  async *stream(url: string, options: FetchOptions = {}): AsyncGenerator<Uint8Array> {
    const open = await this.#begin(url, options)
    try {
      const { statusCode = 0 } = open.answer.response
      if (statusCode >= 400)
        throw coded('fetch_failed', { host: open.answer.url.host, reason: `it answered ${statusCode}` })
      yield* this.#parts(open.answer)
    } catch (error) {
      throw open.failure(error)
    } finally {
      open.end()
    }
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool' || !this.#config.tool) return undefined
    return {
      get: tool({
        description: 'Fetch a URL from one of the allowed hosts and return status, headers and text.',
        params: z.object({ url: z.string().describe('absolute, http or https') }),
        read_only: true,
        run: ({ url }, { signal }) => this.get(url, signal === undefined ? {} : { signal }),
      }),
    }
  }

  /** The request, up to the head of its answer. Whoever gets it ends it: the connection is gone then. */
  async #begin(given: string, options: FetchOptions): Promise<Open> {
    const url = checkedUrl(given, this.#config.hosts)
    const outgoing = outgoingOf(options, this.#config.body_bytes_max)
    const { open_max, timeout_ms } = this.#config
    if (this.#open >= open_max) throw coded('fetch_busy', { limit: open_max })
    const ms = Math.min(timeout_ms, Math.max(1, Math.trunc(Number(options.timeout_ms ?? timeout_ms)) || timeout_ms))
    const late = AbortSignal.timeout(ms)
    const given_up = options.signal === undefined ? [] : [options.signal]
    const signal = AbortSignal.any([late, this.#ended.signal, ...given_up])
    const failure = (error: unknown): unknown => {
      if (late.aborted) return coded('fetch_timeout', { host: url.host, ms })
      if (signal.aborted) return signal.reason
      return codeOf(error)?.startsWith('fetch_') === true
        ? error
        : coded('fetch_failed', { host: url.host, reason: 'the connection broke' })
    }
    this.#open++
    try {
      const answer = await exchange(url, outgoing, this.#rules, signal)
      const end = (): void => {
        this.#open--
        answer.response.destroy()
      }
      return { answer, failure, end }
    } catch (error) {
      this.#open--
      throw failure(error)
    }
  }

  async *#parts({ response, url }: Answer): AsyncGenerator<Uint8Array> {
    const { answer_bytes_max: limit } = this.#config
    const encoding = response.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity')
      throw coded('fetch_failed', { host: url.host, reason: `it answers in \`${encoding}\`, which was not asked for` })
    if (Number(response.headers['content-length']) > limit) throw coded('fetch_too_large', { what: 'answer', limit })
    let bytes = 0
    for await (const part of response as AsyncIterable<Buffer>) {
      bytes += part.length
      if (bytes > limit) throw coded('fetch_too_large', { what: 'answer', limit })
      yield new Uint8Array(part)
    }
  }
}

function plainAnswer({ response, url, redirects }: Answer, bytes: Buffer, as: FetchOptions['as']): FetchAnswer {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join('\n') : value
  const status = response.statusCode ?? 0
  const ok = status >= 200 && status < 300
  const answer = { url: url.href, status, ok, headers, redirects, bytes: bytes.length }
  if (as === 'bytes') return { ...answer, body: new Uint8Array(bytes) }
  const text = decoderOf(headers['content-type']).decode(bytes)
  if (as !== 'json') return { ...answer, body: text }
  try {
    return { ...answer, body: JSON.parse(text) as unknown }
  } catch {
    throw coded('fetch_failed', { host: url.host, reason: `it answered ${status} with what is no JSON` })
  }
}

/** By the charset the answer names; UTF-8 when it names none, or one nobody knows. */
function decoderOf(type: string | undefined): InstanceType<typeof TextDecoder> {
  const name = /charset="?([\w-]+)/i.exec(type ?? '')?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(name)
  } catch {
    return new TextDecoder()
  }
}
