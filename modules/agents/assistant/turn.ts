/**
 * One turn of a conversation: the model is asked, its calls are run, it is asked again, until it answers. Each step is
 * stored before the next begins. A limit, a cancel or a failure after the first step ends it with what it has done;
 * a question to a person parks it. It always ends, and only with an answer or an error.
 */
import type { CallPart } from '../../bracket/index.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { ChatAnswer, ChatEvent, ChatStep, InferenceApi, ToolsApi, Usage } from '../../contracts/services.ts'
import type { ToolInfo } from '../../contracts/tool.ts'
import { coded, toErrorData } from '../../lib/errors.ts'
import { APPROVAL_INFO, APPROVAL_LINE, APPROVAL_TOOL, type Approval, type Approvals } from './approvals.ts'
import type { Config } from './config.ts'
import { Judge } from './judge.ts'
import { newSpan, newTrace, placeUnder } from '../../lib/trace.ts'
import { addUsage, type Conversation } from './messages.ts'
import { outsideText, systemText } from './prompt-text.ts'
import { loopLine } from './loop-line.ts'
import { callEvent } from './past.ts'
import type { Plan } from './provider.ts'
import { lost, runCalls, type Done, type Job } from './run-calls.ts'
import { readSaid, type Said } from './said.ts'
import type { Store } from './store.ts'
import { CHARS_PER_TOKEN, compose } from './trim.ts'
import { untilAborted } from './until-aborted.ts'

export interface Means {
  kernel: KernelApi
  config: Config
  store: Store
  approvals: Approvals
  tools: Handle<ToolsApi>
}

export interface Watch {
  /** its reason is why the turn is cut */
  signal: AbortSignal
  emit(event: ChatEvent): void
}

export class Turn {
  private readonly means: Means
  private readonly conversation: Conversation
  private readonly plan: Plan
  private readonly watch: Watch
  private readonly judge: Judge
  /** its place in a trace */
  private readonly trace: string
  private steps: ChatStep[] = []
  private usage: Usage | null = null
  private model = ''
  /** answers of the model so far */
  private asked = 0
  /** of the meta-loop, as the turn began or went on */
  private status = ''
  /** what the model has said of a message that has not ended */
  private partial = ''

  constructor(means: Means, conversation: Conversation, plan: Plan, watch: Watch, trace = newTrace()) {
    this.trace = trace
    this.means = means
    this.conversation = conversation
    this.plan = plan
    this.watch = watch
    this.judge = new Judge(conversation, plan, means.config.marks_required)
  }

  async begin(message: string): Promise<ChatAnswer> {
    this.judge.hear(message)
    await this.means.store.append(this.conversation, [{ kind: 'user', content: message, provider: '' }])
    return this.goOn()
  }

  /** Goes on where it was parked. */
  async resume({ state, question }: Approval, results: readonly string[]): Promise<ChatAnswer> {
    this.steps = [...state.steps, { tool: APPROVAL_TOOL, params: { question }, status: 'success', ms: 0 }]
    this.usage = state.usage
    this.model = state.model
    this.asked = state.asked
    await this.keepResults(results)
    return this.goOn()
  }

  private async goOn(): Promise<ChatAnswer> {
    const { kernel } = this.means
    this.status = this.plan.prompt.text.includes('{{status}}') ? await loopLine(kernel, this.watch.signal) : ''
    for (;;) {
      const over = this.over()
      if (over !== undefined) return this.cut(over)
      let said: Said
      try {
        said = await this.ask()
      } catch (thrown) {
        return this.failed(thrown)
      }
      const answer = await this.take(said)
      if (answer !== undefined) return answer
    }
  }

  /** Why the model may not be asked again. */
  private over(): unknown {
    const { steps_max: limit } = this.means.config
    if (this.watch.signal.aborted) return this.watch.signal.reason
    return this.overCost() ?? (this.asked < limit ? undefined : coded('chat_steps', { limit }))
  }

  private async ask(): Promise<Said> {
    const { kernel, config } = this.means
    const { provider, prompt } = this.plan
    const { signal, emit } = this.watch
    const { mark, messages } = this.conversation
    this.partial = ''
    const chars_max = config.context_tokens_max * CHARS_PER_TOKEN
    const { tools, section } = await untilAborted(this.catalogue(Math.floor(chars_max / 3)), signal)
    const stream = kernel
      .getApi<InferenceApi>(provider)
      .with({ trace: this.trace })
      .stream({
        messages: compose(systemText(prompt.text, { tools: section, mark, status: this.status }), messages, chars_max),
        signal,
        tools,
        mark,
        ...(config.output_tokens_max === undefined ? {} : { output_tokens_max: config.output_tokens_max }),
      })
    const said = await readSaid(stream, {
      provider,
      signal,
      chars_max: config.answer_chars_max,
      onText: (text) => emit({ type: 'text', text }),
      isShown: (part) => this.judge.isShown(part),
      onPart: (whole) => {
        this.partial = whole
      },
    })
    if (said.text.trim() === '') throw coded('provider_empty', { provider })
    return said
  }

  /** The live tools, and how the prompt tells them. */
  private async catalogue(chars_max: number): Promise<{ tools: ToolInfo[]; section: string }> {
    if (!this.plan.tools) return { tools: [], section: '(none)' }
    const { tools } = this.means
    const [{ tools: listed }, { text }] = await Promise.all([tools.list(), tools.prompt({ chars_max })])
    this.judge.know(listed)
    return { tools: [...listed, APPROVAL_INFO], section: `${text}\n\n${APPROVAL_LINE}` }
  }

  /** The answer when the turn has come to one. */
  private async take(said: Said): Promise<ChatAnswer | undefined> {
    const { store } = this.means
    const { provider } = this.plan
    this.asked++
    this.model = said.model === '' ? this.model : said.model
    this.usage = addUsage(this.usage, said.usage)
    this.partial = said.text
    if (said.finish === 'length') return this.cut(coded('chat_output'), said.usage)
    const jobs = this.judge.jobsOf(said.parts, this.overCost(), (part, runs) => this.tell(part, runs))
    const kind = jobs.length === 0 ? 'answer' : 'calls'
    await store.append(this.conversation, [{ kind, content: said.text, provider }], { usage: said.usage })
    if (jobs.length === 0) return this.finish('done')
    const done = await this.run(jobs)
    const at = done.findIndex(({ result }) => result === null)
    if (at >= 0 && !this.watch.signal.aborted) return this.park(jobs[at] as Job & { kind: 'ask' }, done)
    await this.keepResults(done.map(({ result }) => result ?? lost(APPROVAL_TOOL, this.watch.signal.reason)))
    this.partial = ''
    return undefined
  }

  private overCost(): unknown {
    const { cost_usd_max: limit } = this.means.config
    const cost = this.usage?.cost_usd ?? 0
    return cost < limit ? undefined : coded('chat_cost', { cost: cost.toFixed(4), limit })
  }

  private tell(part: CallPart, runs: boolean): void {
    this.watch.emit(callEvent(part))
    if (!runs || part.warnings === undefined) return
    const repairs = part.warnings.map(({ code }) => code)
    this.means.kernel.events.emit('call.repaired', { model: this.model, tool: part.name, repairs })
  }

  private async run(jobs: readonly Job[]): Promise<Done[]> {
    const { kernel, config, tools } = this.means
    const { signal, emit } = this.watch
    return runCalls(jobs, {
      parallel_max: config.parallel_max,
      signal,
      monotonic: () => kernel.clock.monotonic(),
      invoke: (tool, params) => {
        const span = newSpan()
        const own = { caller: kernel.api, signal, trace: placeUnder(this.trace, span) }
        return tools.with({ trace: this.trace, span }).invoke(tool, params, own)
      },
      onDone: ({ result, step, error }) => {
        if (result === null || step === undefined) return
        this.steps.push(step)
        const { tool, status, ms } = step
        emit({ type: 'result', text: result, tool, status, ms, ...(error === undefined ? {} : { error }) })
      },
    })
  }

  private async keepResults(results: readonly string[]): Promise<void> {
    const message = { kind: 'results' as const, content: results.join('\n'), provider: '' }
    this.judge.hear(outsideText(message, this.plan.provider) ?? '')
    await this.means.store.append(this.conversation, [message])
  }

  private async park({ question }: Job & { kind: 'ask' }, done: readonly Done[]): Promise<ChatAnswer> {
    const { store, approvals } = this.means
    const { id, messages } = this.conversation
    const approval_id = crypto.randomUUID().replaceAll('-', '').slice(0, 12)
    const state = {
      ...this.plan,
      model: this.model,
      steps: this.steps,
      usage: this.usage,
      asked: this.asked,
      seq: messages.at(-1)?.seq ?? 0,
      results: done.map(({ result }) => result),
    }
    const parking = approvals.parking({ approval_id, conversation_id: id, question, state })
    await store.append(this.conversation, [], { more: [parking] })
    this.means.kernel.events.emit('approval.asked', { approval_id, conversation_id: id, question })
    return this.answer('parked', { reason: question, approval_id })
  }

  private async failed(thrown: unknown): Promise<ChatAnswer> {
    if (this.watch.signal.aborted) return this.cut(this.watch.signal.reason)
    if (this.asked > 0) return this.cut(thrown)
    // Nothing was done: it is as if it had not been asked.
    await this.means.store.takeBack(this.conversation)
    throw thrown
  }

  private async cut(reason: unknown, usage: Usage | null = null): Promise<ChatAnswer> {
    const { code, message } = toErrorData(reason)
    const said = this.partial.trim()
    const note = `[The turn was cut here: ${message}.]`
    const content = said === '' ? note : `${said}\n\n${note} [No call of this message was run.]`
    const provider = this.partial === '' ? '' : this.plan.provider
    await this.means.store.append(this.conversation, [{ kind: 'note', content, provider }], { usage })
    return this.finish('cut', `${code}: ${message}`)
  }

  private async finish(status: 'done' | 'cut', reason?: string): Promise<ChatAnswer> {
    await this.means.store.prune(this.conversation)
    return this.answer(status, reason === undefined ? {} : { reason })
  }

  private answer(status: ChatAnswer['status'], more: { reason?: string; approval_id?: string }): ChatAnswer {
    const { provider, prompt } = this.plan
    return {
      conversation_id: this.conversation.id,
      answer: this.partial.trim(),
      status,
      ...more,
      provider,
      model: this.model,
      steps: this.steps,
      prompt_hash: prompt.hash,
      usage: this.usage,
    }
  }
}
