/**
 * Everything that goes wrong between the assistant, a provider and its tools, in eight conversations of each kind at
 * once over real HTTP: every turn ends, no conversation loses one, and what was paid is what the server has billed.
 */
import { LLMock } from '@copilotkit/aimock'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ChatAnswer, ChatMessage, ConversationInfo } from '../../modules/contracts/services.ts'
import { stopAtOnce } from '../support/scripted-server.ts'
import { assistantConfig, startChat, type ChatSystem } from './chat-system.ts'

const EACH = 8
const PRICE = { input: 3, output: 15 }
const SLOW = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  getAspect(name) {
    if (name !== 'tool') return undefined
    const params = z.object({})
    return {
      touch: tool({ description: 'Touches.', params, run: () => 'touched' }),
      wait: tool({ description: 'Waits.', params, deadline_ms: 50, run: () => new Promise(() => {}) }),
    }
  }
}
`
const fenced = (call: string): string => `\`\`\`tool\n${call}\n\`\`\``
const TOUCH = fenced('{call: slow_touch {params {}}}')

type End = { status: ChatAnswer['status']; reason?: RegExp } | { code: string }

interface Fault {
  /** what the server says to the nth request of this turn, from 0 */
  says(nth: number, conversation: string): object | Promise<object>
  ends: End
  /** tool → status, of the turn */
  steps?: string[]
}

const DONE: End = { status: 'done' }
const text = (content: string): object => ({ content })
const error = (status: number): object => ({ error: { message: 'out of order' }, status, retryAfter: 0 })

const FAULTS: Record<string, Fault> = {
  limited: { says: (nth) => (nth === 0 ? error(429) : text('Fine.')), ends: DONE },
  limited_midway: {
    says: (nth) => (nth === 0 ? text(TOUCH) : nth === 1 ? error(429) : text('Fine.')),
    ends: DONE,
    steps: ['slow_touch success'],
  },
  failing: { says: () => error(500), ends: { code: 'provider_failed' } },
  failing_midway: {
    says: (nth) => (nth === 0 ? text(TOUCH) : error(500)),
    ends: { status: 'cut', reason: /^provider_failed/ },
    steps: ['slow_touch success'],
  },
  cut: { says: () => text('This answer never comes to its end, whatever you do.'), ends: { code: 'provider_failed' } },
  slow: { says: () => text('This answer comes bit by bit, and whole.'), ends: DONE },
  empty: { says: () => text(''), ends: { code: 'provider_empty' } },
  bad_call: {
    says: (nth) => text(nth === 0 ? `${fenced('{call: slow_touch {params {a: }}}')}\n${TOUCH}` : 'Fine.'),
    ends: DONE,
    steps: ['unknown error', 'slow_touch success'],
  },
  unknown_tool: {
    says: (nth) => text(nth === 0 ? fenced('{call: slow_tuoch {params {}}}') : 'Fine.'),
    ends: DONE,
    steps: ['slow_tuoch error'],
  },
  tool_timeout: {
    says: (nth) => text(nth === 0 ? fenced('{call: slow_wait {params {}}}') : 'Fine.'),
    ends: DONE,
    steps: ['slow_wait error'],
  },
  cancelled: {
    says: async (_nth, conversation) => {
      await cancelling.get(conversation)?.()
      return text('Too late.')
    },
    ends: { status: 'cut', reason: /^chat_cancelled/ },
  },
  over_budget: {
    says: () => ({ content: TOUCH, usage: { prompt_tokens: 200_000, completion_tokens: 1_000 } }),
    ends: { status: 'cut', reason: /^chat_cost/ },
    steps: ['slow_touch error'],
  },
}
/** These do not get to the end of what the server has to say. */
const UNPAID = new Set(['cut', 'empty', 'cancelled'])

let server: LLMock
let system: ChatSystem
const billed = { input: 0, output: 0 }
const cancelling = new Map<string, () => Promise<unknown>>()
/** requests of each turn */
const asked = new Map<string, number>()

/** `fault` and conversation of the turn that asks. */
function turnOf(messages: readonly { role: string; content?: unknown }[]): [fault: string, conversation: string] {
  for (const { role, content } of messages.toReversed()) {
    const found = role === 'user' ? /^(\w+) of (\w+)$/.exec(String(content)) : null
    if (found !== null) return [found[1] ?? '', found[2] ?? '']
  }
  throw new Error('no turn')
}

async function reply(messages: readonly { role: string; content?: unknown }[]): Promise<object> {
  const [fault, conversation] = turnOf(messages)
  const key = `${fault} of ${conversation}`
  const nth = asked.get(key) ?? 0
  asked.set(key, nth + 1)
  const said = (await FAULTS[fault]?.says(nth, conversation)) ?? text(`Plain, ${conversation}.`)
  if ('error' in said) return said
  const tokens = { prompt_tokens: 100 + nth, completion_tokens: 10 + conversation.length }
  const full = { usage: tokens, ...said }
  if (UNPAID.has(fault)) return { ...full, usage: { prompt_tokens: 0, completion_tokens: 0 } }
  billed.input += full.usage.prompt_tokens
  billed.output += full.usage.completion_tokens
  return full
}

beforeEach(async () => {
  server = new LLMock({ port: 0, host: '127.0.0.1' })
  const is = (fault: string) => (request: { messages: { role: string; content?: unknown }[] }) =>
    turnOf(request.messages)[0] === fault
  const answer = async ({ messages }: { messages: { role: string; content?: unknown }[] }): Promise<never> =>
    (await reply(messages)) as never
  server.on({ predicate: is('cut') }, answer, { chunkSize: 8, truncateAfterChunks: 3 })
  server.on({ predicate: is('slow') }, answer, { chunkSize: 4, latency: 20 })
  server.on({}, answer)
  await server.start()
  const provider = `prog: inference/openai\nbase_url: ${server.url}/v1\nmodel: m\nretries: 2\nretry_ms: 10\n`
  system = await startChat({
    'configs/scripted.yml': `${provider}price: {input: ${PRICE.input}, output: ${PRICE.output}}\n`,
    'configs/agents/assistant.yml': assistantConfig('provider: scripted\ncost_usd_max: 0.5'),
    'configs/slow.yml': '',
    'modules/slow.ts': SLOW,
  })
})
afterEach(async () => {
  await system.stop()
  await stopAtOnce(server)
})

type Outcome = { answer: ChatAnswer } | { code: string }

const say = (fault: string, conversation_id: string): Promise<Outcome> =>
  system.assistant.chat({ message: `${fault} of ${conversation_id}`, conversation_id }).then(
    (answer) => ({ answer }),
    (thrown: { code: string }) => ({ code: thrown.code }),
  )

/** What a turn came to, beside what it should. */
function check(fault: string, outcome: Outcome): void {
  const { ends, steps = [] } = FAULTS[fault] as Fault
  if ('code' in ends || 'code' in outcome) {
    expect([fault, outcome]).toEqual([fault, ends])
    return
  }
  const { answer } = outcome
  expect([fault, answer.status, answer.reason ?? '']).toEqual([
    fault,
    ends.status,
    ends.reason === undefined ? '' : expect.stringMatching(ends.reason),
  ])
  expect([fault, ...answer.steps.map(({ tool, status }) => `${tool} ${status}`)]).toEqual([fault, ...steps])
}

it(`${Object.keys(FAULTS).length} kinds of trouble, ${EACH} conversations each, all at once`, async () => {
  const conversations = Object.keys(FAULTS).flatMap((fault) =>
    Array.from({ length: EACH }, (_, index) => ({ fault, id: `${fault}${index}` })),
  )
  for (const { id } of conversations) cancelling.set(id, () => system.assistant.cancel(id))
  const outcomes = await Promise.all(
    conversations.map(async ({ fault, id }) => {
      const before = await say('plain', id)
      const during = await say(fault, id)
      return { fault, id, all: [before, during, await say('calm', id)] as const }
    }),
  )
  for (const { fault, id, all } of outcomes) {
    const [before, during, after] = all
    check(fault, during)
    for (const plain of [before, after])
      expect([id, plain]).toEqual([
        id,
        { answer: expect.objectContaining({ status: 'done', answer: `Plain, ${id}.` }) },
      ])
    const messages: ChatMessage[] = await system.assistant.messages(id)
    const roles = messages.map(({ role }) => role)
    expect([id, roles.filter((role, index) => role === roles[index - 1])]).toEqual([id, []])
    const turns = messages.filter(({ content }) => / of \w+$/.test(content)).length
    expect([id, turns]).toEqual([id, 'code' in (FAULTS[fault] as Fault).ends ? 2 : 3])
  }
  const answers = outcomes.flatMap(({ all }) => all.flatMap((one) => ('answer' in one ? [one.answer] : [])))
  const kept = await system.assistant.conversations()
  for (const paid of [sum(answers), sum(kept)]) {
    expect([paid.input, paid.output]).toEqual([billed.input, billed.output])
    expect(paid.cost).toBeCloseTo((billed.input * PRICE.input + billed.output * PRICE.output) / 1_000_000, 9)
  }
})

function sum(all: readonly Pick<ConversationInfo, 'usage'>[]): { input: number; output: number; cost: number } {
  const total = { input: 0, output: 0, cost: 0 }
  for (const { usage } of all) {
    total.input += usage?.input_tokens ?? 0
    total.output += usage?.output_tokens ?? 0
    total.cost += usage?.cost_usd ?? 0
  }
  return total
}
