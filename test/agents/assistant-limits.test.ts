/** What ends a turn before its answer: its limits, a cancel, the end of its version. What it has done is kept. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ChatAnswer, ChatEvent } from '../../modules/contracts/services.ts'
import {
  assistantConfig,
  SPY,
  SPY_CALL,
  startChat,
  startModel,
  type ChatSystem,
  type ScriptedModel,
} from './chat-system.ts'

/** Its tool answers when the test says so, or never; it hears of its abort. */
const SLOW = `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  aborted = 0
  goOn = []
  constructor(kernel) { this.kernel = kernel }
  release() { for (const one of this.goOn.splice(0)) one() }
  count() { return this.aborted }
  getAspect(name) {
    if (name !== 'tool') return undefined
    const run = (_params, { signal }) => new Promise((resolve) => {
      this.goOn.push(() => resolve('late'))
      signal?.addEventListener('abort', () => { this.aborted++ })
      this.kernel.events.emit('slow.begun')
    })
    const params = z.object({})
    const look = tool({ description: 'Looks.', params, read_only: true, run: () => this.goOn.length })
    return { look, wait: tool({ description: 'Waits.', params, read_only: true, run }), change: tool({ description: 'Waits.', params, run }) }
  }
}
`
const SLOW_CALL = '{call: slow_wait {params {}}}'

let model: ScriptedModel
let system: ChatSystem
let written = ''
/** of the test that runs: none sees what another said */
let id = ''
let tests = 0

/** Its version has little time to end in. */
const configOf = (more: string): string => assistantConfig(`provider: scripted\nlimits: {drain_ms: 200}\n${more}`)

// One system for all.
beforeAll(async () => {
  model = await startModel(() => 'Done.')
  written = configOf('')
  system = await startChat({
    'configs/scripted.yml': model.config,
    'configs/agents/assistant.yml': written,
    'configs/spy.yml': '',
    'modules/spy.ts': SPY,
    'configs/slow.yml': '',
    'modules/slow.ts': SLOW,
  })
})
beforeEach(() => {
  id = `conversation-${++tests}`
})
afterAll(async () => {
  await system.stop()
  await model.stop()
})

/** The assistant with this in its config. */
async function start(more: string): Promise<void> {
  const config = configOf(more)
  if (config === written) return
  const { generation } = await system.show('assistant')
  system.root.write('configs/agents/assistant.yml', config)
  written = config
  await system.live('assistant', (generation ?? 0) + 1)
}

const countOf = (api: 'spy' | 'slow'): Promise<number> => system.getApi<{ count(): number }>(api).count()

const stored = async (): Promise<string[]> =>
  (await system.assistant.messages(id)).map(({ role, content }) => `${role}: ${content}`)

/** The model is asked and does not answer until the test ends. */
const heldModel = (): Promise<void> =>
  new Promise((arrived) => {
    model.script = () => {
      arrived()
      return new Promise(() => {})
    }
  })

async function goesOn(): Promise<void> {
  model.script = () => 'Here I am.'
  expect(await system.assistant.chat({ message: 'And now?', conversation_id: id })).toMatchObject({
    status: 'done',
    answer: 'Here I am.',
  })
  const roles = (await system.assistant.messages(id)).map(({ role }) => role)
  expect(roles.filter((role, index) => role === roles[index - 1])).toEqual([])
}

describe('a turn is cut, with its reason', () => {
  it('when its time is over, while the model is silent', async () => {
    await start('turn_seconds_max: 0.3')
    void heldModel()
    const { status, reason } = await system.assistant.chat({ message: 'one', conversation_id: id })
    expect([status, reason]).toEqual(['cut', expect.stringMatching(/^chat_time: .*0\.3 s/)])
    await start('')
    await goesOn()
  })

  it('when its time is over, while a tool runs: the other calls keep their results', async () => {
    await start('turn_seconds_max: 0.5')
    model.script = () => `\`\`\`tool\n${SLOW_CALL}\n{call: slow_look {params {}}}\n\`\`\``
    const answer = await system.assistant.chat({ message: 'one', conversation_id: id })
    expect(answer).toMatchObject({ status: 'cut', reason: expect.stringMatching(/^chat_time/) as string })
    const steps = answer.steps.map(({ tool, status }) => [tool, status])
    expect(steps).toEqual([
      ['slow_wait', 'error'],
      ['slow_look', 'success'],
    ])
    expect((await stored())[2]).toMatch(/call_cut[\s\S]*result: slow_look \{status: success\}/)
    await start('')
    await goesOn()
  })

  it('when it has cost too much: calls of the message that did it are not run', async () => {
    await start('cost_usd_max: 2')
    const usage = { prompt_tokens: 1_000_000, completion_tokens: 250_000 }
    const ran = await countOf('spy')
    model.script = () => ({ content: SPY_CALL, usage })
    const answer = await system.assistant.chat({ message: 'one', conversation_id: id })
    expect(answer).toMatchObject({
      status: 'cut',
      reason: expect.stringMatching(/^chat_cost: .*3\.0000.*limit is 2/) as string,
      usage: { input_tokens: 2_000_000, output_tokens: 500_000, cost_usd: 3 },
      steps: [{ status: 'success' }, { status: 'error' }],
    })
    expect((await countOf('spy')) - ran).toBe(1)
    expect((await stored()).at(-2)).toContain('call_not_run')
    const told = (await system.assistant.conversations()).find(({ conversation_id }) => conversation_id === id)
    expect(told?.usage).toMatchObject({ cost_usd: 3 })
    await goesOn()
  })

  it('when the model reaches the limit of its output: no call of that message is run', async () => {
    await start('')
    const ran = await countOf('spy')
    model.script = () => ({ content: `I begin.\n${SPY_CALL}`, cut: true })
    const answer = await system.assistant.chat({ message: 'one', conversation_id: id })
    expect(answer).toMatchObject({ status: 'cut', reason: expect.stringMatching(/^chat_output/) as string, steps: [] })
    expect(await countOf('spy')).toBe(ran)
    await goesOn()
  })

  it('when a provider fails after the first step: what was done stays', async () => {
    await start('')
    model.script = () => {
      model.server.nextRequestError(500)
      return SPY_CALL
    }
    const answer = await system.assistant.chat({ message: 'one', conversation_id: id })
    expect(answer).toMatchObject({ status: 'cut', reason: expect.stringMatching(/^provider_failed/) as string })
    expect(answer.steps).toHaveLength(1)
    await goesOn()
  })
})

describe('a turn is cancelled', () => {
  it('by name, while the model is silent; then there is none to cancel', async () => {
    await start('')
    const asked = heldModel()
    const turn = system.assistant.chat({ message: 'one', conversation_id: id })
    await asked
    expect(await system.assistant.cancel('b')).toBe(false)
    expect(await system.assistant.cancel(id)).toBe(true)
    expect(await turn).toMatchObject({ status: 'cut', reason: expect.stringMatching(/^chat_cancelled/) as string })
    expect(await system.assistant.cancel(id)).toBe(false)
    await goesOn()
  })

  it('by name, while a tool runs: the tool hears of it', async () => {
    await start('')
    model.script = () => `\`\`\`tool\n${SLOW_CALL}\n\`\`\``
    const aborted = await countOf('slow')
    const begun = system.event('slow.begun')
    const turn = system.assistant.chat({ message: 'one', conversation_id: id })
    await begun
    await system.assistant.cancel(id)
    expect(await turn).toMatchObject({ status: 'cut', steps: [{ tool: 'slow_wait', status: 'error' }] })
    expect((await countOf('slow')) - aborted).toBe(1)
    await goesOn()
  })

  it('by a caller who gives up, also one who still waits in line', async () => {
    await start('')
    const asked = heldModel()
    const first = new AbortController()
    const second = new AbortController()
    const turn = system.assistant.chat({ message: 'one', conversation_id: id, signal: first.signal })
    await asked
    const next = system.assistant.chat({ message: 'two', conversation_id: id, signal: second.signal })
    second.abort()
    await expect(next).rejects.toMatchObject({ code: 'chat_cancelled' })
    first.abort()
    expect(await turn).toMatchObject({ status: 'cut' })
    expect((await stored()).join()).not.toContain('two')
    await goesOn()
  })

  it('by a reader of its stream who leaves', async () => {
    await start('')
    model.script = () => `I wait.\n\`\`\`tool\n${SLOW_CALL}\n\`\`\``
    for await (const event of system.assistant.chatStream({ message: 'one', conversation_id: id })) {
      if (event.type === 'call') break
    }
    expect((await stored()).at(-1)).toContain('cancelled')
    await goesOn()
  })
})

it('a turn that its version has no more time for is cut, stored and answered', async () => {
  await start('')
  const begun = system.event('slow.begun')
  model.script = () => `\`\`\`tool\n${SLOW_CALL}\n\`\`\``
  const turn = system.assistant.chat({ message: 'one', conversation_id: id })
  await begun
  await system.reload('assistant')
  expect(await turn).toMatchObject({ status: 'cut', reason: expect.stringMatching(/^chat_ended/) as string })
  await goesOn()
})

it('text is shown while it is written, fences only as calls', async () => {
  await start('')
  const events: ChatEvent[] = []
  model.script = () => `First I look, then I tell.\n${SPY_CALL}\nWait for it.`
  const turn = (async (): Promise<ChatAnswer | undefined> => {
    for await (const event of system.assistant.chatStream({ message: 'one' })) {
      events.push(event)
      if (event.type === 'call') model.script = () => 'All of it is done.'
    }
    return undefined
  })()
  await turn
  const texts = events.flatMap((event) => (event.type === 'text' ? [event.text] : []))
  expect(texts.length).toBeGreaterThan(4)
  expect(texts.join('')).toBe('First I look, then I tell.\nWait for it.All of it is done.')
  expect(events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1])).toEqual([
    'text',
    'call',
    'result',
    'text',
    'answer',
  ])
})
