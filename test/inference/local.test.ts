/** A model server on this machine is found by itself, and found again; nothing else is ever asked. Real HTTP. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LLMock } from '@copilotkit/aimock'
import { afterEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { EmbeddingApi, InferenceApi } from '../../modules/contracts/services.ts'
import { stopAtOnce } from '../support/scripted-server.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'
import { startProvider, type Provider, type Reply } from './provider.ts'

const ASK = { messages: [{ role: 'user' as const, content: 'Hello' }] }

let system: TestSystem
let model: Handle<InferenceApi & EmbeddingApi>
const stops: (() => Promise<unknown>)[] = []

/** `local_probe_ms` is what a loaded machine needs; `local_recheck_ms: 0` looks each time. */
async function start(ports: number[], more = 'local_recheck_ms: 0\n'): Promise<void> {
  system = await startSystem({
    'configs/local.yml': `prog: inference/openai\nlocal_ports: ${JSON.stringify(ports)}\nlocal_probe_ms: 900\nretry_ms: 1\n${more}`,
  })
  model = system.getApi<InferenceApi & EmbeddingApi>('local')
}

/** A server with these models that says who it is. */
async function modelServer(ids: string[], says = 'Here.', port = 0): Promise<Provider> {
  const provider = await startProvider((reply, { url }) => {
    if (url === '/v1/models')
      return reply.json(200, { object: 'list', data: ids.map((id) => ({ id, object: 'model' })) })
    reply.say(says)
    reply.finish()
  }, port)
  stops.push(() => provider.stop())
  return provider
}

async function answering(answer: (reply: Reply) => unknown): Promise<Provider> {
  const provider = await startProvider(answer)
  stops.push(() => provider.stop())
  return provider
}

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const server: Server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

afterEach(async () => {
  await system.stop()
  for (const stop of stops.splice(0)) await stop()
})

it('is ready with the first model of the first port that has one', async () => {
  const empty = await modelServer([])
  const first = await modelServer(['nomic-embed-text', 'llama3', 'other'], 'I am the first.')
  const second = await modelServer(['mistral'])
  await start([await freePort(), empty.port, first.port, second.port])
  expect(await model.describe()).toMatchObject({
    ready: true,
    model: 'llama3',
    note: `http://127.0.0.1:${first.port}/v1`,
  })
  expect(await model.complete(ASK)).toMatchObject({ text: 'I am the first.' })
  expect(second.asked.every(({ url }) => url === '/v1/models')).toBe(true)
})

it('the scripted server is found like any other', async () => {
  const server = new LLMock({ port: 0, host: '127.0.0.1' })
  server.on({ model: /.+/ }, { content: 'Scripted.' })
  await server.start()
  stops.push(() => stopAtOnce(server))
  await start([server.port])
  expect(await model.describe()).toMatchObject({ ready: true })
  expect(await model.complete(ASK)).toMatchObject({ text: 'Scripted.' })
})

it('a model that is named is used where it is, and missed where it is not', async () => {
  const first = await modelServer(['a'])
  const second = await modelServer(['b', 'c'])
  await start([first.port, second.port], 'model: c\nlocal_recheck_ms: 0\n')
  expect(await model.describe()).toMatchObject({ ready: true, model: 'c' })
  await second.stop()
  const { ready, note } = await model.describe()
  expect([ready, note]).toEqual([false, expect.stringMatching(/no model c .*only a$/)])
})

it('a server that starts later is found, one that goes is missed, and one that comes back is found again', async () => {
  const port = await freePort()
  await start([port])
  expect(await model.describe()).toMatchObject({ ready: false, note: expect.stringContaining(String(port)) as string })
  expect((await rejection(model.complete(ASK))).code).toBe('provider_unready')
  const server = await modelServer(['llama3'], 'Up.', port)
  expect(await model.describe()).toMatchObject({ ready: true })
  expect(await model.complete(ASK)).toMatchObject({ text: 'Up.' })
  await server.stop()
  expect(await model.describe()).toMatchObject({ ready: false })
  await modelServer(['llama3'], 'Back.', port)
  expect(await model.complete(ASK)).toMatchObject({ text: 'Back.' })
})

it('what was found is believed for a while, by all who ask at once', async () => {
  const server = await modelServer(['llama3'])
  await start([server.port], 'local_recheck_ms: 60000\n')
  await Promise.all([model.describe(), model.describe(), model.complete(ASK)])
  await model.describe()
  expect(server.asked.filter(({ url }) => url === '/v1/models')).toHaveLength(1)
})

it('a server that is gone although it was believed in is looked for anew within the same call', async () => {
  const first = await modelServer(['a'], 'First.')
  const second = await modelServer(['b'], 'Second.')
  await start([first.port, second.port], 'local_recheck_ms: 60000\n')
  expect(await model.complete(ASK)).toMatchObject({ text: 'First.' })
  await first.stop()
  expect(await model.complete(ASK)).toMatchObject({ text: 'Second.' })
  await second.stop()
  expect((await rejection(model.complete(ASK))).code).toBe('provider_unready')
})

describe('is no model server:', () => {
  it.each<[string, (reply: Reply) => unknown]>([
    ['a page', (reply) => reply.response.end('<html>')],
    ['other JSON', (reply) => reply.json(200, { models: ['a'] })],
    ['an error', (reply) => reply.json(500, { data: [{ id: 'a' }] })],
    ['silence', () => undefined],
    [
      'a list without end',
      (reply) => {
        const more = setInterval(() => reply.response.write('x'.repeat(65_536)), 0)
        void reply.closed.then(() => clearInterval(more))
      },
    ],
  ])('%s', async (_name, answer) => {
    const other = await answering(answer)
    await start([other.port], 'local_recheck_ms: 0\n')
    expect(await model.describe()).toMatchObject({ ready: false })
  })

  it('one that sends the request on: whoever it names is not asked', async () => {
    const target = await modelServer(['a'])
    const sender = await answering((reply) =>
      reply.json(307, {}, { location: `http://127.0.0.1:${target.port}/v1/models` }),
    )
    await start([sender.port])
    expect(await model.describe()).toMatchObject({ ready: false })
    expect(target.asked).toEqual([])
  })
})

it('a server that is found may not send a conversation on', async () => {
  const target = await modelServer(['a'])
  const sender = await startProvider((reply, { url }) => {
    if (url === '/v1/models') return reply.json(200, { data: [{ id: 'a' }] })
    return reply.json(307, {}, { location: `http://127.0.0.1:${target.port}/v1/chat/completions` })
  })
  stops.push(() => sender.stop())
  await start([sender.port])
  expect((await rejection(model.complete(ASK))).code).toBe('provider_failed')
  expect(target.asked).toEqual([])
})

it('what is found is not given the key of OpenAI', async () => {
  const before = process.env['OPENAI_API_KEY']
  process.env['OPENAI_API_KEY'] = 'sk-not-for-you'
  try {
    const server = await modelServer(['a'])
    await start([server.port])
    await model.complete(ASK)
    expect(server.asked.length).toBeGreaterThan(1)
    expect(JSON.stringify(server.asked.map(({ headers }) => headers))).not.toContain('sk-not-for-you')
  } finally {
    if (before === undefined) delete process.env['OPENAI_API_KEY']
    else process.env['OPENAI_API_KEY'] = before
  }
})

it('a config with neither a model nor ports is refused', async () => {
  system = await startSystem({ 'configs/local.yml': 'prog: inference/openai\n' })
  expect((await system.show('local')).last_error).toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('`model`') as string,
  })
})
