/**
 * Which server is asked: the one the config names, or one found on this machine. Nothing but loopback is ever looked
 * at, and a server found there may not send the request on: redirects are refused.
 */
import type OpenAI from 'openai'
import type { KernelApi } from '../../contracts/module.ts'
import type { Config } from './config.ts'
import { keyVariable } from './key.ts'
import { findLocal } from './local.ts'

export interface Server {
  /** Made when it is first used: a service without a key never loads the package. */
  client: () => Promise<OpenAI>
  url: string
  model: string
  embeddingModel: string
}

/** `forget` after a failure: who answered a moment ago may be gone. */
export interface Servers {
  find(): Promise<Server | { missing: string }>
  forget(): void
}

export function serversOf(config: Config, key: string | undefined, { clock }: Pick<KernelApi, 'clock'>): Servers {
  if (config.local_ports !== undefined) return new LocalServers(config, key, () => clock.monotonic())
  const { base_url: url, model = '', embedding_model: embeddingModel = model } = config
  const server = { client: clientFor(config, url, key), url, model, embeddingModel }
  const found = key === undefined ? { missing: `set ${keyVariable(config) ?? 'a key'} to use it` } : server
  return { find: () => Promise.resolve(found), forget: () => {} }
}

class LocalServers implements Servers {
  readonly #config: Config
  readonly #key: string | undefined
  readonly #now: () => number
  #known: { until: number; answer: Promise<Server | { missing: string }> } | undefined

  constructor(config: Config, key: string | undefined, now: () => number) {
    this.#config = config
    this.#key = key
    this.#now = now
  }

  find(): Promise<Server | { missing: string }> {
    const now = this.#now()
    if (this.#known === undefined || this.#known.until <= now) {
      this.#known = { until: now + this.#config.local_recheck_ms, answer: this.#look() }
    }
    return this.#known.answer
  }

  forget(): void {
    this.#known = undefined
  }

  async #look(): Promise<Server | { missing: string }> {
    const { local_ports: ports = [], local_probe_ms, model, embedding_model } = this.#config
    const found = await findLocal(ports, local_probe_ms, model, this.#key)
    if ('missing' in found) return found
    return {
      client: clientFor(this.#config, found.url, this.#key),
      url: found.url,
      model: model ?? found.chatModel,
      embeddingModel: embedding_model ?? found.embeddingModel,
    }
  }
}

function clientFor(config: Config, url: string, key: string | undefined): () => Promise<OpenAI> {
  let made: Promise<OpenAI> | undefined
  return () => (made ??= makeClient(config, url, key))
}

/** Tries, times and logging are this module's: the client's sleeps cannot be aborted, and its log holds bodies. */
async function makeClient(config: Config, url: string, key: string | undefined): Promise<OpenAI> {
  const { OpenAI: Client } = await import('openai')
  return new Client({
    apiKey: key ?? 'none',
    baseURL: url,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: Math.ceil(config.timeout_seconds * 1000),
    logLevel: 'off',
    ...(config.local_ports === undefined ? {} : { fetchOptions: { redirect: 'error' } }),
  })
}
