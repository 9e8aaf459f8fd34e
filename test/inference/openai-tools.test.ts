/** Tools in the provider's own form, over real HTTP: what is offered, and that what comes back is text with fences. */
import { LLMock } from '@copilotkit/aimock'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { scan, type CallPart, type Part } from '../../modules/bracket/index.ts'
import type { Handle } from '../../modules/contracts/module.ts'
import type { CompletionRequest, InferenceApi } from '../../modules/contracts/services.ts'
import type { ToolInfo } from '../../modules/contracts/tool.ts'
import { stopAtOnce } from '../support/scripted-server.ts'
import { startSystem, type TestSystem } from '../support/system.ts'
import { startProvider, type Provider, type Reply } from './provider.ts'

const tool = (name: string): ToolInfo => ({
  name,
  api: 'x',
  method: name,
  description: `Does ${name}.`,
  schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  signature: `${name}(path: string)`,
})
const ASK: CompletionRequest = {
  messages: [{ role: 'user', content: 'Read it' }],
  tools: [tool('files_read'), tool('files_find')],
}

let system: TestSystem
let model: Handle<InferenceApi>
let server: LLMock
let provider: Provider | undefined

async function start(url: string, more = ''): Promise<void> {
  system = await startSystem({
    'configs/openai.yml': `prog: inference/openai\nbase_url: ${url}\nmodel: m\nretries: 0\n${more}`,
    'prompts/my.txt': 'You are mine.\n{{tools}}\nEnd.',
  })
  model = system.getApi<InferenceApi>('openai')
}

const scripted = (more = 'native_tools: true\n'): Promise<void> => start(`${server.url}/v1`, more)

async function handmade(answer: (reply: Reply) => unknown): Promise<void> {
  provider = await startProvider(answer)
  await start(provider.url, 'native_tools: true\n')
}

/** Sends pieces of calls, as some server does, then the reason of the end. */
const sending =
  (pieces: object[], reason = 'tool_calls') =>
  (reply: Reply): void => {
    for (const piece of pieces) reply.send({ choices: [{ index: 0, delta: { tool_calls: [piece] } }] })
    reply.finish(undefined, reason)
  }

const body = (): Record<string, unknown> => server.getLastRequest()?.body ?? {}

/** The calls in an answer, read as the assistant reads them, after a look at the stream and the whole being one. */
async function callsOf(request: CompletionRequest = ASK): Promise<Part[]> {
  let text = ''
  for await (const chunk of model.stream(request)) {
    if (chunk.type === 'text') text += chunk.text
    else expect(chunk.completion.text).toBe(text)
  }
  return scan(text, { repair: true }).filter((part) => part.kind !== 'text' || part.text.trim() !== '')
}

beforeEach(async () => {
  server = new LLMock({ port: 0, host: '127.0.0.1' })
  await server.start()
})
afterEach(async () => {
  await system.stop()
  await stopAtOnce(server)
  await provider?.stop()
  provider = undefined
})

it('the tools are offered in the order of their names, with their schemas', async () => {
  server.onMessage(/Read/, { content: 'No need.' })
  await scripted()
  await model.complete(ASK)
  expect(body()['tools']).toEqual(
    ['files_find', 'files_read'].map((name) => ({
      type: 'function',
      function: { name, description: `Does ${name}.`, parameters: tool(name).schema },
    })),
  )
})

it.each([
  ['without native_tools', ''],
  ['with tool_use: false', 'native_tools: true\ntool_use: false\n'],
])('%s none is offered', async (_name, more) => {
  server.onMessage(/Read/, { content: 'No need.' })
  await scripted(more)
  await model.complete(ASK)
  expect(body()).not.toHaveProperty('tools')
  expect(await model.describe()).toMatchObject({ tool_use: !more.includes('false') })
})

it('a call comes back as text that reads as the same call', async () => {
  const params = { path: 'a "b"\n```tool\n{call: x}\n```.txt', lines: [1, 2.5], deep: { on: true, off: null } }
  server.onMessage(/Read/, { toolCalls: [{ name: 'files_read', arguments: JSON.stringify(params) }] })
  await scripted()
  const [call, ...rest] = await callsOf()
  expect(rest).toEqual([])
  expect(call).toMatchObject({ kind: 'call', name: 'files_read', params })
  expect(call).not.toHaveProperty('warnings')
})

it('text and several calls, in small pieces, keep their order', async () => {
  server.onMessage(
    /Read/,
    {
      content: 'I will look.',
      toolCalls: [
        { name: 'files_read', arguments: '{"path":"one"}' },
        { name: 'files_find', arguments: '{"path":"two"}' },
        { name: 'files_read', arguments: '{"path":"three"}' },
      ],
    },
    { chunkSize: 2 },
  )
  await scripted()
  const parts = await callsOf()
  expect(parts[0]).toMatchObject({ kind: 'text', text: expect.stringContaining('I will look.') as string })
  expect(parts.slice(1).map((part) => [(part as CallPart).name, (part as CallPart).params['path']])).toEqual([
    ['files_read', 'one'],
    ['files_find', 'two'],
    ['files_read', 'three'],
  ])
})

it('a call carries the mark of its conversation and the id the provider gave it', async () => {
  server.onMessage(/Read/, {
    toolCalls: [
      { name: 'files_read', arguments: '{"path":"one"}', id: 'call_"one"' },
      { name: 'files_read', arguments: '{"path":"two"}', id: 'call_two' },
    ],
  })
  await scripted()
  const calls = await callsOf({ ...ASK, mark: 'k7f' })
  expect(calls.map((part) => (part as CallPart).id)).toEqual(['k7f-call_"one"', 'k7f-call_two'])
})

it('a call without arguments has none', async () => {
  await handmade(sending([{ index: 0, id: 'a', function: { name: 'files_list' } }]))
  expect(await callsOf()).toMatchObject([{ kind: 'call', name: 'files_list', params: {} }])
})

it.each([
  [
    'numbered all 0, with ids of their own',
    [
      { index: 0, id: 'a', function: { name: 'one', arguments: '{"x":1}' } },
      { index: 0, id: 'b', function: { name: 'two', arguments: '{"x":2}' } },
    ],
  ],
  [
    'not numbered, each in one piece',
    [
      { id: 'a', function: { name: 'one', arguments: '{"x":1}' } },
      { id: 'b', function: { name: 'two', arguments: '{"x":2}' } },
    ],
  ],
  [
    'not numbered, in pieces',
    [
      { id: 'a', function: { name: 'one', arguments: '{"x"' } },
      { function: { arguments: ':1}' } },
      { id: 'b', function: { name: 'two', arguments: '{"x":2}' } },
    ],
  ],
  [
    'mixed with each other, the name and id repeated',
    [
      { index: 0, id: 'a', function: { name: 'one', arguments: '{"x"' } },
      { index: 1, id: 'b', function: { name: 'two', arguments: '{"x"' } },
      { index: 0, id: 'a', function: { name: 'one', arguments: ':1}' } },
      { index: 1, id: null, function: { name: null, arguments: ':2}' } },
    ],
  ],
])('calls %s, are told apart', async (_name, pieces) => {
  await handmade(sending(pieces))
  expect(await callsOf()).toMatchObject([
    { kind: 'call', name: 'one', params: { x: 1 } },
    { kind: 'call', name: 'two', params: { x: 2 } },
  ])
})

it.each(["{'x': 1, 'y': [1, 2,],}", '{"x": 1, "y": [1, 2]'])('arguments with a slip are repaired: %s', async (args) => {
  await handmade(sending([{ index: 0, id: 'a', function: { name: 'one', arguments: args } }]))
  expect(await callsOf()).toMatchObject([{ kind: 'call', name: 'one', params: { x: 1, y: [1, 2] } }])
})

it.each(['{"x": "half', '[1, 2]', '"text"', '7', 'what?', '{"x": "say "no" now"}'])(
  'arguments beyond repair are an error with a place, beside a call that is whole: %s',
  async (args) => {
    await handmade(
      sending([
        { index: 0, id: 'a', function: { name: 'one', arguments: '{"x":1}' } },
        { index: 1, id: 'b', function: { name: 'two', arguments: args } },
      ]),
    )
    const [good, bad, ...rest] = await callsOf()
    expect(good).toMatchObject({ kind: 'call', name: 'one', params: { x: 1 } })
    expect(bad).toMatchObject({ kind: 'error', error: { line: expect.any(Number) as number } })
    expect(rest).toEqual([])
  },
)

it('a call that was cut is never whole', async () => {
  await handmade(sending([{ index: 0, id: 'a', function: { name: 'one', arguments: '{"path":"a.txt"' } }], 'length'))
  expect(await callsOf()).toMatchObject([{ kind: 'error' }])
})

it('calls of a server that does not stream are read too', async () => {
  await handmade((reply) =>
    reply.json(200, {
      choices: [
        {
          index: 0,
          finish_reason: 'tool_calls',
          message: { content: null, tool_calls: [{ id: 'a', function: { name: 'one', arguments: '{"x":1}' } }] },
        },
      ],
    }),
  )
  expect(await callsOf()).toMatchObject([{ kind: 'call', name: 'one', params: { x: 1 } }])
})

it('the prompt file becomes the system message of a request without one, with the tools in it', async () => {
  server.onMessage(/Read/, { content: 'Read.' })
  await scripted('prompt_file: prompts/my.txt\n')
  await model.complete(ASK)
  expect(body()['messages']).toEqual([
    {
      role: 'system',
      content:
        'You are mine.\n- files_read(path: string): Does files_read.\n- files_find(path: string): Does files_find.\nEnd.',
    },
    ...ASK.messages,
  ])
  system.root.write('prompts/my.txt', 'Edited.')
  await system.event('prompt.changed')
  await model.complete(ASK)
  expect(body()['messages']).toMatchObject([{ content: 'Edited.' }, {}])
})

it('a request with a system message is sent as it is', async () => {
  server.onMessage(/Read/, { content: 'Read.' })
  await scripted('prompt_file: prompts/my.txt\n')
  const messages = [{ role: 'system' as const, content: 'Mine.' }, ...ASK.messages]
  await model.complete({ messages })
  expect(body()['messages']).toEqual(messages)
})

it('with tool_use: false the prompt file lists no tools', async () => {
  server.onMessage(/Read/, { content: 'Read.' })
  await scripted('prompt_file: prompts/my.txt\ntool_use: false\n')
  await model.complete(ASK)
  expect(body()['messages']).toMatchObject([{ content: 'You are mine.\n(none)\nEnd.' }, {}])
})
