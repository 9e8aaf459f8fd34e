/** A system that chats, and a scripted model behind a real HTTP server in the place of a provider. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LLMock } from '@copilotkit/aimock'
import type { Handle } from '../../modules/contracts/module.ts'
import type { AssistantApi, ChatMessage } from '../../modules/contracts/services.ts'
import { packageRoot } from '../support/root.ts'
import { stopAtOnce } from '../support/scripted-server.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

export const PROMPT = readFileSync(join(packageRoot, 'prompts', 'meta.txt'), 'utf8')

/** What a scripted model says; `cut: true` as if it had run out of tokens, `usage` as it is billed. */
export type Said = string | { content: string; cut: true } | { content: string; usage: Billed }
export type Billed = {
  prompt_tokens: number
  completion_tokens: number
}
export type Script = (messages: ChatMessage[]) => Said | Promise<Said>

/** The mark that the instructions of this conversation name. */
export const markIn = (messages: readonly ChatMessage[]): string =>
  /\{id: (\w+)\}/.exec(messages[0]?.content ?? '')?.[1] ?? ''

export interface ScriptedModel {
  readonly server: LLMock
  /** the config of an inference service that talks to it */
  readonly config: string
  script: Script
  /** the conversations it was sent, first to last */
  asked(): ChatMessage[][]
  stop(): Promise<void>
}

export async function startModel(script: Script): Promise<ScriptedModel> {
  const server = new LLMock({ port: 0, host: '127.0.0.1' })
  const model: ScriptedModel = {
    server,
    config: '',
    script,
    stop: () => stopAtOnce(server),
    asked: () => server.getRequests().map(({ body }) => (body as { messages: ChatMessage[] }).messages),
  }
  server.on({}, async ({ messages }) => {
    const said = await model.script(messages as ChatMessage[])
    if (typeof said === 'string') return { content: said }
    return 'cut' in said ? { content: said.content, finishReason: 'length' } : said
  })
  await server.start()
  return Object.assign(model, {
    config: `prog: inference/openai\nparams: {base_url: '${server.url}/v1', model: scripted, retries: 0, price: {input: 1, output: 2}}\n`,
  })
}

export interface ChatSystem extends TestSystem {
  readonly assistant: Handle<AssistantApi>
}

/** Assistant, tools, filesystem, database and the offline planner, as they come with the product. */
export const CHAT_FILES: Record<string, string> = {
  'configs/agents/assistant.yml': 'api: assistant\nprovider: offline\n',
  'configs/services/tools.yml': 'api: tools\n',
  'configs/services/filesystem.yml': 'api: filesystem\n',
  'configs/services/database.yml': 'api: database\n',
  'configs/inference/offline.yml': 'api: offline\n',
  'prompts/meta.txt': PROMPT,
}

export async function startChat(files: Record<string, string>): Promise<ChatSystem> {
  const system = await startSystem({ ...CHAT_FILES, ...files })
  return { ...system, assistant: system.getApi<AssistantApi>('assistant') }
}

export const assistantConfig = (more: string): string => `api: assistant\n${more}\n`

/** A service with one tool that counts how often it ran. */
export const SPY = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  ran = 0
  count() { return this.ran }
  getAspect(name) {
    if (name !== 'tool') return undefined
    return { touch: tool({ description: 'Counts.', params: z.object({}), run: () => ++this.ran }) }
  }
}
`
export const SPY_CALL = '```tool\n{call: spy_touch {params {}}}\n```'
