/**
 * A provider that fails in every way at random, many callers at once, and a config that is saved all the while. Every
 * call ends; an answer is the whole answer or an error; tokens and money are what the provider counted.
 */
import { expect, it } from 'vitest'
import type { Completion, InferenceApi } from '../../modules/contracts/services.ts'
import { startProvider, type Asked, type Reply } from '../inference/provider.ts'
import { startSystem } from '../support/system.ts'

const CALLS = 1_500
const AT_ONCE = 40
const SAVE_EVERY = 100
const SEED = 20_261_121
const ALLOWED = new Set(['provider_failed', 'provider_empty'])
const GAVE_UP = 'gave up'

/** Numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const idOf = ({ body }: Asked): number => Number((body['messages'] as { content: string }[])[0]?.content)
const textFor = (id: number): string => `Answer ${id}: ${'ä✓ word '.repeat(id % 37)}end of ${id}.`
const usageFor = (id: number): { prompt_tokens: number; completion_tokens: number } => ({
  prompt_tokens: 10 + (id % 91),
  completion_tokens: 5 + (id % 53),
})
const costFor = (id: number): number => (usageFor(id).prompt_tokens * 3 + usageFor(id).completion_tokens * 15) / 1e6

const FAULTS: ((reply: Reply, id: number) => unknown)[] = [
  (reply) => reply.json(429, { error: { message: 'busy' } }, { 'retry-after-ms': '2' }),
  (reply) => reply.json(500, { error: { message: 'broken' } }),
  (reply) => reply.json(400, { error: { message: 'no' } }),
  (reply) => reply.cut(),
  (reply) => reply.json(200, { choices: [] }),
  (reply) => reply.response.end('<html>what?</html>'),
  (reply) => reply.finish(),
  (reply, id) => {
    reply.say(textFor(id).slice(0, 9))
    reply.cut()
  },
  (reply, id) => {
    reply.say(textFor(id).slice(0, 9))
    reply.response.end('data: [DONE]\n\n')
  },
  (reply, id) => {
    reply.say(textFor(id).slice(0, 9))
    reply.send('data: {"choices":\n\n')
    reply.finish()
  },
  (reply, id) => {
    reply.say(textFor(id).slice(0, 9))
    reply.send({ error: { message: 'overloaded', code: 503 } })
  },
  // Stands still until it is given up.
  (reply, id) => reply.say(textFor(id).slice(0, 9)),
]

async function answerWhole(reply: Reply, id: number, random: () => number): Promise<void> {
  const text = textFor(id)
  if (random() < 0.1) {
    const choices = [{ index: 0, finish_reason: 'stop', message: { content: text } }]
    return reply.json(200, { model: 'whole', choices, usage: usageFor(id) })
  }
  for (let at = 0; at < text.length; ) {
    const size = 1 + Math.floor(random() * 24)
    reply.say(text.slice(at, at + size))
    at += size
    if (random() < 0.2) await new Promise((resolve) => setImmediate(resolve))
  }
  return reply.finish(usageFor(id))
}

type Outcome = Completion | { code: string; message: string }

async function callOnce(model: InferenceApi, id: number, random: () => number): Promise<Outcome> {
  const stop = new AbortController()
  const messages = [{ role: 'user' as const, content: String(id) }]
  const leaves = random() < 0.1
  try {
    if (random() < 0.5) {
      if (leaves) setImmediate(() => stop.abort(new Error(GAVE_UP)))
      return await model.complete({ messages, signal: stop.signal })
    }
    let text = ''
    let end: Completion | undefined
    for await (const chunk of model.stream({ messages, signal: stop.signal })) {
      if (chunk.type === 'end') end = chunk.completion
      else text += chunk.text
      if (leaves) stop.abort(new Error(GAVE_UP))
    }
    expect(end?.text).toBe(text)
    return end as Completion
  } catch (error) {
    return error as Outcome
  }
}

it('every call ends, with the whole answer or an error, and the sums are right', { timeout: 240_000 }, async () => {
  const random = randomFrom(SEED)
  const provider = await startProvider((reply, asked) => {
    const fault = random() < 0.45 ? FAULTS[Math.floor(random() * FAULTS.length)] : undefined
    return fault === undefined ? answerWhole(reply, idOf(asked), random) : fault(reply, idOf(asked))
  })
  const config = (save: number): string =>
    `prog: inference/openai\nbase_url: ${provider.url}\nmodel: m${save}\nretries: 1\nretry_ms: 1\nidle_seconds: 0.5\nprice: {input: 3, output: 15}\n`
  const system = await startSystem({ 'configs/openai.yml': config(0) })
  const model = system.getApi<InferenceApi>('openai') as unknown as InferenceApi
  const outcomes: Outcome[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < CALLS) {
      const id = next++
      if (id % SAVE_EVERY === 0) system.root.write('configs/openai.yml', config(id))
      outcomes[id] = await callOnce(model, id, random)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))

  const whole = [...outcomes.entries()].filter((entry): entry is [number, Completion] => 'text' in entry[1])
  for (const [id, { text, usage }] of whole) {
    const { prompt_tokens: input_tokens, completion_tokens: output_tokens } = usageFor(id)
    expect([text, usage]).toEqual([
      textFor(id),
      { input_tokens, output_tokens, cached_tokens: 0, cost_usd: costFor(id) },
    ])
  }
  const failed = outcomes.filter((one): one is { code: string; message: string } => !('text' in one))
  expect(failed.filter(({ code, message }) => !ALLOWED.has(code) && message !== GAVE_UP)).toEqual([])
  // The storm was one: a good part of both, and those who left.
  expect(whole.length).toBeGreaterThan(CALLS / 4)
  expect(failed.length).toBeGreaterThan(CALLS / 10)
  expect(failed.some(({ message }) => message === GAVE_UP)).toBe(true)
  const { in_flight, generation } = await system.show('openai')
  expect(in_flight).toBe(0)
  expect(generation).toBeGreaterThan(3)
  await system.stop()
  await provider.stop()
})
