/** One model asks another, through the tool and over real HTTP, and cannot do so for ever. */
import { afterEach, expect, it } from 'vitest'
import type { ToolsApi } from '../../modules/contracts/services.ts'
import type { ToolResult } from '../../modules/contracts/tool.ts'
import { depthOf, type Ask } from '../../modules/inference/ask.ts'
import { startSystem, type TestSystem } from '../support/system.ts'
import { gate, startProvider, type Provider, type Reply } from './provider.ts'

/** An inference service that asks on before it answers, as an agent might. */
const AGENT = `export class Module {
  constructor(kernel, { next }) {
    this.kernel = kernel
    this.next = next
  }
  describe() { return { model: 'agent', ready: true, note: '' } }
  async complete() {
    const params = { provider: this.next, question: 'And you?' }
    const { status, value, error } = await this.kernel.getApi('tools').invoke('ask_model', params, { caller: this.kernel.api })
    return { text: status === 'success' ? value.answer : error.code + ': ' + error.message, model: 'agent', finish: 'stop', usage: null }
  }
  async *stream(request) {
    yield { type: 'end', completion: await this.complete(request) }
  }
}
`

let system: TestSystem
let provider: Provider

async function start(answer: (reply: Reply, nth: number) => unknown, ask = '', files: Record<string, string> = {}) {
  provider = await startProvider((reply, _asked, nth) => answer(reply, nth))
  system = await startSystem({
    'configs/wise.yml': `prog: inference/openai\nbase_url: ${provider.url}\nmodel: wise-model\nprompt_file: prompts/none.txt\nprice: {input: 1000, output: 1000}\n`,
    'configs/inference/offline.yml': 'api: offline\n',
    'configs/inference/ask.yml': `api: ask\n${ask}`,
    'configs/services/tools.yml': 'api: tools\n',
    ...files,
  })
}

const ask = (params: Record<string, unknown>, caller = 'tester'): Promise<ToolResult> =>
  system.getApi<ToolsApi>('tools').invoke('ask_model', params, { caller })

const say =
  (text: string) =>
  (reply: Reply): void => {
    reply.say(text)
    reply.finish({ prompt_tokens: 100, completion_tokens: 400 })
  }

/** The code of the error, with its message. */
const refusal = (result: ToolResult): string =>
  result.status === 'error' ? `${result.error.code}: ${result.error.message}` : 'it ran'

afterEach(async () => {
  await system.stop()
  await provider.stop()
})

it('the question reaches the model asked, and its answer the one who asks', async () => {
  await start(say('Forty-two.'))
  const result = await ask({ provider: 'wise', question: 'What is it?', system: 'One word.' })
  expect(result).toMatchObject({
    status: 'success',
    value: {
      provider: 'wise',
      model: 'handmade',
      answer: 'Forty-two.',
      cut: false,
      usage: { output_tokens: 400, cost_usd: 0.5 },
    },
  })
  expect(provider.asked[0]?.body).toMatchObject({
    max_tokens: 2_000,
    messages: [
      { role: 'system', content: 'One word.' },
      { role: 'user', content: 'What is it?' },
    ],
  })
  expect(provider.asked[0]?.body).not.toHaveProperty('tools')
})

it('the ones to ask are listed, and no other service is one', async () => {
  await start(say('x'))
  const { status, value } = (await system.getApi<ToolsApi>('tools').invoke('ask_providers', {})) as ToolResult & {
    value: unknown
  }
  expect([status, value]).toMatchObject([
    'success',
    [
      { provider: 'offline', ready: true },
      { provider: 'wise', model: 'wise-model', ready: true },
    ],
  ])
  expect(refusal(await ask({ provider: 'tools', question: 'x' }))).toMatch(/^bad_arguments: .*there are: offline, wise/)
})

it('a config can name who may be asked', async () => {
  await start(say('x'), 'providers: [offline]\n')
  expect(refusal(await ask({ provider: 'wise', question: 'x' }))).toMatch(/^bad_arguments: .*there are: offline$/m)
  expect(provider.asked).toEqual([])
})

it('an error of the one asked is the answer', async () => {
  await start((reply) => reply.json(400, { error: { message: 'I am not well' } }))
  expect(refusal(await ask({ provider: 'wise', question: 'x' }))).toMatch(/^provider_failed: .*not well/)
})

it('models that ask each other in a ring come to an end', async () => {
  await start(say('x'), 'depth_max: 3\n', {
    'modules/agent.ts': AGENT,
    'configs/ping.yml': 'api: ping\nprog: agent\nnext: pong\n',
    'configs/pong.yml': 'api: pong\nprog: agent\nnext: ping\n',
  })
  const result = await ask({ provider: 'ping', question: 'Well?' })
  expect(result).toMatchObject({ value: { answer: expect.stringMatching(/^ask_limit: .*3 models/) as string } })
  // Nothing stays counted: the next question goes as deep.
  expect(await ask({ provider: 'ping', question: 'Well?' })).toEqual(result)
})

it('an agent may ask on within the depth', async () => {
  await start(say('From the bottom.'), 'depth_max: 2\n', {
    'modules/agent.ts': AGENT,
    'configs/agent.yml': 'api: agent\nprog: agent\nnext: wise\n',
  })
  expect(await ask({ provider: 'agent', question: 'Well?' })).toMatchObject({ value: { answer: 'From the bottom.' } })
})

it('what was spent within the hour is the limit, also after a reload', async () => {
  await start(say('Dear.'), 'cost_usd_per_hour_max: 0.9\n')
  expect(refusal(await ask({ provider: 'wise', question: 'x' }))).toBe('it ran')
  expect(refusal(await ask({ provider: 'wise', question: 'x' }))).toBe('it ran')
  expect(refusal(await ask({ provider: 'wise', question: 'x' }))).toMatch(/^ask_limit: .*1\.0000 US\$/)
  system.root.write('configs/inference/ask.yml', 'api: ask\ncost_usd_per_hour_max: 0.95\n')
  await system.live('ask', 2)
  expect(refusal(await ask({ provider: 'wise', question: 'x' }))).toMatch(/^ask_limit/)
  expect(provider.asked).toHaveLength(2)
})

it('so are the asks, and those that are open at once', async () => {
  const door = gate()
  const there = gate()
  await start(async (reply) => {
    there.open()
    await door.opened
    say('At last.')(reply)
  }, 'asks_per_hour_max: 2\nopen_max: 1\n')
  const first = ask({ provider: 'wise', question: 'x' })
  await there.opened
  expect(refusal(await ask({ provider: 'wise', question: 'x' }))).toMatch(/^ask_limit: .*at once/)
  door.open()
  expect(refusal(await first)).toBe('it ran')
  expect(refusal(await ask({ provider: 'wise', question: 'x' }))).toBe('it ran')
  expect(refusal(await ask({ provider: 'wise', question: 'x' }))).toMatch(/^ask_limit: .*within an hour/)
})

it('one who does not answer is given up', async () => {
  await start(() => undefined, 'timeout_seconds: 0.1\n')
  expect(refusal(await ask({ provider: 'wise', question: 'x' }))).toMatch(/^provider_failed: .*within 0\.1 s/)
})

it.each<[string, number, [string, string][]]>([
  ['nobody has asked', 0, []],
  ['others have asked others', 0, [['x', 'y']]],
  ['one has asked it', 1, [['x', 'me']]],
  [
    'one of several chains is longer',
    3,
    [
      ['x', 'me'],
      ['z', 'y'],
      ['w', 'z'],
      ['y', 'me'],
    ],
  ],
  ['it has asked itself', 1, [['me', 'me']]],
  [
    'two ask each other',
    2,
    [
      ['me', 'you'],
      ['you', 'me'],
    ],
  ],
])('when %s, the depth is %d', (_name, depth, pairs) => {
  const open: Ask[] = pairs.map(([caller, asked]) => ({ caller, provider: asked }))
  expect(depthOf('me', open)).toBe(depth)
})
