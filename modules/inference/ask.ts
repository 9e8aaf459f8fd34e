/**
 * The service `ask`: a tool with which one model asks another ("an AI needs to talk to other AIs"). The one asked gets
 * a question and no tools, and its answer is data. What could go round in circles is an agent behind an inference
 * service that asks on: the chain of open questions is counted from service to service, and so are asks and money.
 */
import { z } from 'zod'
import type { KernelServiceApi } from '../contracts/kernel.ts'
import type { Handle, KernelApi } from '../contracts/module.ts'
import type { Completion, InferenceApi, ProviderInfo, Usage } from '../contracts/services.ts'
import { coded, reasonOf } from '../lib/errors.ts'
import { tool } from '../lib/tool.ts'

export const configSchema = z.object({
  /** who may be asked; default: every inference service */
  providers: z.array(z.string()).optional(),
  /** 1: who is asked may not ask on */
  depth_max: z.number().int().positive().max(10).default(2),
  asks_per_hour_max: z.number().int().positive().default(100),
  /** counts what providers with prices have cost; without prices only asks are counted */
  cost_usd_per_hour_max: z.number().positive().default(1),
  open_max: z.number().int().positive().default(8),
  question_chars_max: z.number().int().positive().default(50_000),
  output_tokens_max: z.number().int().positive().default(2_000),
  timeout_seconds: z.number().positive().default(120),
  /** what a model is told that was given no `system` */
  system: z.string().default('Another language model asks you. Answer the question itself, briefly and truthfully.'),
})

type Config = z.infer<typeof configSchema>

export interface Ask {
  caller: string
  provider: string
}

/** Outlives versions: limits hold over reloads. */
interface Asked {
  open: Set<Ask>
  /** the last hour, oldest first */
  past: { at: number; cost_usd: number }[]
}

interface Reply {
  provider: string
  model: string
  answer: string
  /** the answer was longer than it may be */
  cut: boolean
  usage: Usage | null
}

const HOUR_MS = 3_600_000
const DESCRIBE_MS = 2_000
/** The tool is told to end a little later than the question, which knows better why. */
const GRACE_MS = 2_000

/** How many open asks lead, one to the next, to an ask by this caller. Pure. */
export function depthOf(caller: string, open: Iterable<Ask>, seen: ReadonlySet<Ask> = new Set()): number {
  let depth = 0
  for (const ask of open) {
    if (ask.provider !== caller || seen.has(ask)) continue
    depth = Math.max(depth, 1 + depthOf(ask.caller, open, new Set([...seen, ask])))
  }
  return depth
}

export class Module {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #system: Handle<KernelServiceApi>
  #asked: Asked = { open: new Set(), past: [] }

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#system = kernel.getApi<KernelServiceApi>('kernel')
  }

  async init(): Promise<void> {
    this.#asked = await this.#kernel.hold(
      'asked',
      (): Asked => ({ open: new Set(), past: [] }),
      () => undefined,
    )
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    return {
      model: tool({
        description: 'Ask another language model. It sees the question only, has no tools, and answers once.',
        deadline_ms: Math.ceil(this.#config.timeout_seconds * 1000) + GRACE_MS,
        params: z.object({
          provider: z.string().describe('the inference service to ask; ask_providers lists them'),
          question: z.string().min(1),
          system: z.string().optional().describe('how it should answer'),
        }),
        read_only: true,
        run: (params, { caller, signal }) => this.#ask(params, caller, signal),
      }),
      providers: tool({
        description: 'The inference services that can be asked, with their models.',
        read_only: true,
        params: z.object({}),
        run: () => this.#providers(),
      }),
    }
  }

  async #ask(
    { provider, question, system }: { provider: string; question: string; system?: string | undefined },
    caller: string,
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    const names = await this.#names()
    if (!names.includes(provider))
      throw coded('bad_arguments', { reason: `\`${provider}\` is no model to ask; there are: ${names.join(', ')}` })
    if (question.length > this.#config.question_chars_max)
      throw coded('bad_arguments', { reason: `a question has at most ${this.#config.question_chars_max} characters` })
    this.#checkLimits(caller, provider)
    const ask: Ask = { caller, provider }
    const entry = { at: this.#kernel.clock.monotonic(), cost_usd: 0 }
    this.#asked.open.add(ask)
    this.#asked.past.push(entry)
    try {
      const { text, model, finish, usage } = await this.#complete(provider, question, system, signal)
      entry.cost_usd = usage?.cost_usd ?? 0
      return { provider, model, answer: text, cut: finish === 'length', usage }
    } finally {
      this.#asked.open.delete(ask)
    }
  }

  async #complete(
    provider: string,
    question: string,
    system: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Completion> {
    const { timeout_seconds: seconds, output_tokens_max } = this.#config
    const late = new AbortController()
    const timer = setTimeout(
      () => late.abort(coded('provider_failed', { provider, reason: `no answer within ${seconds} s` })),
      seconds * 1000,
    )
    try {
      return await this.#kernel.getApi<InferenceApi>(provider).complete({
        messages: [
          { role: 'system', content: system ?? this.#config.system },
          { role: 'user', content: question },
        ],
        signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
        output_tokens_max,
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Throws `ask_limit`. */
  #checkLimits(caller: string, provider: string): void {
    const { depth_max, open_max, asks_per_hour_max, cost_usd_per_hour_max } = this.#config
    const { open, past } = this.#asked
    const since = this.#kernel.clock.monotonic() - HOUR_MS
    while ((past[0]?.at ?? since) < since) past.shift()
    const cost = past.reduce((sum, { cost_usd }) => sum + cost_usd, 0)
    const refuse = (reason: string): Error => coded('ask_limit', { provider, reason })
    if (depthOf(caller, open) >= depth_max) throw refuse(`${depth_max} models have asked each other already`)
    if (open.size >= open_max) throw refuse(`${open_max} questions are open at once`)
    if (past.length >= asks_per_hour_max) throw refuse(`${asks_per_hour_max} questions were asked within an hour`)
    if (cost >= cost_usd_per_hour_max) throw refuse(`questions have cost ${cost.toFixed(4)} US$ within an hour`)
  }

  /** Every live service that does what an inference service does. */
  async #names(): Promise<string[]> {
    const services = await this.#system.services()
    const live = services.filter(
      ({ api, state }) => state === 'live' && this.#config.providers?.includes(api) !== false,
    )
    const details = await Promise.all(live.map(({ api }) => this.#system.show(api)))
    return details
      .filter(({ methods }) =>
        ['describe', 'complete', 'stream'].every((name) => methods.some((one) => one.name === name)),
      )
      .map(({ api }) => api)
      .sort()
  }

  async #providers(): Promise<({ provider: string } & ProviderInfo)[]> {
    const describe = async (provider: string): Promise<{ provider: string } & ProviderInfo> => {
      try {
        const handle = this.#kernel.getApi<InferenceApi>(provider).with({ deadlineMs: DESCRIBE_MS })
        const { model, ready, note } = await handle.describe()
        return { provider, model, ready, note }
      } catch (error) {
        return { provider, model: '', ready: false, note: reasonOf(error) }
      }
    }
    return Promise.all((await this.#names()).map(describe))
  }
}
