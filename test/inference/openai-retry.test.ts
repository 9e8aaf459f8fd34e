/** Tries, pauses, and what is told at the end; tokens and money; what a provider's cache finds again. Real HTTP. */
import { LLMock } from '@copilotkit/aimock'
import { afterEach, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { ChatMessage, InferenceApi, Usage } from '../../modules/contracts/services.ts'
import { failureOf } from '../../modules/inference/openai/failure.ts'
import { pauseBefore } from '../../modules/inference/openai/retry.ts'
import { APIError } from 'openai'
import { stopAtOnce } from '../support/scripted-server.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'
import { startProvider, type Asked, type Provider, type Reply } from './provider.ts'

const ASK = { messages: [{ role: 'user' as const, content: 'Hello' }] }

let system: TestSystem
let model: Handle<InferenceApi>
let stop: () => Promise<unknown>

async function start(url: string, more = ''): Promise<void> {
  system = await startSystem({
    'configs/openai.yml': `prog: inference/openai\nbase_url: ${url}\nmodel: m\nretry_ms: 1\n${more}`,
  })
  model = system.getApi<InferenceApi>('openai')
}

async function handmade(answer: (reply: Reply, nth: number, asked: Asked) => unknown, more = ''): Promise<Provider> {
  const provider = await startProvider((reply, asked, nth) => answer(reply, nth, asked))
  stop = () => provider.stop()
  await start(provider.url, more)
  return provider
}

const fine = (reply: Reply): void => {
  reply.say('Fine.')
  reply.finish({ prompt_tokens: 1, completion_tokens: 1 })
}

afterEach(async () => {
  await system.stop()
  await stop()
})

it.each([408, 409, 429, 500, 502, 503, 529])('status %d is tried again', async (status) => {
  const provider = await handmade((reply, nth) =>
    nth < 3 ? reply.json(status, { error: { message: 'not now' } }) : fine(reply),
  )
  expect(await model.complete(ASK)).toMatchObject({ text: 'Fine.' })
  expect(provider.asked).toHaveLength(3)
})

it.each([
  [400, {}],
  [401, {}],
  [403, {}],
  [404, {}],
  [429, { code: 'insufficient_quota' }],
])('status %d %j is not tried again', async (status, more) => {
  const provider = await handmade((reply) => reply.json(status, { error: { message: 'never', ...more } }))
  expect(await rejection(model.complete(ASK))).toMatchObject({
    code: 'provider_failed',
    message: expect.stringContaining('never') as string,
  })
  expect(provider.asked).toHaveLength(1)
})

it('after the last try the error says what the server said, and how often it was tried', async () => {
  const provider = await handmade((reply) => reply.json(503, { error: { message: 'all busy' } }), 'retries: 3\n')
  expect((await rejection(model.complete(ASK))).message).toMatch(/503 all busy \(try 4\)/)
  expect(provider.asked).toHaveLength(4)
})

it('a connection that breaks off before the first word is made again, also for a reader', async () => {
  const provider = await handmade((reply, nth) => (nth === 1 ? reply.cut() : fine(reply)))
  const texts: string[] = []
  for await (const chunk of model.stream(ASK)) if (chunk.type === 'text') texts.push(chunk.text)
  expect([texts, provider.asked.length]).toEqual([['Fine.'], 2])
})

it('an answer that breaks off in the midst is asked for again where nobody has read a part of it', async () => {
  const cut = (reply: Reply): void => {
    reply.say('Half an ans')
    reply.response.end('data: [DONE]\n\n')
  }
  const provider = await handmade((reply, nth) => (nth % 2 === 1 ? cut(reply) : fine(reply)))
  expect(await model.complete(ASK)).toMatchObject({ text: 'Fine.' })
  const texts: string[] = []
  const read = async (): Promise<void> => {
    for await (const chunk of model.stream(ASK)) if (chunk.type === 'text') texts.push(chunk.text)
  }
  expect((await rejection(read())).code).toBe('provider_failed')
  expect([texts, provider.asked.length]).toEqual([['Half an ans'], 3])
})

it('the pause a server asks for is made', async () => {
  const server = new LLMock({ port: 0, host: '127.0.0.1' })
  server.on({}, { content: 'Fine.' })
  await server.start()
  stop = () => stopAtOnce(server)
  await start(`${server.url}/v1`)
  server.nextRequestError(429, { message: 'slow down' })
  const began = performance.now()
  expect(await model.complete(ASK)).toMatchObject({ text: 'Fine.' })
  // It says `Retry-After: 1`; the module's own pause would be a millisecond.
  expect(performance.now() - began).toBeGreaterThan(990)
  expect(server.getRequests().map(({ response }) => response.status)).toEqual([429, 200])
})

it('a pause longer than the call may take is not begun', async () => {
  const provider = await handmade(
    (reply) => reply.json(429, { error: { message: 'come back tomorrow' } }, { 'retry-after': '86400' }),
    'timeout_seconds: 60\n',
  )
  expect((await rejection(model.complete(ASK))).message).toContain('come back tomorrow')
  expect(provider.asked).toHaveLength(1)
})

it('an abort ends the pause', async () => {
  const stopIt = new AbortController()
  await handmade((reply) => {
    reply.json(429, { error: { message: 'wait' } }, { 'retry-after': '30' })
    setTimeout(() => stopIt.abort(new Error('no patience')), 50)
  })
  expect((await rejection(model.complete({ ...ASK, signal: stopIt.signal }))).message).toBe('no patience')
})

it('what the server asks for goes first, then a doubled pause, up to the time that is left', () => {
  const times = { retries: 5, retry_ms: 100 }
  const busy = { reason: 'busy', passing: true }
  const pauses = [1, 2, 3, 4, 5, 6].map((tried) => pauseBefore(busy, tried, times, 60_000, 1))
  expect(pauses).toEqual([100, 200, 400, 800, 1600, undefined])
  expect(pauseBefore(busy, 1, times, 60_000, 0)).toBe(75)
  expect(pauseBefore({ ...busy, wait_ms: 5_000 }, 1, times, 60_000, 1)).toBe(5_000)
  expect(pauseBefore({ ...busy, wait_ms: 5_000 }, 1, times, 5_000, 1)).toBeUndefined()
  expect(pauseBefore({ reason: 'no', passing: false }, 1, times, 60_000, 1)).toBeUndefined()
})

it.each([
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:12 GMT' }, 2_000],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:01 GMT' }, 0],
  [{ 'retry-after': '-5' }, 0],
  [{ 'retry-after-ms': '123', 'retry-after': '7' }, 123],
  [{ 'retry-after': 'soon' }, undefined],
  [{}, undefined],
])('the headers %j ask for %s ms', (headers, ms) => {
  const error = new APIError(429, { message: 'x' }, undefined, new Headers(headers))
  expect(failureOf(error, 10_000).wait_ms).toBe(ms)
})

it('a server that does not know stream_options is asked without them, from then on', async () => {
  const provider = await handmade((reply, _nth, { body }) =>
    'stream_options' in body ? reply.json(400, { error: { message: 'unknown field stream_options' } }) : fine(reply),
  )
  expect(await model.complete(ASK)).toMatchObject({ text: 'Fine.' })
  expect(await model.complete(ASK)).toMatchObject({ text: 'Fine.' })
  expect(provider.asked.map(({ body }) => 'stream_options' in body)).toEqual([true, false, false])
})

it('a model that wants the newer name of max_tokens gets it', async () => {
  const provider = await handmade((reply, _nth, { body }) => {
    if (!('max_tokens' in body)) return fine(reply)
    return reply.json(400, { error: { message: "Use 'max_completion_tokens' instead of 'max_tokens'." } })
  }, 'max_tokens: 50\n')
  await model.complete({ ...ASK, output_tokens_max: 20 })
  expect(provider.asked.map(({ body }) => body['max_completion_tokens'])).toEqual([undefined, 20])
})

it('tokens and money are what the server counted, times the prices', async () => {
  const server = new LLMock({ port: 0, host: '127.0.0.1' })
  const told = (cached: number) => ({
    prompt_tokens: 1_000,
    completion_tokens: 300,
    prompt_tokens_details: { cached_tokens: cached },
  })
  server.onMessage(/warm/, { content: 'Yes.', usage: told(800) })
  server.onMessage(/cold/, { content: 'Yes.', usage: told(0) })
  await server.start()
  stop = () => stopAtOnce(server)
  await start(`${server.url}/v1`, 'price: {input: 2, cached_input: 0.5, output: 8}\n')
  const usages: (Usage | null)[] = []
  for (const content of ['cold', 'warm', 'warm']) {
    usages.push((await model.complete({ messages: [{ role: 'user', content }] })).usage)
  }
  const sum = (key: keyof Usage): number => usages.reduce((total, usage) => total + Number(usage?.[key]), 0)
  const cached = Number(usages[1]?.cached_tokens)
  expect([sum('input_tokens'), sum('output_tokens')]).toEqual([3_000, 900])
  // The scripted server tells cached tokens to some clients only; what it told is what is counted.
  const expected = ((3_000 - 2 * cached) * 2 + 2 * cached * 0.5 + 900 * 8) / 1e6
  expect(sum('cost_usd')).toBeCloseTo(expected, 12)
})

it.each([
  ['{input: 2, cached_input: 0.5, output: 8}', { prompt_tokens_details: { cached_tokens: 800 } }, 800, 0.0032],
  ['{input: 2, output: 8}', { prompt_tokens_details: { cached_tokens: 800 } }, 800, 0.0044],
  ['{input: 2, cached_input: 0.5, output: 8}', { prompt_cache_hit_tokens: 1_000 }, 1_000, 0.0029],
  ['{input: 0, output: 0}', {}, 0, 0],
])('with the prices %s and %j', async (price, more, cached_tokens, cost_usd) => {
  await handmade((reply) => {
    reply.say('Yes.')
    reply.finish({ prompt_tokens: 1_000, completion_tokens: 300, ...more })
  }, `price: ${price}\n`)
  const { usage } = await model.complete(ASK)
  expect(usage).toMatchObject({ input_tokens: 1_000, output_tokens: 300, cached_tokens })
  expect(usage?.cost_usd).toBeCloseTo(cost_usd, 12)
})

it('a server that counts nothing costs nobody knows what', async () => {
  await handmade((reply) => {
    reply.say('Yes.')
    reply.finish()
  }, 'price: {input: 1, output: 1}\n')
  expect((await model.complete(ASK)).usage).toBeNull()
})

it('as a conversation grows, each request begins with the bytes of the one before', async () => {
  const provider = await handmade(fine, 'native_tools: true\ntemperature: 0.5\n')
  const tools = [
    { name: 'b', api: 'x', method: 'b', description: 'B', schema: { type: 'object' }, signature: 'b()' },
    { name: 'a', api: 'x', method: 'a', description: 'A', schema: { type: 'object' }, signature: 'a()' },
  ]
  const messages: ChatMessage[] = [{ role: 'system', content: 'You are here.' }]
  for (let turn = 0; turn < 4; turn++) {
    messages.push({ role: 'user', content: `Question ${turn} "ä"` })
    await model.complete({ messages, tools: turn % 2 === 0 ? tools : [...tools].reverse() })
    messages.push({ role: 'assistant', content: 'Fine.' })
  }
  for (const [at, { raw }] of provider.asked.slice(1).entries()) {
    const before = provider.asked[at]?.raw ?? ''
    // All but the end of the list and of the body.
    expect(raw.startsWith(before.slice(0, -2))).toBe(true)
  }
  expect(provider.asked[0]?.raw.indexOf('"tools"')).toBeLessThan(provider.asked[0]?.raw.indexOf('"messages"') ?? 0)
})

it.each([
  [undefined],
  [{}],
  [{ messages: [] }],
  [{ messages: [{ role: 'tool', content: 'x' }] }],
  [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
])('the request %j is refused before anybody is asked', async (request) => {
  const provider = await handmade(fine)
  expect((await rejection(model.complete(request as never))).code).toBe('bad_arguments')
  expect(provider.asked).toEqual([])
})
