/**
 * The chat agent: a conversation in, an answer out, tools in between. This file is the service; `turn.ts` is what it
 * does. A reload never cuts a turn: it ends on the version it began with, and the next one in line is the new one's.
 */
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type {
  AssistantApi,
  ChatAnswer,
  ChatEvent,
  ChatMessage,
  ChatRequest,
  ConversationInfo,
  ParkedTurn,
  PastEvent,
  ProviderChoice,
  ToolsApi,
} from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import { Approvals, type Decision } from './approvals.ts'
import type { Config } from './config.ts'
import { EventQueue } from './event-queue.ts'
import { inLine, newLines, type Lines } from './lines.ts'
import { mend, resultsOf } from './mend.ts'
import { toChat } from './messages.ts'
import { pastOf } from './past.ts'
import { planTurn, providersOf } from './provider.ts'
import { Store } from './store.ts'
import { Turn, type Means, type Watch } from './turn.ts'
import { untilAborted } from './until-aborted.ts'

export { configSchema } from './config.ts'

const NAME_CHARS_MAX = 200

export class Module implements AssistantApi {
  static readonly needs = ['database']
  readonly #means: Means
  #lines: Lines = newLines()
  /** the turns of this version, which end with it at the latest */
  readonly #turns = new Map<Promise<unknown>, (reason: Error) => void>()

  constructor(kernel: KernelApi, config: Config) {
    const tools: Handle<ToolsApi> = kernel.getApi<ToolsApi>('tools')
    this.#means = { kernel, config, tools, store: new Store(kernel, config), approvals: new Approvals(kernel) }
  }

  async init(): Promise<void> {
    const { kernel, store } = this.#means
    await store.migrate()
    this.#lines = await kernel.hold('lines', newLines, () => undefined)
  }

  chat(request: ChatRequest): Promise<ChatAnswer> {
    return this.#chat(request, { signal: request.signal ?? new AbortController().signal, emit: () => {} })
  }

  /** Whoever stops reading cancels the turn. */
  async *chatStream(request: ChatRequest): AsyncGenerator<ChatEvent> {
    const queue = new EventQueue<ChatEvent>()
    const left = new AbortController()
    const signal = request.signal === undefined ? left.signal : AbortSignal.any([request.signal, left.signal])
    const turn = this.#chat(request, { signal, emit: (event) => queue.push(event) }).then(
      (answer) => {
        queue.push({ type: 'answer', answer })
        queue.end()
      },
      (thrown: unknown) => queue.fail(thrown),
    )
    try {
      yield* queue.read()
    } finally {
      left.abort()
      await turn
    }
  }

  async #chat(request: ChatRequest, watch: Watch): Promise<ChatAnswer> {
    const { kernel, config, store, approvals } = this.#means
    const { message, id } = check(request, config)
    return this.#inTurn(id, watch, async (own) => {
      const conversation = await store.load(id)
      await mend(conversation, store, approvals)
      const plan = await untilAborted(planTurn(kernel, config, request.provider), own.signal)
      return new Turn(this.#means, conversation, plan, own, request.trace).begin(message)
    })
  }

  cancel(conversationId: string): Promise<boolean> {
    const running = this.#lines.running.get(conversationId)
    running?.(coded('chat_cancelled'))
    return running === undefined ? this.#cancelParked(conversationId) : Promise.resolve(true)
  }

  async #cancelParked(conversationId: string): Promise<boolean> {
    const { store, approvals } = this.#means
    const parked = (await approvals.list()).find(({ conversation_id }) => conversation_id === conversationId)
    if (parked === undefined) return false
    await approvals.decide(parked.approval_id, { approved: false, by: 'cancel', note: 'the turn was cancelled' })
    const never = { signal: new AbortController().signal, emit: () => {} }
    await this.#inTurn(conversationId, never, async () => mend(await store.load(conversationId), store, approvals))
    return true
  }

  conversations(): Promise<ConversationInfo[]> {
    return this.#means.store.list()
  }

  async messages(conversationId: string): Promise<ChatMessage[]> {
    return (await this.#means.store.load(conversationId)).messages.map(toChat)
  }

  async past(conversationId: string): Promise<PastEvent[]> {
    const { messages, isNew } = await this.#means.store.load(conversationId)
    if (isNew) throw coded('conversation_missing', { conversation: conversationId })
    return pastOf(messages)
  }

  providers(): Promise<ProviderChoice[]> {
    return providersOf(this.#means.kernel, this.#means.config)
  }

  parked(): Promise<ParkedTurn[]> {
    return this.#means.approvals.list()
  }

  async decide(approvalId: string, given: Decision): Promise<ChatAnswer> {
    const { store, approvals } = this.#means
    const decision = checkDecision(given)
    const { conversation_id } = await approvals.find(approvalId)
    const never = { signal: new AbortController().signal, emit: () => {} }
    return this.#inTurn(conversation_id, never, async (own) => {
      await approvals.decide(approvalId, decision)
      const approval = await approvals.find(approvalId)
      const conversation = await store.load(conversation_id)
      const { provider, prompt, tools } = approval.state
      return new Turn(this.#means, conversation, { provider, prompt, tools }, own).resume(approval, resultsOf(approval))
    })
  }

  /** Every turn in its conversation's line, and within its time. */
  async #inTurn<T>(id: string, { signal, emit }: Watch, work: (own: Watch) => Promise<T>): Promise<T> {
    const { kernel, config } = this.#means
    const { running } = this.#lines
    const own = new AbortController()
    const leave = (): void => own.abort(coded('chat_cancelled'))
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    const turn = inLine(this.#lines, id, { limit: config.waiting_max, signal: own.signal }, async () => {
      const over = new AbortController()
      const seconds = config.turn_seconds_max
      const late = (): void => own.abort(coded('chat_time', { seconds }))
      kernel.sleep(seconds * 1_000, over.signal).then(late, () => undefined)
      running.set(id, (reason) => own.abort(reason))
      try {
        return await work({ signal: own.signal, emit })
      } finally {
        over.abort()
        running.delete(id)
      }
    })
    this.#turns.set(turn, (reason) => own.abort(reason))
    try {
      return await turn
    } finally {
      this.#turns.delete(turn)
      signal.removeEventListener('abort', leave)
    }
  }

  /** Calls have had their time to end: what is left of them is cut here, so that it is stored as such. */
  async shutdown(): Promise<void> {
    for (const end of this.#turns.values()) end(coded('chat_ended'))
    await Promise.allSettled(this.#turns.keys())
  }
}

function check({ message, conversation_id: asked }: ChatRequest, config: Config): { message: string; id: string } {
  if (typeof message !== 'string' || message.trim() === '')
    throw coded('bad_arguments', { reason: '`message` must be text' })
  if (message.length > config.message_chars_max)
    throw coded('bad_arguments', { reason: `\`message\` has more than ${config.message_chars_max} characters` })
  const id = typeof asked === 'string' && asked !== '' ? asked : crypto.randomUUID()
  if (id.length > NAME_CHARS_MAX)
    throw coded('bad_arguments', { reason: `\`conversation_id\` has more than ${NAME_CHARS_MAX} characters` })
  return { message, id }
}

function checkDecision({ approved, by, note }: Decision): Decision {
  if (typeof approved !== 'boolean') throw coded('bad_arguments', { reason: '`approved` must be true or false' })
  if (typeof by !== 'string' || by.trim() === '') throw coded('bad_arguments', { reason: '`by` must name who decides' })
  if (note !== undefined && typeof note !== 'string') throw coded('bad_arguments', { reason: '`note` must be text' })
  return { approved, by: by.slice(0, NAME_CHARS_MAX), ...(note === undefined ? {} : { note }) }
}
