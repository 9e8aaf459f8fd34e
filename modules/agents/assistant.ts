/**
 * The chat agent. Gives an inference service the prompt with the live tools, reads tool fences out of its answer with
 * the Bracket Protocol, runs them, and hands the results back until there is an answer. Only the model's own text is
 * ever executed: a fence inside a result or a user's message stays text.
 */
import { z } from 'zod'
import { fence, isQuoted, printResult, printScanError, scan, type Part } from '../bracket/index.ts'
import type { Handle, KernelApi } from '../contracts/module.ts'
import type {
  AssistantApi,
  ChatAnswer,
  ChatEvent,
  ChatMessage,
  ChatRequest,
  ChatStep,
  InferenceApi,
  ToolsApi,
  Usage,
} from '../contracts/services.ts'
import { coded, reasonOf } from '../lib/errors.ts'

export const configSchema = z.object({
  /** `auto`, or the name of one inference service */
  provider: z.string().default('auto'),
  /** tried in this order when `auto` */
  providers: z.array(z.string()).min(1).default(['openai', 'offline']),
  prompt_file: z.string().default('prompts/meta.txt'),
  steps_max: z.number().int().positive().max(100).default(8),
  conversations_max: z.number().int().positive().default(200),
  messages_max: z.number().int().positive().default(200),
  message_chars_max: z.number().int().positive().default(100_000),
})

type Config = z.infer<typeof configSchema>
type Conversations = Map<string, ChatMessage[]>

interface Turn {
  provider: string
  model: string
  prompt: { text: string; hash: string }
  steps: ChatStep[]
  usage: Usage | null
}

export class Module implements AssistantApi {
  readonly #kernel: KernelApi
  readonly #config: Config
  readonly #tools: Handle<ToolsApi>
  #conversations: Conversations = new Map()

  constructor(kernel: KernelApi, config: Config) {
    this.#kernel = kernel
    this.#config = config
    this.#tools = kernel.getApi<ToolsApi>('tools')
  }

  async init(): Promise<void> {
    this.#conversations = await this.#kernel.hold(
      'conversations',
      () => new Map() as Conversations,
      () => undefined,
    )
  }

  async chat(request: ChatRequest): Promise<ChatAnswer> {
    for await (const event of this.chatStream(request)) if (event.type === 'answer') return event.answer
    throw coded('provider_empty', { provider: this.#config.provider })
  }

  async *chatStream(request: ChatRequest): AsyncGenerator<ChatEvent> {
    const { message, id, history } = this.#open(request)
    const provider = request.provider ?? (await this.#chooseProvider())
    const turn: Turn = {
      provider,
      model: '',
      prompt: this.#kernel.prompt(this.#config.prompt_file),
      steps: [],
      usage: null,
    }
    const added: ChatMessage[] = [{ role: 'user', content: message }]
    for (let step = 0; step < this.#config.steps_max; step++) {
      const { text, finish } = await this.#complete(turn, [...history, ...added])
      added.push({ role: 'assistant', content: text })
      const seen = [...history, ...added].flatMap(({ role, content }) => (role === 'user' ? [content] : []))
      const parts = scan(text, { repair: true }).filter((part) => part.kind !== 'call' || !isQuoted(part, seen))
      if (finish === 'length' || !parts.some((part) => part.kind === 'call' || part.kind === 'error')) {
        this.#remember(id, added)
        yield { type: 'text', text }
        yield { type: 'answer', answer: this.#answer(id, text, turn) }
        return
      }
      const results: string[] = []
      for (const part of parts) {
        if (part.kind === 'text' && part.text.trim() !== '') yield { type: 'text', text: part.text }
        if (part.kind === 'call') yield { type: 'call', text: fence('tool', part.source), tool: part.name }
        const result = await this.#perform(part, turn)
        if (result === undefined) continue
        results.push(result)
        const last = turn.steps.at(-1)
        yield { type: 'result', text: result, tool: last?.tool ?? 'unknown', status: last?.status ?? 'error' }
      }
      added.push({ role: 'user', content: results.join('\n') })
    }
    throw coded('chat_steps', { limit: this.#config.steps_max })
  }

  #open({ message, conversation_id: asked }: ChatRequest): { message: string; id: string; history: ChatMessage[] } {
    if (typeof message !== 'string' || message.trim() === '')
      throw coded('bad_arguments', { reason: '`message` must be text' })
    if (message.length > this.#config.message_chars_max) {
      throw coded('bad_arguments', { reason: `\`message\` has more than ${this.#config.message_chars_max} characters` })
    }
    const id = typeof asked === 'string' && asked !== '' ? asked : crypto.randomUUID()
    return { message, id, history: this.#conversations.get(id) ?? [] }
  }

  /** The prompt goes first and is not part of the history: an edited prompt holds from the next turn on. */
  async #complete(turn: Turn, messages: ChatMessage[]): Promise<{ text: string; finish: 'stop' | 'length' }> {
    const { tools } = await this.#tools.list()
    const listed = tools.map((tool) => `- ${tool.signature}: ${tool.description}`).join('\n')
    const system: ChatMessage = { role: 'system', content: turn.prompt.text.replaceAll('{{tools}}', () => listed) }
    const inference = this.#kernel.getApi<InferenceApi>(turn.provider)
    const { text, model, finish, usage } = await inference.complete({ messages: [system, ...messages] })
    turn.model = model
    if (usage !== null) turn.usage = turn.usage === null ? usage : sum(turn.usage, usage)
    return { text, finish }
  }

  async #perform(part: Part, turn: Turn): Promise<string | undefined> {
    if (part.kind === 'error') {
      turn.steps.push({ tool: 'unknown', params: {}, status: 'error', ms: 0 })
      return fence('result', printScanError(part.error))
    }
    if (part.kind !== 'call') return undefined
    const repairs = part.warnings?.map(({ code }) => code)
    if (repairs !== undefined)
      this.#kernel.events.emit('call.repaired', { model: turn.model, tool: part.name, repairs })
    const started = this.#kernel.clock.monotonic()
    const result = await this.#tools.invoke(part.name, part.params, { caller: this.#kernel.api })
    const ms = Math.round(this.#kernel.clock.monotonic() - started)
    turn.steps.push({ tool: part.name, params: part.params, status: result.status, ms })
    return fence('result', printResult(result))
  }

  async #chooseProvider(): Promise<string> {
    if (this.#config.provider !== 'auto') return this.#config.provider
    const reasons: string[] = []
    for (const name of this.#config.providers) {
      try {
        const { ready, note } = await this.#kernel.getApi<InferenceApi>(name).with({ deadlineMs: 5_000 }).describe()
        if (ready) return name
        reasons.push(`${name}: ${note}`)
      } catch (error) {
        reasons.push(`${name}: ${reasonOf(error)}`)
      }
    }
    throw coded('no_provider', { reason: reasons.join('; ') })
  }

  #remember(id: string, added: ChatMessage[]): void {
    // What is there now, not what was there when the turn began: two turns at once are both kept.
    const history = this.#conversations.get(id) ?? []
    this.#conversations.delete(id)
    this.#conversations.set(id, [...history, ...added].slice(-this.#config.messages_max))
    while (this.#conversations.size > this.#config.conversations_max) {
      this.#conversations.delete(this.#conversations.keys().next().value ?? '')
    }
  }

  #answer(id: string, text: string, turn: Turn): ChatAnswer {
    return {
      conversation_id: id,
      answer: text.trim(),
      provider: turn.provider,
      model: turn.model,
      steps: turn.steps,
      prompt_hash: turn.prompt.hash,
      usage: turn.usage,
    }
  }
}

/** An unknown price makes the sum unknown. */
const sum = (a: Usage, b: Usage): Usage => ({
  input_tokens: a.input_tokens + b.input_tokens,
  output_tokens: a.output_tokens + b.output_tokens,
  cached_tokens: a.cached_tokens + b.cached_tokens,
  cost_usd: a.cost_usd === null || b.cost_usd === null ? null : a.cost_usd + b.cost_usd,
})
