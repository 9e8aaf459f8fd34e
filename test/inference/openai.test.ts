/** Inference through a real HTTP server that speaks OpenAI's protocol: happy path, errors with codes, the paper's config. */
import { LLMock } from '@copilotkit/aimock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { InferenceApi } from '../../modules/contracts/services.ts'
import { stopAtOnce } from '../support/scripted-server.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const KEY = 'MM_TEST_OPENAI_KEY'
const ASK = { messages: [{ role: 'user' as const, content: 'Say hello' }] }

/** Listing 10 of the paper, byte for byte, without its line numbers. */
const LISTING_10 = `# OpenAI-compatible inference provider configuration
prog: openai
api: deepseek-r1-0528

params:
  api_key_env: "OPENROUTER_API_KEY" # Environment variable containing API key
  base_url: "https://openrouter.ai/api/v1" # Default OpenAI URL
  model: "deepseek/deepseek-r1-0528-qwen3-8b:free" # Default model
  temperature: 0.7
  tool_use: true # Enable/disable tool usage for this configuration
  prompt_file: "prompts/meta.txt" # Path to prompt template
`

let server: LLMock
let system: TestSystem
let model: Handle<InferenceApi>
const before = { [KEY]: process.env[KEY], OPENROUTER_API_KEY: process.env['OPENROUTER_API_KEY'] }

const config = (more = ''): string =>
  `prog: inference/openai\nparams:\n  api_key_env: ${KEY}\n  base_url: ${server.url}/v1\n  model: test-model\n${more}`

async function start(files: Record<string, string>, api = 'openai'): Promise<void> {
  system = await startSystem(files)
  model = system.getApi<InferenceApi>(api)
}

/** The body of the last request as the server got it. */
const lastBody = (): Record<string, unknown> => server.getLastRequest()?.body ?? {}

beforeEach(async () => {
  for (const name of Object.keys(before)) delete process.env[name]
  server = new LLMock({ port: 0, host: '127.0.0.1', auth: { apiKeys: ['test-key'] } })
  server.onMessage(/hello/, { content: 'Hello to you.', usage: { prompt_tokens: 11, completion_tokens: 4 } })
  await server.start()
})
afterEach(async () => {
  await system.stop()
  await stopAtOnce(server)
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})

describe('with a key', () => {
  beforeEach(() => {
    process.env[KEY] = 'test-key'
  })

  it('an answer comes back with model, finish and usage', async () => {
    await start({ 'configs/openai.yml': config() })
    expect(await model.describe()).toEqual({
      model: 'test-model',
      ready: true,
      note: `${server.url}/v1`,
      tool_use: true,
    })
    expect(await model.complete(ASK)).toEqual({
      text: 'Hello to you.',
      model: 'test-model',
      finish: 'stop',
      usage: { input_tokens: 11, output_tokens: 4, cached_tokens: 0, cost_usd: null },
    })
  })

  it('the whole conversation and the configured values are sent, the key as bearer token', async () => {
    await start({ 'configs/openai.yml': config('  temperature: 0.25\n  max_tokens: 77\n') })
    const messages = [
      { role: 'system' as const, content: 'Be brief.' },
      { role: 'user' as const, content: 'Hi ä "x"' },
      { role: 'assistant' as const, content: '```tool\n{call: x}\n```' },
      { role: 'user' as const, content: 'Say hello' },
    ]
    await model.complete({ messages })
    expect(lastBody()).toMatchObject({ model: 'test-model', temperature: 0.25, max_tokens: 77, messages })
    expect(server.getLastRequest()?.path).toBe('/v1/chat/completions')
  })

  it('a text that was cut says so', async () => {
    server.onMessage(/long/, { content: 'It begins', finishReason: 'length' })
    await start({ 'configs/openai.yml': config() })
    const messages = [{ role: 'user' as const, content: 'a long story' }]
    expect(await model.complete({ messages })).toMatchObject({ text: 'It begins', finish: 'length' })
  })

  it('a server that is too busy once is asked again', async () => {
    await start({ 'configs/openai.yml': config() })
    server.nextRequestError(429, { message: 'slow down' })
    expect(await model.complete(ASK)).toMatchObject({ text: 'Hello to you.' })
    expect(server.getRequests().map(({ response }) => response.status)).toEqual([429, 200])
  })

  it('a change of the model in the config holds from the next call on', async () => {
    await start({ 'configs/openai.yml': config() })
    system.root.write('configs/openai.yml', config().replace('test-model', 'other-model'))
    await system.live('openai', 2)
    await model.complete(ASK)
    expect(lastBody()['model']).toBe('other-model')
  })

  it('an answer under way when the config changes still arrives', async () => {
    let release = (): void => {}
    const asked = new Promise<void>((resolve) => {
      server.onMessage(/wait/, () => {
        resolve()
        return new Promise((answer) => {
          release = () => answer({ content: 'Here I am.' })
        })
      })
    })
    await start({ 'configs/openai.yml': config() })
    const call = model.complete({ messages: [{ role: 'user', content: 'wait for it' }] })
    await asked
    system.root.write('configs/openai.yml', config().replace('test-model', 'other-model'))
    await system.live('openai', 2)
    release()
    expect(await call).toMatchObject({ text: 'Here I am.', model: 'test-model' })
  })
})

describe('an error of the provider has a code', () => {
  beforeEach(() => {
    process.env[KEY] = 'test-key'
  })

  it.each([400, 404, 429, 500, 503])('provider_failed for status %d, with what the server said', async (status) => {
    await start({ 'configs/openai.yml': config('  retries: 0\n') })
    server.nextRequestError(status, { message: 'the server is not in the mood' })
    const error = await rejection(model.complete(ASK))
    expect(error.code).toBe('provider_failed')
    expect(error.message).toContain('`openai`')
    expect(error.message).toContain('not in the mood')
  })

  it('provider_failed for a wrong key, and the key is in no message and no log', async () => {
    process.env[KEY] = 'wrong-key-4711'
    await start({ 'configs/openai.yml': config('  retries: 0\n') })
    const error = await rejection(model.complete(ASK))
    expect(error.code).toBe('provider_failed')
    expect(JSON.stringify([error, error.message, system.log, await system.show('openai')])).not.toContain(
      'wrong-key-4711',
    )
  })

  it('provider_failed when nobody listens there', async () => {
    await start({ 'configs/openai.yml': config('  retries: 0\n') })
    await stopAtOnce(server)
    expect((await rejection(model.complete(ASK))).code).toBe('provider_failed')
    await server.start()
  })

  it('provider_empty for an answer without text', async () => {
    server.onMessage(/nothing/, { content: '' })
    await start({ 'configs/openai.yml': config() })
    expect((await rejection(model.complete({ messages: [{ role: 'user', content: 'nothing' }] }))).code).toBe(
      'provider_empty',
    )
  })

  it('and the next call works again', async () => {
    await start({ 'configs/openai.yml': config('  retries: 0\n') })
    server.nextRequestError(500)
    await rejection(model.complete(ASK))
    expect(await model.complete(ASK)).toMatchObject({ text: 'Hello to you.' })
    expect(await system.show('openai')).toMatchObject({ state: 'live', generation: 1 })
  })
})

describe('without a key', () => {
  const remote = (): string => config().replace(`${server.url}/v1`, 'https://api.example.org/v1')

  it('the service is live, says that it is not ready and which variable it wants', async () => {
    await start({ 'configs/openai.yml': remote() })
    expect(await system.show('openai')).toMatchObject({ state: 'live' })
    expect(await model.describe()).toMatchObject({ ready: false, note: expect.stringContaining(KEY) as string })
    const error = await rejection(model.complete(ASK))
    expect(error.code).toBe('provider_unready')
    expect(error.message).toContain(KEY)
  })

  it('a key that is set later is used after a reload', async () => {
    await start({ 'configs/openai.yml': remote() })
    process.env[KEY] = 'test-key'
    expect(await system.reload('openai')).toMatchObject({ ok: true })
    expect(await model.describe()).toMatchObject({ ready: true })
  })

  it('an empty key is no key', async () => {
    process.env[KEY] = ''
    await start({ 'configs/openai.yml': remote() })
    expect(await model.describe()).toMatchObject({ ready: false })
  })

  it('a server on this machine needs none', async () => {
    await start({ 'configs/openai.yml': config() })
    expect(await model.describe()).toMatchObject({ ready: true })
  })

  it('an address that only begins like this machine is not this machine', async () => {
    for (const url of [
      'http://127.0.0.1.example.org/v1',
      'http://localhost.example.org',
      'https://example.org/http://127.0.0.1/',
    ]) {
      await start({ 'configs/openai.yml': config().replace(`${server.url}/v1`, url) })
      expect([url, (await model.describe()).ready]).toEqual([url, false])
      await system.stop()
    }
    await start({})
  })
})

describe("the paper's listing 10", () => {
  it('is a service as it stands, named as it says, and wants its key', async () => {
    await start({ 'configs/inference/deepseek.yml': LISTING_10 }, 'deepseek-r1-0528')
    expect(await system.show('deepseek-r1-0528')).toMatchObject({ state: 'live', stale: false, last_error: null })
    const { model: name, ready, note, ...more } = await model.describe()
    expect([name, ready]).toEqual(['deepseek/deepseek-r1-0528-qwen3-8b:free', false])
    expect(more).toEqual({ tool_use: true, prompt_file: 'prompts/meta.txt' })
    expect(note).toContain('OPENROUTER_API_KEY')
  })

  it('talks to its server, with its model, temperature and key', async () => {
    process.env['OPENROUTER_API_KEY'] = 'test-key'
    await start(
      {
        'configs/inference/deepseek.yml': LISTING_10.replace('https://openrouter.ai/api', server.url),
        'prompts/meta.txt': 'Be kind.',
      },
      'deepseek-r1-0528',
    )
    expect(await model.complete(ASK)).toMatchObject({ text: 'Hello to you.' })
    expect(lastBody()).toMatchObject({
      model: 'deepseek/deepseek-r1-0528-qwen3-8b:free',
      temperature: 0.7,
      messages: [{ role: 'system', content: 'Be kind.' }, ...ASK.messages],
    })
  })
})

it('a wrong value in the config is refused with its line, and the old version goes on', async () => {
  process.env[KEY] = 'test-key'
  await start({ 'configs/openai.yml': config() })
  const refused = system.event('service.refused')
  system.root.write('configs/openai.yml', config('  temperature: hot\n'))
  expect((await refused).data['error']).toMatchObject({ code: 'config_invalid', file: 'configs/openai.yml', line: 6 })
  expect(await model.complete(ASK)).toMatchObject({ text: 'Hello to you.' })
})

it.each(['https://user:secret@example.org/v1', 'https://example.org/v1?key=secret', 'ftp://example.org/v1'])(
  'the address %s is refused, and not repeated',
  async (url) => {
    await start({ 'configs/openai.yml': config().replace(`${server.url}/v1`, url) })
    const { state, last_error } = await system.show('openai')
    expect([state, last_error?.code]).toEqual(['failed', 'config_invalid'])
    expect(JSON.stringify([last_error, system.log])).not.toContain('secret')
  },
)
