/** What a conversation remembers, and that no reload of the assistant makes it forget. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packageRoot } from '../support/root.ts'
import {
  assistantConfig,
  SPY,
  SPY_CALL,
  startChat,
  startModel,
  type ChatSystem,
  type ScriptedModel,
} from './chat-system.ts'

/** A module of the root's own that is the product's, so that a test can edit it. */
const OWN = `export { Module, configSchema } from '${packageRoot}/modules/agents/assistant/index.ts'\n`
const CONFIG = 'prog: own\nprovider: scripted\nmessages_max: 6\nconversations_max: 3\nwaiting_max: 2\n'

const LEFT_OUT = '[Older messages were left out here.]'

let model: ScriptedModel
let system: ChatSystem

beforeEach(async () => {
  model = await startModel((messages) => `answer ${messages.at(-1)?.content ?? ''}`)
  system = await startChat({
    'configs/scripted.yml': model.config,
    'configs/agents/assistant.yml': assistantConfig(CONFIG),
    'modules/own.ts': OWN,
    'configs/spy.yml': '',
    'modules/spy.ts': SPY,
  })
})
afterEach(async () => {
  await system.stop()
  await model.stop()
})

/** The next question waits for the test's answer. */
function held(): { asked: Promise<void>; goOn: (answer: string) => void } {
  let goOn = (_answer: string): void => {}
  const asked = new Promise<void>((arrived) => {
    model.script = () => {
      arrived()
      return new Promise((answer) => (goOn = answer))
    }
  })
  return { asked, goOn: (answer) => goOn(answer) }
}

const say = async (message: string, conversation_id: string): Promise<string> =>
  (await system.assistant.chat({ message, conversation_id })).answer

/** What the model was sent last, without the prompt. */
const history = (): string[] => (model.asked().at(-1) ?? []).slice(1).map(({ content }) => content)

describe('a conversation', () => {
  it('is sent whole, and only to itself', async () => {
    await say('one', 'a')
    await say('other', 'b')
    await say('two', 'a')
    expect(history()).toEqual(['one', 'answer one', 'two'])
  })

  it('gets an id of its own when none is given, and can be gone on with', async () => {
    const { conversation_id } = await system.assistant.chat({ message: 'one' })
    const other = await system.assistant.chat({ message: 'x' })
    expect(other.conversation_id).not.toBe(conversation_id)
    await say('two', conversation_id)
    expect(history()).toEqual(['one', 'answer one', 'two'])
  })

  it('keeps its first message and its last ones, and the oldest conversations go first', async () => {
    for (const word of ['1', '2', '3', '4', '5']) await say(word, 'a')
    expect(history()).toEqual(['1', LEFT_OUT, '3', 'answer 3', '4', 'answer 4', '5'])
    for (const id of ['b', 'c', 'd']) await say('x', id)
    await say('6', 'a')
    expect(history()).toEqual(['6'])
    expect((await system.assistant.conversations()).map(({ conversation_id: id }) => id)).toEqual(['a', 'd', 'c'])
  })

  it('is forgotten when it has not been used for long', async () => {
    const reloaded = system.live('assistant', 2)
    system.root.write('configs/agents/assistant.yml', assistantConfig(`${CONFIG}conversation_days_max: 0.000000001\n`))
    await reloaded
    await say('one', 'a')
    await say('two', 'b')
    expect(await system.assistant.messages('a')).toEqual([])
  })

  it('does not remember a turn that failed', async () => {
    await say('one', 'a')
    model.server.nextRequestError(500)
    await expect(say('two', 'a')).rejects.toMatchObject({ code: 'provider_failed' })
    await say('three', 'a')
    expect(history()).toEqual(['one', 'answer one', 'three'])
  })

  it('takes messages that are sent at once one after the other, and loses none', async () => {
    let underWay = 0
    let together = 0
    model.script = async (messages) => {
      together = Math.max(together, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
      return `answer ${messages.at(-1)?.content ?? ''}`
    }
    const words = ['one', 'two', 'three']
    expect(await Promise.all(words.map((word) => say(word, 'a')))).toEqual(words.map((word) => `answer ${word}`))
    expect(together).toBe(1)
    const stored = (await system.assistant.messages('a')).map(({ content }) => content)
    expect(stored.slice(-4)).toEqual(['two', 'answer two', 'three', 'answer three'])
  })

  it('lets so many wait, and refuses the next at once', async () => {
    const { asked, goOn } = held()
    const first = say('one', 'a')
    await asked
    const second = say('two', 'a')
    const third = say('three', 'a')
    await expect(say('four', 'a')).rejects.toMatchObject({ code: 'chat_busy' })
    goOn('done')
    model.script = () => 'done'
    expect(await Promise.all([first, second, third])).toEqual(['done', 'done', 'done'])
  })

  it('is refused an empty or too long message', async () => {
    for (const message of ['', '  \n', 5, undefined, 'x'.repeat(100_001)]) {
      await expect(system.assistant.chat({ message: message as string })).rejects.toMatchObject({
        code: 'bad_arguments',
      })
    }
    expect(model.asked()).toEqual([])
  })
})

describe('over a reload of the assistant', () => {
  it('a conversation goes on, whatever caused the reload', async () => {
    await say('one', 'a')
    system.root.write('modules/own.ts', `${OWN}// edited\n`)
    await system.live('assistant', 2)
    await say('two', 'a')
    expect(history()).toEqual(['one', 'answer one', 'two'])
    system.root.write('configs/agents/assistant.yml', assistantConfig(`${CONFIG}steps_max: 3\n`))
    await system.live('assistant', 3)
    await say('three', 'a')
    expect(history()).toEqual(['one', 'answer one', 'two', 'answer two', 'three'])
    expect(await system.reload('assistant')).toMatchObject({ ok: true, generation: 4 })
    await say('four', 'a')
    expect(history()).toContain('answer three')
  })

  it('a broken edit leaves the conversation where it was', async () => {
    await say('one', 'a')
    const refused = system.event('service.refused')
    system.root.write('modules/own.ts', 'export class Module {{')
    await refused
    await say('two', 'a')
    expect(history()).toEqual(['one', 'answer one', 'two'])
  })

  it('a turn under way is answered, with its tools, and is remembered by the new version', async () => {
    const { asked, goOn } = held()
    const turn = system.assistant.chat({ message: 'Touch it', conversation_id: 'a' })
    await asked
    system.root.write('modules/own.ts', `${OWN}// edited\n`)
    await system.live('assistant', 2)
    model.script = () => 'Done.'
    goOn(SPY_CALL)
    expect(await turn).toMatchObject({ answer: 'Done.', steps: [{ tool: 'spy_touch', status: 'success' }] })
    await say('And?', 'a')
    expect(history()[0]).toBe('Touch it')
  })

  it('a conversation goes on with another provider', async () => {
    await say('one', 'a')
    system.root.write('configs/agents/assistant.yml', assistantConfig(CONFIG.replace('scripted', 'offline')))
    await system.live('assistant', 2)
    expect(await say('Which services are running?', 'a')).toContain('assistant')
    system.root.write('configs/agents/assistant.yml', assistantConfig(CONFIG))
    await system.live('assistant', 3)
    await say('two', 'a')
    expect(history()).toContain('Which services are running?')
  })
})
