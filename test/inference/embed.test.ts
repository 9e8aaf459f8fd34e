/** Vectors from an OpenAI-compatible endpoint, over real HTTP. */
import { LLMock } from '@copilotkit/aimock'
import { afterEach, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { EmbeddingApi } from '../../modules/contracts/services.ts'
import { stopAtOnce } from '../support/scripted-server.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'
import { startProvider, type Asked, type Provider, type Reply } from './provider.ts'

let system: TestSystem
let model: Handle<EmbeddingApi>
let stop: () => Promise<unknown>

async function start(url: string, more = ''): Promise<void> {
  system = await startSystem({
    'configs/openai.yml': `prog: inference/openai\nbase_url: ${url}\nmodel: chat-model\nretry_ms: 1\n${more}`,
  })
  model = system.getApi<EmbeddingApi>('openai')
}

async function handmade(answer: (reply: Reply, asked: Asked, nth: number) => unknown, more = ''): Promise<Provider> {
  const provider = await startProvider(answer)
  stop = () => provider.stop()
  await start(provider.url, more)
  return provider
}

const inputOf = ({ body }: Asked): string[] => body['input'] as string[]
/** Says how long each text is, last first. */
const lengths = (reply: Reply, asked: Asked): void =>
  reply.json(200, {
    model: 'lengths',
    data: inputOf(asked)
      .map((text, index) => ({ object: 'embedding', index, embedding: [text.length, 0.25, -1e-9] }))
      .reverse(),
  })

afterEach(async () => {
  await system.stop()
  await stop()
})

it('numbers are asked for as numbers, and come back as they were', async () => {
  const server = new LLMock({ port: 0, host: '127.0.0.1' })
  const vector = [0.1, -0.2, 0.333333333333, 4, 5, 6, 7, 8]
  server.onEmbedding(/one/, { embedding: vector })
  await server.start()
  stop = () => stopAtOnce(server)
  await start(`${server.url}/v1`, 'embedding_model: small\n')
  const { vectors } = await model.embed(['one'])
  expect(vectors).toEqual([vector])
  expect(server.getLastRequest()?.body).toMatchObject({ model: 'small' })
})

it('each text has its vector, in the order of the texts, however many they are', async () => {
  const provider = await handmade(lengths)
  const texts = Array.from({ length: 200 }, (_, at) => 'x'.repeat(at + 1))
  const { vectors, model: name } = await model.embed(texts)
  expect(vectors).toEqual(texts.map(({ length }) => [length, 0.25, -1e-9]))
  expect(name).toBe('lengths')
  expect(provider.asked.map((asked) => inputOf(asked).length)).toEqual([64, 64, 64, 8])
  expect(Object.keys(provider.asked[0]?.body ?? {}).sort()).toEqual(['encoding_format', 'input', 'model'])
  expect(provider.asked[0]?.body).toMatchObject({ model: 'chat-model', encoding_format: 'float' })
})

it('dimensions are sent where the config names them, and only there', async () => {
  const provider = await handmade(lengths, 'embedding_dimensions: 3\n')
  await model.embed(['a'])
  expect(provider.asked[0]?.body).toMatchObject({ dimensions: 3 })
})

it('no text needs nobody', async () => {
  const provider = await handmade(lengths)
  expect(await model.embed([])).toEqual({ vectors: [], model: 'chat-model' })
  expect(provider.asked).toEqual([])
})

it('a server that is too busy is asked again', async () => {
  const provider = await handmade((reply, asked, nth) =>
    nth === 1 ? reply.json(429, { error: { message: 'busy' } }) : lengths(reply, asked),
  )
  expect((await model.embed(['ab'])).vectors).toEqual([[2, 0.25, -1e-9]])
  expect(provider.asked).toHaveLength(2)
})

it.each([
  ['too few', { data: [{ index: 0, embedding: [1] }] }],
  [
    'one twice',
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 0, embedding: [1] },
      ],
    },
  ],
  [
    'base64',
    {
      data: [
        { index: 0, embedding: 'AACAPw==' },
        { index: 1, embedding: 'AACAPw==' },
      ],
    },
  ],
  [
    'of different lengths',
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: [1, 2] },
      ],
    },
  ],
  [
    'empty',
    {
      data: [
        { index: 0, embedding: [] },
        { index: 1, embedding: [] },
      ],
    },
  ],
  ['no list', { error: 'what?' }],
])('vectors that are %s are an error', async (_name, answer) => {
  await handmade((reply) => reply.json(200, answer), 'retries: 0\n')
  expect((await rejection(model.embed(['a', 'b']))).code).toBe('provider_failed')
})

it.each([[undefined], ['text'], [['a', '']], [['a', 1]]])('%j is refused', async (texts) => {
  const provider = await handmade(lengths)
  expect((await rejection(model.embed(texts as never))).code).toBe('bad_arguments')
  expect(provider.asked).toEqual([])
})

it('a server that does not answer is given up', async () => {
  await handmade(() => undefined, 'retries: 0\nconnect_seconds: 0.05\n')
  expect((await rejection(model.embed(['a']))).message).toContain('begin')
})
