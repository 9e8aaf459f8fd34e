/**
 * One improvement: ask a model, read its answer, send it through the gate, and when it passes, on to `rollouts`; a refusal
 * goes back to the model in words, until the tries or the budget are used up. Every attempt stands on disk before the next.
 */
import type { Completion, InferenceApi } from '../../contracts/inference.ts'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { KernelApi } from '../../contracts/module.ts'
import type {
  Attempt,
  Evidence,
  ImproveRequest,
  Improvement,
  ProposedEdit,
  ProposalInput,
  RolloutsApi,
} from '../../contracts/proposals.ts'
import type { RecordingsApi } from '../../contracts/recordings.ts'
import type { ChatMessage } from '../../contracts/services.ts'
import { coded, reasonOf } from '../../lib/errors.ts'
import { shortHash } from '../../lib/hash.ts'
import { readAnswer, type AnsweredChange } from './answer.ts'
import type { Config } from './config.ts'
import { textAt } from './disk.ts'
import { runGate } from './gate.ts'
import { testsBeside } from './own-tests.ts'
import { promptFor, refusalText } from './prompt.ts'
import type { ImprovementStore, KeptCall } from './store.ts'

export interface ImproveParts {
  kernel: KernelApi
  config: Config
  store: ImprovementStore
  signal: AbortSignal
}

interface Course {
  request: ImproveRequest
  improvement: Improvement
  provider: string
  messages: ChatMessage[]
  /** path → text, as it was when the model was asked first */
  files: Readonly<Record<string, string>>
  entry: string | undefined
  tries: number
  budget: number
}

/** Resolves with how it ended; rejects with what kept it from beginning. */
export async function improve(parts: ImproveParts, begun: Improvement, request: ImproveRequest): Promise<Improvement> {
  let improvement = begun
  const save = (change: Partial<Improvement>): Improvement => {
    improvement = { ...improvement, ...change }
    parts.store.save(improvement)
    return improvement
  }
  const end = (state: Improvement['state'], message: string): Improvement =>
    save({ state, message, ended_at: parts.kernel.clock.now() })
  try {
    const course = await begin(parts, improvement, request)
    for (let number = 1; number <= course.tries; number++) {
      parts.signal.throwIfAborted()
      const attempt = await attemptOnce(parts, course, number)
      save({ attempts: [...improvement.attempts, attempt], cost_usd: improvement.cost_usd + (attempt.cost_usd ?? 0) })
      parts.kernel.events.emit('improvement.attempt', { id: improvement.id, number, outcome: attempt.outcome })
      if (attempt.outcome === 'submitted') {
        save({ proposal_id: attempt.proposal_id })
        return end('submitted', attempt.message)
      }
      if (improvement.cost_usd >= course.budget && number < course.tries)
        return end('over_budget', `${improvement.cost_usd} of ${course.budget} dollars are used up: ${attempt.message}`)
    }
    return end('given_up', `${course.tries} tries, none of which passed: ${improvement.attempts.at(-1)?.message ?? ''}`)
  } catch (thrown) {
    return end('failed', reasonOf(thrown))
  }
}

async function begin(parts: ImproveParts, improvement: Improvement, request: ImproveRequest): Promise<Course> {
  const { kernel, config } = parts
  const system = kernel.getApi<KernelServiceApi>('kernel')
  const [detail, source] = [await system.show(request.service), await system.source(request.service, 'disk')]
  const files = Object.fromEntries(
    Object.entries(source.files).filter(([path]) => !/\/modules\/(lib|contracts)\//.test(path)),
  )
  const chars = Object.values(files).reduce((sum, text) => sum + text.length, 0)
  if (chars > config.source_chars_max)
    throw coded('bad_arguments', {
      reason: `its sources have ${chars} characters; \`source_chars_max\` is ${config.source_chars_max}`,
    })
  const { calls } = await kernel.getApi<RecordingsApi>('recordings').calls(request.service, { limit: 200 })
  const template = kernel.prompt(config.prompt_file).text
  const tests = Object.keys(testsBeside(kernel.paths.root, detail.source_file))
  const content = promptFor({ template, goal: request.goal, detail, files, calls, latency: detail.latency_ms, tests })
  return {
    request,
    improvement,
    provider: await providerFor(parts, request.provider),
    messages: [{ role: 'user', content }],
    files,
    entry: detail.source_file ?? undefined,
    tries: request.tries ?? config.tries,
    budget: request.budget_usd ?? config.budget_usd,
  }
}

async function providerFor({ kernel, config }: ImproveParts, asked: string | undefined): Promise<string> {
  if (asked !== undefined) return asked
  const reasons: string[] = []
  for (const name of config.providers) {
    try {
      const info = await kernel.getApi<InferenceApi>(name).with({ deadlineMs: 5_000 }).describe()
      if (info.ready) return name
      reasons.push(`${name}: ${info.note}`)
    } catch (thrown) {
      reasons.push(`${name}: ${reasonOf(thrown)}`)
    }
  }
  throw coded('no_provider', { reason: reasons.join('; ') })
}

async function attemptOnce(parts: ImproveParts, course: Course, number: number): Promise<Attempt> {
  const { kernel, config, store, signal } = parts
  const { messages, provider, improvement } = course
  const prompt = JSON.stringify(messages)
  const request = { messages: [...messages], output_tokens_max: config.output_tokens_max, signal }
  const completion = await kernel
    .getApi<InferenceApi>(provider)
    .with({ deadlineMs: config.answer_ms, signal })
    .complete(request)
  const hashes = { prompt_hash: shortHash(prompt), response_hash: shortHash(completion.text) }
  store.keepText(hashes.prompt_hash, prompt, improvement.id)
  store.keepText(hashes.response_hash, completion.text, improvement.id)
  const cost_usd = completion.usage?.cost_usd ?? null
  const base = { number, proposal_id: null, cost_usd, ...hashes }
  const answer = readAnswer(completion.text, course.entry)
  if ('unusable' in answer || completion.finish === 'length') {
    const why = 'unusable' in answer ? answer.unusable : 'your answer was cut: it is too long, so change less'
    talkOn(course, completion, `Your answer could not be used: ${why}`)
    return { ...base, outcome: 'unusable', refused_by: null, message: why, evidence: [] }
  }
  return judged(parts, course, { completion, change: answer.change, base })
}

interface Answered {
  completion: Completion
  change: AnsweredChange
  base: Omit<Attempt, 'outcome' | 'refused_by' | 'message' | 'evidence'>
}

async function judged(parts: ImproveParts, course: Course, { completion, change, base }: Answered): Promise<Attempt> {
  const { kernel, config, store } = parts
  const { request, provider, tries } = course
  const edits = editsOf(kernel, course.files, change)
  const actor = `self-improver (${provider})`
  const counterexamples = (api: string): KeptCall[] => store.counterexamples(api)
  const options = { actor, service: request.service, changes: change.changes, counterexamples }
  const { passed, evidence } = await runGate({ kernel, config }, edits, options)
  keepCounterexamples(store, request.service, evidence, kernel.clock.now())
  const refused = (by: string, message: string, all: Evidence[]): Attempt => {
    talkOn(course, completion, refusalText(all, base.number, tries))
    return { ...base, outcome: 'refused', refused_by: by, message, evidence: all }
  }
  if (!passed) {
    const last = evidence.at(-1)
    return refused(last?.check ?? 'gate', last?.message ?? '', evidence)
  }
  const proposal = await kernel
    .getApi<RolloutsApi>('rollouts')
    .submit(inputOf(course, { completion, change, base }, edits, evidence))
  if (proposal.state === 'refused') {
    const told: Evidence = { check: 'rollouts', outcome: 'failed', message: proposal.message, ms: 0 }
    return { ...refused('rollouts', proposal.message, [...evidence, told]), proposal_id: proposal.id }
  }
  const message = `${proposal.id} is ${proposal.state}: ${proposal.message}`
  return { ...base, proposal_id: proposal.id, outcome: 'submitted', refused_by: null, message, evidence }
}

function inputOf(
  course: Course,
  { completion, change, base }: Answered,
  edits: ProposedEdit[],
  evidence: Evidence[],
): ProposalInput {
  const { request, provider, improvement } = course
  const expected = request.expected ?? change.expected
  return {
    origin: 'self',
    actor: `self-improver (${provider})`,
    service: request.service,
    title: change.title,
    intent: change.intent,
    reason: request.goal,
    edits,
    evidence,
    ...(expected === undefined ? {} : { expected }),
    ...(change.changes.length === 0 ? {} : { changes: change.changes }),
    ...(change.confidence === undefined ? {} : { confidence: change.confidence }),
    ...(base.cost_usd === null ? {} : { cost_usd: base.cost_usd }),
    lineage: {
      provider,
      model: completion.model,
      prompt_hash: base.prompt_hash,
      response_hash: base.response_hash,
      parent: improvement.id,
    },
  }
}

/** Against the files as the model was told them: what has moved on meanwhile is refused by its hash. */
function editsOf(
  kernel: KernelApi,
  files: Readonly<Record<string, string>>,
  { files: written }: AnsweredChange,
): ProposedEdit[] {
  return written.map(({ path, text }) => {
    const before = files[path] ?? textAt(kernel.paths.root, path)
    return { path, base_hash: before === undefined ? null : shortHash(before), text }
  })
}

function talkOn(course: Course, { text }: Completion, said: string): void {
  course.messages.push({ role: 'assistant', content: text }, { role: 'user', content: said })
}

function keepCounterexamples(
  store: ImprovementStore,
  service: string,
  evidence: readonly Evidence[],
  at: number,
): void {
  for (const { details } of evidence) {
    const found = (details as { counterexample?: KeptCall } | undefined)?.counterexample
    if (found !== undefined) store.keepCounterexample(service, found, at)
  }
}
