/**
 * Inference without a model: a small deterministic planner for people who have no key yet. It reads the same prompt
 * and writes the same text as a model would, tool fences included, and says in every answer that it is not one.
 */
import { fence, printCall, scan } from '../../bracket/index.ts'
import type { ResultPart } from '../../bracket/index.ts'
import type {
  Completion,
  CompletionChunk,
  CompletionRequest,
  InferenceApi,
  ProviderInfo,
} from '../../contracts/services.ts'
import { coded } from '../../lib/errors.ts'
import { answerFrom } from './answer.ts'
import { readCatalogue, readFrame, type ListedTool } from './catalogue.ts'
import { rankTools } from './choose.ts'
import { fillParams } from './fill.ts'

const MODEL = 'offline planner'
const SIGNATURE = '(Offline planner, not a language model: set a key for configs/inference/openai.yml to talk to one.)'

export class Module implements InferenceApi {
  describe(): ProviderInfo {
    return { model: MODEL, ready: true, note: 'a planner without a model; no key needed' }
  }

  async complete({ messages, signal, mark }: CompletionRequest): Promise<Completion> {
    if (!Array.isArray(messages) || messages.length === 0)
      throw coded('bad_arguments', { reason: '`messages` is a list of {role, content}' })
    signal?.throwIfAborted()
    const prompt = messages.find((message) => message.role === 'system')?.content ?? ''
    const last = messages.at(-1)?.content ?? ''
    const results = scan(last).filter((part): part is ResultPart => part.kind === 'result')
    const text = results.length > 0 ? framed(prompt, answerFrom(results)) : plan(prompt, last, mark)
    return { text, model: MODEL, finish: 'stop', usage: null }
  }

  async *stream(request: CompletionRequest): AsyncGenerator<CompletionChunk> {
    const completion = await this.complete(request)
    for (const text of completion.text.split(/(?<=\s)/)) {
      request.signal?.throwIfAborted()
      yield { type: 'text', text }
    }
    request.signal?.throwIfAborted()
    yield { type: 'end', completion }
  }
}

const framed = (prompt: string, answer: string): string => {
  const { begin, end } = readFrame(prompt)
  return [begin, answer, SIGNATURE, end].filter((part) => part !== '').join('\n')
}

/** A call when a tool fits and its parameters are there; else what is missing, or what could be asked. */
function plan(prompt: string, question: string, mark: string | undefined): string {
  const tools = readCatalogue(prompt)
  const ranked = rankTools(question, tools)
  for (const { tool } of ranked.slice(0, 3)) {
    const { params, missing } = fillParams(question, tool)
    if (missing.length === 0) return `I will use ${tool.name}.\n${fence('tool', printCall(tool.name, params, mark))}`
  }
  const [best] = ranked
  if (best !== undefined) {
    const { missing } = fillParams(question, best.tool)
    return framed(
      prompt,
      `I would use ${best.tool.name}, but I do not see ${missing.map((name) => `\`${name}\``).join(' and ')}. Say it as ${missing[0]}="…".`,
    )
  }
  return framed(
    prompt,
    `I found no tool for that. Ask for one of these, in its own words:\n${tools.slice(0, 12).map(line).join('\n')}`,
  )
}

const line = (tool: ListedTool): string => `- ${tool.name}: ${tool.description}`
