/** What the config of an inference service means for a chat: tools or none, native calls, the paper's Listing 10. */
import { LLMock } from '@copilotkit/aimock'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ChatMessage } from '../../modules/contracts/services.ts'
import { stopAtOnce } from '../support/scripted-server.ts'
import { PROMPT, SPY, SPY_CALL, startChat, type ChatSystem } from './chat-system.ts'

let system: ChatSystem
let server: LLMock

const SPY_FILES = { 'modules/spy.ts': SPY, 'configs/services/spy.yml': 'api: spy\nprog: spy\n' }
const config = (more: string): string =>
  `prog: inference/openai\nbase_url: ${server.url}/v1\nmodel: m\nretries: 0\n${more}`
const start = async (more: string): Promise<void> => {
  system = await startChat({ 'configs/inference/model.yml': `api: model\n${config(more)}`, ...SPY_FILES })
}
const ran = (): Promise<number> => system.getApi<{ count(): number }>('spy').count()
const asked = (nth: number): { messages: ChatMessage[]; tools?: { function: { name: string } }[] } =>
  server.getRequests()[nth]?.body as never

beforeEach(async () => {
  server = new LLMock({ port: 0, host: '127.0.0.1' })
  await server.start()
})
afterEach(async () => {
  await system.stop()
  await stopAtOnce(server)
})

it('with tool_use: false a model is told of no tools, and what looks like a call is its answer', async () => {
  const said = `This is how it would look:\n${SPY_CALL}\nAnd this is broken:\n\`\`\`tool\n{call: \n\`\`\``
  server.on({}, { content: said })
  await start('tool_use: false\nnative_tools: true\n')
  const answer = await system.assistant.chat({ message: 'Use the spy', provider: 'model' })
  expect(answer).toMatchObject({ answer: said, steps: [], status: 'done' })
  expect(await ran()).toBe(0)
  expect(server.getRequests()).toHaveLength(1)
  expect(asked(0)).not.toHaveProperty('tools')
  expect(asked(0).messages[0]?.content).toMatch(/Tools:\n\(none\)/)
  expect(asked(0).messages[0]?.content).not.toContain('spy_touch')
})

it("with native_tools: true a call in the provider's form runs, and its result goes back in the text", async () => {
  server.on({ turnIndex: 0 }, { toolCalls: [{ name: 'spy_touch', arguments: '{}', id: 'call_7' }] }, { chunkSize: 3 })
  server.on({ turnIndex: 1 }, { content: 'It has run.' })
  await start('native_tools: true\n')
  const answer = await system.assistant.chat({ message: 'Use the spy', provider: 'model' })
  expect(answer).toMatchObject({ answer: 'It has run.', steps: [{ tool: 'spy_touch', status: 'success' }] })
  expect(await ran()).toBe(1)
  expect(asked(0).tools?.map((one) => one.function.name)).toContain('spy_touch')
  const [call, result] = asked(1).messages.slice(-2)
  expect([call?.role, result?.role]).toEqual(['assistant', 'user'])
  expect(call?.content).toMatch(/^```tool\n\{call: spy_touch \{id: "\w+-call_7"\} \{params \{\}\}\}\n```$/)
  expect(result?.content).toMatch(/^```result\n\{result: spy_touch \{status: success\}/)
})

it("the paper's Listing 10, copied into configs/, answers in a chat", async () => {
  const before = process.env['OPENROUTER_API_KEY']
  process.env['OPENROUTER_API_KEY'] = 'a-key'
  try {
    server.on({}, { content: 'At your service.' })
    system = await startChat({
      'configs/inference/deepseek.yml': `# OpenAI-compatible inference provider configuration
prog: openai
api: deepseek-r1-0528

params:
  api_key_env: "OPENROUTER_API_KEY" # Environment variable containing API key
  base_url: "${server.url}/v1" # Default OpenAI URL
  model: "deepseek/deepseek-r1-0528-qwen3-8b:free" # Default model
  temperature: 0.7
  tool_use: true # Enable/disable tool usage for this configuration
  prompt_file: "prompts/own.txt" # Path to prompt template
`,
      'prompts/own.txt': `Mine.\n${PROMPT}`,
    })
    const answer = await system.assistant.chat({ message: 'Hello', provider: 'deepseek-r1-0528' })
    expect(answer).toMatchObject({ answer: 'At your service.', provider: 'deepseek-r1-0528' })
    expect(asked(0)).toMatchObject({ model: 'deepseek/deepseek-r1-0528-qwen3-8b:free', temperature: 0.7 })
    expect(asked(0).messages[0]?.content).toMatch(/^Mine\.\n[\s\S]*filesystem_read_file/)
  } finally {
    if (before === undefined) delete process.env['OPENROUTER_API_KEY']
    else process.env['OPENROUTER_API_KEY'] = before
  }
})
