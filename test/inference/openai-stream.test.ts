/** Answers in pieces, over real HTTP: as they come, how they end, and how they may be cut short. */
import { LLMock } from '@copilotkit/aimock'
import { afterEach, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { InferenceApi } from '../../modules/contracts/services.ts'
import { stopAtOnce } from '../support/scripted-server.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'
import { gate, read, startProvider, type Provider, type Reply } from './provider.ts'

const ASK = { messages: [{ role: 'user' as const, content: 'Tell me' }] }
const STORY = 'Once upon a time there was a machine that nobody ever had to restart.'

let system: TestSystem
let model: Handle<InferenceApi>
const stops: (() => Promise<unknown>)[] = []

const config = (url: string, more = ''): string =>
  `prog: inference/openai\nbase_url: ${url}\nmodel: test-model\nretries: 0\n${more}`

async function start(url: string, more = ''): Promise<void> {
  system = await startSystem({ 'configs/openai.yml': config(url, more) })
  model = system.getApi<InferenceApi>('openai')
}

async function handmade(answer: (reply: Reply, nth: number) => unknown, more = ''): Promise<Provider> {
  const provider = await startProvider((reply, _asked, nth) => answer(reply, nth))
  stops.push(() => provider.stop())
  await start(provider.url, more)
  return provider
}

async function scripted(more = ''): Promise<LLMock> {
  const server = new LLMock({ port: 0, host: '127.0.0.1' })
  await server.start()
  stops.push(() => stopAtOnce(server))
  await start(`${server.url}/v1`, more)
  return server
}

afterEach(async () => {
  await system.stop()
  for (const stop of stops.splice(0)) await stop()
})

it('a piece is there before the next one is sent', async () => {
  const seen = gate()
  await handmade(async (reply) => {
    reply.say('One, ')
    await seen.opened
    reply.say('two.')
    reply.finish({ prompt_tokens: 3, completion_tokens: 4 })
  })
  const { texts, end } = await read(model.stream(ASK), seen.open)
  expect(texts).toEqual(['One, ', 'two.'])
  expect(end).toEqual({
    type: 'end',
    completion: {
      text: 'One, two.',
      model: 'handmade',
      finish: 'stop',
      usage: { input_tokens: 3, output_tokens: 4, cached_tokens: 0, cost_usd: null },
    },
  })
})

it('the pieces put together are the text of the completion, and the usage is what the server counted', async () => {
  const server = await scripted()
  server.onMessage(/Tell/, { content: STORY, usage: { prompt_tokens: 12, completion_tokens: 17 } }, { chunkSize: 3 })
  const { texts, end } = await read(model.stream(ASK))
  expect(texts.length).toBeGreaterThan(10)
  expect(texts.join('')).toBe(STORY)
  expect(end).toMatchObject({
    completion: { text: STORY, finish: 'stop', usage: { input_tokens: 12, output_tokens: 17 } },
  })
})

it('an answer that arrives byte by byte is the same, whatever is cut in two', async () => {
  const said = 'Ünïcode ✓ 日本 🎉 "quoted"\nand more'
  await handmade(async (reply) => {
    const events = [
      { choices: [{ index: 0, delta: { content: said }, finish_reason: null }] },
      { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    ]
    reply.send(': begin\r\n\r\n')
    for (const byte of Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join(''))) {
      reply.response.write(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    reply.response.end()
  })
  expect(await read(model.stream(ASK))).toMatchObject({ texts: [said], end: { completion: { text: said } } })
})

it('slow pieces are waited for', async () => {
  const server = await scripted('idle_seconds: 5\n')
  server.onMessage(/Tell/, { content: STORY }, { chunkSize: 10, latency: 20 })
  expect((await read(model.stream(ASK))).texts.join('')).toBe(STORY)
})

it('an answer that stands still is given up after the configured time', async () => {
  const gone = gate()
  await handmade((reply) => {
    reply.say('And then')
    void reply.closed.then(gone.open)
  }, 'idle_seconds: 0.5\n')
  const { texts, end, error } = await read(model.stream(ASK))
  expect([texts, end]).toEqual([['And then'], undefined])
  expect(error).toMatchObject({ code: 'provider_failed', message: expect.stringContaining('stood still') as string })
  await gone.opened
})

it('a server that says it is still at work does not stand still', async () => {
  await handmade(async (reply) => {
    for (let turn = 0; turn < 15; turn++) {
      reply.send(': still at work\n\n')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    reply.say('Done.')
    reply.finish()
  }, 'idle_seconds: 1\n')
  expect((await read(model.stream(ASK))).texts).toEqual(['Done.'])
})

it('an answer that does not begin is given up after the configured time', async () => {
  await handmade(() => undefined, 'connect_seconds: 0.05\n')
  const { error } = await read(model.stream(ASK))
  expect(error).toMatchObject({ code: 'provider_failed', message: expect.stringContaining('begin') as string })
})

it('an answer that never ends is given up after the time for the whole', async () => {
  await handmade((reply) => {
    const more = setInterval(() => reply.say('and '), 5)
    void reply.closed.then(() => clearInterval(more))
  }, 'timeout_seconds: 0.1\n')
  const { end, error } = await read(model.stream(ASK))
  expect(end).toBeUndefined()
  expect(error).toMatchObject({ code: 'provider_failed', message: expect.stringContaining('0.1 s') as string })
})

it('a stream that is cut off is an error, never a whole answer', async () => {
  const server = await scripted()
  server.onMessage(/Tell/, { content: STORY }, { chunkSize: 5, truncateAfterChunks: 4 })
  const { texts, end, error } = await read(model.stream(ASK))
  expect(STORY.startsWith(texts.join(''))).toBe(true)
  expect([end, error?.code]).toEqual([undefined, 'provider_failed'])
  expect((await rejection(model.complete(ASK))).code).toBe('provider_failed')
})

it('a stream that ends politely, but without saying why, is an error too', async () => {
  await handmade((reply) => {
    reply.say('To be continued')
    reply.response.end('data: [DONE]\n\n')
  })
  const { end, error } = await read(model.stream(ASK))
  expect([end, error?.code]).toEqual([undefined, 'provider_failed'])
  expect(error?.message).toContain('after 15 characters')
})

it('what is no stream of events at all is an error', async () => {
  const server = await scripted()
  server.setChaos({ malformedRate: 1 })
  const { texts, end, error } = await read(model.stream(ASK))
  expect([texts, end, error?.code]).toEqual([[], undefined, 'provider_failed'])
})

it('an event that is no JSON is an error', async () => {
  await handmade((reply) => {
    reply.say('So far')
    reply.send('data: {"choices": [{"index": 0,\n\n')
    reply.finish()
  })
  const { texts, end, error } = await read(model.stream(ASK))
  expect([texts, end, error?.code]).toEqual([['So far'], undefined, 'provider_failed'])
})

it('an error in the midst of a stream ends it with what the server said', async () => {
  await handmade((reply) => {
    reply.say('So far')
    reply.send({ error: { message: 'the graphics card is on fire', code: 502 } })
    reply.finish()
  })
  const { texts, end, error } = await read(model.stream(ASK))
  expect([texts, end]).toEqual([['So far'], undefined])
  expect(error).toMatchObject({ code: 'provider_failed', message: expect.stringContaining('on fire') as string })
})

it('an answer without text is provider_empty', async () => {
  const server = await scripted()
  server.onMessage(/Tell/, { content: '' })
  const { texts, end, error } = await read(model.stream(ASK))
  expect([texts, end, error?.code]).toEqual([[], undefined, 'provider_empty'])
})

it('a server that falls silent after the end of the answer does no harm', async () => {
  await handmade((reply) => {
    reply.say('All of it.')
    reply.send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  }, 'idle_seconds: 0.5\n')
  const { end, error } = await read(model.stream(ASK))
  expect([error, end]).toMatchObject([undefined, { completion: { text: 'All of it.', usage: null } }])
})

it('a server that does not stream is understood', async () => {
  await handmade((reply) =>
    reply.json(200, {
      model: 'whole',
      choices: [{ index: 0, finish_reason: 'length', message: { role: 'assistant', content: 'In one piece' } }],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    }),
  )
  const { texts, end } = await read(model.stream(ASK))
  expect(texts).toEqual(['In one piece'])
  expect(end).toMatchObject({ completion: { model: 'whole', finish: 'length', usage: { output_tokens: 2 } } })
})

it('an answer beyond the limit of bytes is an error', async () => {
  await handmade((reply) => {
    reply.say('x'.repeat(5_000))
    reply.finish()
  }, 'answer_bytes_max: 2000\n')
  const { end, error } = await read(model.stream(ASK))
  expect(end).toBeUndefined()
  expect(error).toMatchObject({ code: 'provider_failed', message: expect.stringContaining('2000 bytes') as string })
})
