/** A question becomes a tool call, a result, an answer: with the offline planner and with a model behind HTTP alike. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fence, printCall, scan } from '../../modules/bracket/index.ts'
import type { ChatMessage, DatabaseApi } from '../../modules/contracts/services.ts'
import { assistantConfig, PROMPT, startChat, startModel, type ChatSystem, type ScriptedModel } from './chat-system.ts'

let model: ScriptedModel
let system: ChatSystem

/** As much of a model as these conversations need: it knows only the prompt and the messages. */
function scripted(messages: ChatMessage[]): string {
  const last = messages.at(-1)?.content ?? ''
  const prompt = messages[0]?.content ?? ''
  const results = scan(last).flatMap((part) => (part.kind === 'result' ? [JSON.stringify(part.body)] : []))
  if (results.length > 0) return `It says ${results.join(' and ')}`
  const [, path] = /^Read (\S+)$/.exec(last) ?? []
  if (path !== undefined) return fence('tool', printCall('filesystem_read_file', { path }))
  const [, table] = /last rows of (\w+)/.exec(last) ?? []
  if (table !== undefined) return fence('tool', printCall('database_query', { sql: `SELECT * FROM ${table}` }))
  const [, tool] = /^- (\w+)\(.*: Measure the tail/m.exec(prompt) ?? []
  const [, animal] = /tail of (\w+)/.exec(last) ?? []
  return tool === undefined || animal === undefined ? 'I do not know.' : fence('tool', printCall(tool, { animal }))
}

beforeEach(async () => {
  model = await startModel(scripted)
})
afterEach(async () => {
  await system.stop()
  await model.stop()
})

const useProvider = (name: string): Promise<void> => {
  system.root.write('configs/agents/assistant.yml', assistantConfig(`provider: ${name}`))
  return system.live('assistant', 2)
}

/** The conversations every provider has to manage. `secret` was made up a moment ago. */
async function converse(secret: string): Promise<void> {
  system.root.write(`notes/${secret}.txt`, `The code is ${secret}-file.\n`)
  const first = await system.assistant.chat({ message: `Read notes/${secret}.txt` })
  expect(first.answer).toContain(`The code is ${secret}-file.`)
  expect(first.steps).toMatchObject([
    { tool: 'filesystem_read_file', params: { path: `notes/${secret}.txt` }, status: 'success' },
  ])

  const db = system.getApi<DatabaseApi>('database')
  await db.execute(`CREATE TABLE log_${secret} (word TEXT)`)
  await db.execute(`INSERT INTO log_${secret} VALUES (?)`, [`${secret}-row`])
  const second = await system.assistant.chat({ message: `What are the last rows of log_${secret}?` })
  expect(second.answer).toContain(`${secret}-row`)
  expect(second.steps).toMatchObject([{ tool: 'database_query', status: 'success' }])

  system.root.write(`modules/${secret}.ts`, tailModule(secret))
  system.root.write(`configs/${secret}.yml`, '')
  await system.live(secret)
  const third = await system.assistant.chat({ message: 'Measure the tail of Marty' })
  expect(third.answer).toContain(`${secret}-tail of Marty`)
  expect(third.steps).toMatchObject([{ tool: `${secret}_measure_tail_${secret}`, params: { animal: 'Marty' } }])
  const gone = system.event('service.stopped', ({ api }) => api === secret)
  system.root.remove(`configs/${secret}.yml`)
  await gone
  expect(new Set([first, second, third].map((one) => one.conversation_id)).size).toBe(3)
}

const tailModule = (secret: string): string => `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  getAspect(name) {
    if (name !== 'tool') return undefined
    const params = z.object({ animal: z.string() })
    return { measure_tail_${secret}: tool({ description: 'Measure the tail of an animal.', params, run: ({ animal }) => '${secret}-tail of ' + animal }) }
  }
}
`
const newSecret = (): string => `s${Math.random().toString(36).slice(2, 10)}`

describe('a question about a file, a table and a tool that did not exist a moment ago is answered', () => {
  it('with the offline planner', async () => {
    system = await startChat({})
    await converse(newSecret())
  })

  it('with a model behind HTTP', async () => {
    system = await startChat({
      'configs/scripted.yml': model.config,
      'configs/agents/assistant.yml': assistantConfig('provider: scripted'),
    })
    await converse(newSecret())
    expect(model.asked().length).toBe(6)
  })

  it('with the one after the other, when the config names another provider while the system runs', async () => {
    system = await startChat({ 'configs/scripted.yml': model.config })
    await converse(newSecret())
    expect(model.asked()).toEqual([])
    await useProvider('scripted')
    await converse(newSecret())
    expect(model.asked().length).toBe(6)
  })
})

describe('an edit of the prompt file shows in the next answer', () => {
  it('of the offline planner', async () => {
    system = await startChat({})
    const before = await system.assistant.chat({ message: 'Which services are running?' })
    expect(before.answer).not.toContain('Ahoy')
    system.root.write('prompts/meta.txt', `${PROMPT}\nBegin every answer with: Ahoy!\n`)
    const after = await system.assistant.chat({ message: 'Which services are running?' })
    expect(after.answer).toMatch(/^Ahoy!\n/)
    expect(after.prompt_hash).not.toBe(before.prompt_hash)
    system.root.writeByRename('prompts/meta.txt', `${PROMPT}\nBegin every answer with: Aloha!\n`)
    expect((await system.assistant.chat({ message: 'Which services are running?' })).answer).toMatch(/^Aloha!\n/)
    expect((await system.show('assistant')).generation).toBe(1)
  })

  it('of a model behind HTTP, as its system message, with the tools filled in', async () => {
    system = await startChat({
      'configs/scripted.yml': model.config,
      'configs/agents/assistant.yml': assistantConfig('provider: scripted\nprompt_file: prompts/own.txt'),
      'prompts/own.txt': 'You are one.\n{{tools}}\n',
    })
    await system.assistant.chat({ message: 'Hello' })
    system.root.write('prompts/own.txt', 'You are two.\n')
    await system.assistant.chat({ message: 'Hello' })
    const prompts = model.asked().map(([first]) => first)
    expect(prompts[0]).toMatchObject({
      role: 'system',
      content: expect.stringMatching(/^You are one\.\n### \w+/) as string,
    })
    expect(prompts[0]?.content).toContain('- filesystem_read_file(path: string')
    expect(prompts[1]).toEqual({ role: 'system', content: 'You are two.\n' })
  })

  it('but a turn keeps the prompt it began with', async () => {
    system = await startChat({
      'configs/scripted.yml': model.config,
      'configs/agents/assistant.yml': assistantConfig('provider: scripted\nprompt_file: prompts/own.txt'),
      'prompts/own.txt': 'You are one.\n',
    })
    model.script = (messages) => {
      system.root.write('prompts/own.txt', 'You are two.\n')
      return scripted(messages)
    }
    await system.assistant.chat({ message: 'Read prompts/own.txt' })
    expect(model.asked().map(([first]) => first?.content)).toEqual(['You are one.\n', 'You are one.\n'])
  })

  it('and a prompt file that is missing is named in the error', async () => {
    system = await startChat({})
    system.root.remove('prompts/meta.txt')
    await expect(system.assistant.chat({ message: 'Hello' })).rejects.toMatchObject({ code: 'prompt_missing' })
    system.root.write('prompts/meta.txt', PROMPT)
    await expect(system.assistant.chat({ message: 'Hello' })).resolves.toMatchObject({ provider: 'offline' })
  })
})

describe('the provider', () => {
  const remote = 'prog: inference/openai\nparams: {api_key_env: MM_TEST_NO_KEY, model: none}\n'

  it('auto is the first of the list that is ready', async () => {
    const list = 'provider: auto\nproviders: [absent, keyless, scripted, offline]'
    system = await startChat({
      'configs/keyless.yml': remote,
      'configs/scripted.yml': model.config,
      'configs/agents/assistant.yml': assistantConfig(list),
    })
    expect(await system.assistant.chat({ message: 'Hello' })).toMatchObject({ provider: 'scripted' })
    const gone = system.event('service.stopped', ({ api }) => api === 'scripted')
    system.root.remove('configs/scripted.yml')
    await gone
    expect(await system.assistant.chat({ message: 'Hello' })).toMatchObject({ provider: 'offline' })
  })

  it('none that is ready is an error that says why for each', async () => {
    system = await startChat({
      'configs/keyless.yml': remote,
      'configs/agents/assistant.yml': assistantConfig('provider: auto\nproviders: [absent, keyless]'),
    })
    await expect(system.assistant.chat({ message: 'Hello' })).rejects.toMatchObject({
      code: 'no_provider',
      message: expect.stringMatching(/absent.*keyless.*MM_TEST_NO_KEY/) as string,
    })
  })

  it('whose config names a prompt is asked with that one, and one whose config wants no tools gets and runs none', async () => {
    const own = model.config.replace('price:', 'prompt_file: prompts/own.txt, price:')
    system = await startChat({
      'configs/scripted.yml': own,
      'configs/plain.yml': own.replace('price:', 'tool_use: false, price:'),
      'prompts/own.txt': 'Mine.\n{{tools}}\n',
    })
    const read = fence('tool', printCall('filesystem_read_file', { path: 'prompts/own.txt' }))
    model.script = (messages) => (messages.length > 2 ? 'Done.' : read)
    const first = await system.assistant.chat({ message: 'Read', provider: 'scripted' })
    expect([first.answer, first.steps.length]).toEqual(['Done.', 1])
    const second = await system.assistant.chat({ message: 'Read', provider: 'plain' })
    expect([second.answer, second.steps.length]).toEqual([read, 0])
    const prompts = model.asked().map(([one]) => one?.content ?? '')
    expect(prompts[0]).toMatch(/^Mine\.\n### [\s\S]*request_human_approval\(/)
    expect(prompts.at(-1)).toBe('Mine.\n(none)\n')
  })

  it('can be named for one message', async () => {
    system = await startChat({ 'configs/scripted.yml': model.config })
    expect(await system.assistant.chat({ message: 'Hello', provider: 'scripted' })).toMatchObject({
      answer: 'I do not know.',
    })
  })

  it('that fails is an error with its code, and the next message is answered', async () => {
    system = await startChat({ 'configs/scripted.yml': model.config })
    model.server.nextRequestError(500, { message: 'out of order' })
    const failed = system.assistant.chat({ message: 'Hello', provider: 'scripted', conversation_id: 'c' })
    await expect(failed).rejects.toMatchObject({ code: 'provider_failed' })
    await expect(
      system.assistant.chat({ message: 'Hello', provider: 'scripted', conversation_id: 'c' }),
    ).resolves.toBeDefined()
  })
})
