/**
 * The service `tools`: every tool of every live service under one folded name, and the one way to call them. The
 * catalogue follows each switch; what a call comes to is decided in `tool-calls.ts`. What must outlive a version of this
 * service (results by id, the rest of large results) is held by the service.
 */
import { z } from 'zod'
import type { KernelApi } from '../../contracts/module.ts'
import type { InvokeOptions, ToolPrompt, ToolRequest, ToolsApi } from '../../contracts/services.ts'
import type { ToolInfo, ToolResult } from '../../contracts/tool.ts'
import { coded, toErrorData } from '../../lib/errors.ts'
import { inBatches } from './batch.ts'
import { Catalogue } from './catalogue.ts'
import { Hooks } from './hooks.ts'
import { ownTools } from './own-tools.ts'
import { promptSection } from './prompt-section.ts'
import { Results, type KeptResults } from './results.ts'
import { emptyBook, Retries } from '../../lib/retries.ts'
import { toDraft2020 } from './schema-draft.ts'
import { callTool, type CallParts } from './tool-calls.ts'

const count = (value: number): z.ZodDefault<z.ZodNumber> => z.number().int().positive().default(value)

export const configSchema = z.object({
  /** of a call whose tool and caller name no other */
  deadline_ms: count(30_000),
  /** services that are asked before each call and told after it, in this order */
  hooks: z.array(z.string().min(1)).max(20).default([]),
  hook_ms: count(5_000),
  /** calls under way at once; one more is refused */
  calls_max: count(1_000),
  /** read-only calls of one batch that run side by side */
  parallel_max: count(8),
  batch_calls_max: count(100),
  /** a larger result goes out in parts */
  result_bytes_max: count(65_536),
  kept_results_max: count(64),
  kept_bytes_max: count(16_777_216),
  kept_ms: count(600_000),
  /** results that are kept for another call with the same id */
  retries_max: count(1_000),
  retry_bytes_max: count(16_777_216),
  retry_ms: count(600_000),
  prompt_chars_max: count(24_000),
})

type Config = z.infer<typeof configSchema>

const UPKEEP_MS = 30_000
const PROMPTS_KEPT = 20

export class Module implements ToolsApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #catalogue: Catalogue
  readonly #hooks: Hooks
  readonly #now: () => number
  #results: Results
  #retries: Retries<ToolResult>
  #underWay = 0

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#now = () => kernel.clock.monotonic()
    this.#catalogue = new Catalogue(kernel)
    this.#hooks = new Hooks(kernel, config.hooks, config.hook_ms)
    this.#results = new Results(new Map(), config, this.#now)
    this.#retries = new Retries(emptyBook(), config, this.#now)
    for (const pattern of ['service.live', 'service.stopped']) {
      kernel.events.on(pattern, () => {
        this.#catalogue.forget()
        this.#hooks.forget()
      })
    }
  }

  async init(): Promise<void> {
    const kernel = this.#kernel
    const kept = await kernel.hold('results in parts, 1', (): KeptResults => new Map(), nothing)
    const book = await kernel.hold('results by id, 1', () => emptyBook<ToolResult>(), nothing)
    this.#results = new Results(kept, this.#config, this.#now)
    this.#retries = new Retries(book, this.#config, this.#now)
    const upkeep = (): void => {
      this.#results.forgetOld()
      this.#retries.forgetOld()
    }
    kernel.every(UPKEEP_MS, upkeep, 'forgetting old results')
  }

  getAspect(name: string): object | undefined {
    if (name !== 'tool') return undefined
    return ownTools(
      () => this.#results,
      () => this.#catalogue.read(),
    )
  }

  async list(): Promise<{ tools: ToolInfo[]; conflicts: string[] }> {
    const { tools, conflicts } = await this.#catalogue.read()
    return { tools: [...tools], conflicts: [...conflicts] }
  }

  async describe(name: string, { draft = '7' }: { draft?: '7' | '2020-12' } = {}): Promise<ToolInfo> {
    if (draft !== '7' && draft !== '2020-12') throw coded('bad_arguments', { reason: '`draft` is `7` or `2020-12`' })
    const info = await this.#catalogue.find(name)
    return draft === '7' ? info : { ...info, schema: toDraft2020(info.schema) }
  }

  async prompt({ chars_max = this.#config.prompt_chars_max }: { chars_max?: number } = {}): Promise<ToolPrompt> {
    const { tools, services, prompts } = await this.#catalogue.read()
    const known = prompts.get(chars_max)
    if (known !== undefined) return known
    const prompt = promptSection(tools, services, chars_max, this.#kernel.api)
    if (prompts.size >= PROMPTS_KEPT) prompts.clear()
    prompts.set(chars_max, prompt)
    return prompt
  }

  async invoke(name: string, params: Record<string, unknown>, options: InvokeOptions = {}): Promise<ToolResult> {
    const { id, signal } = options
    try {
      if (this.#underWay >= this.#config.calls_max)
        throw coded('queue_full', { api: this.#kernel.api, limit: this.#config.calls_max })
      this.#underWay++
      const call = (): ReturnType<typeof callTool> => callTool(this.#parts(), name, params, options)
      try {
        if (id === undefined) return (await call()).result
        const caller = options.caller ?? this.#kernel.api
        return await unlessAborted(this.#retries.once(caller, id, { name, params }, call), name, signal)
      } finally {
        this.#underWay--
      }
    } catch (thrown) {
      const { code, message, hint } = toErrorData(thrown)
      return { name: String(name), status: 'error', error: { code, message, hint } }
    }
  }

  async invokeAll(calls: ToolRequest[], options: Omit<InvokeOptions, 'id'> = {}): Promise<ToolResult[]> {
    const { batch_calls_max: limit, parallel_max: parallel } = this.#config
    if (!Array.isArray(calls) || calls.length > limit)
      throw coded('bad_arguments', { reason: `a batch is a list of ${limit} calls at most` })
    const { byName } = await this.#catalogue.read()
    return inBatches(
      calls,
      ({ name }) => byName.get(name)?.read_only === true,
      parallel,
      ({ name, params, id }) => this.invoke(name, params, { ...options, ...(id === undefined ? {} : { id }) }),
    )
  }

  #parts(): CallParts {
    return {
      kernel: this.#kernel,
      catalogue: this.#catalogue,
      hooks: this.#hooks,
      results: this.#results,
      deadlineMs: this.#config.deadline_ms,
    }
  }
}

const nothing = (): void => undefined

/** Who gives up on a call that another one made is not kept waiting for it. */
async function unlessAborted(
  result: Promise<ToolResult>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<ToolResult> {
  if (signal === undefined) return result
  let stop = nothing
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(coded('call_aborted', { api: 'tools', method: name }))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([result, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
