/** A turn that asks a person waits for the answer, through restarts too, and is answered once. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ChatMessage } from '../../modules/contracts/services.ts'
import {
  assistantConfig,
  markIn,
  SPY,
  startChat,
  startModel,
  type ChatSystem,
  type ScriptedModel,
} from './chat-system.ts'

const QUESTION = 'May I format the disk?'

let model: ScriptedModel
let system: ChatSystem

/** Asks a person beside another call, then says what it was told. */
function careful(messages: ChatMessage[]): string {
  const last = messages.at(-1)?.content ?? ''
  const [, told] = /result: request_human_approval .*?(approved: \w+.*)\}/.exec(last) ?? []
  if (told !== undefined) return `I was told ${told}`
  if (last !== 'Do it') return 'Hello.'
  const id = `{id: ${markIn(messages)}}`
  return `I ask.\n\`\`\`tool\n{call: request_human_approval ${id} {params {question: "${QUESTION}"}}}\n{call: spy_touch ${id} {params {}}}\n\`\`\``
}

beforeEach(async () => {
  model = await startModel(careful)
  system = await startChat({
    'configs/scripted.yml': model.config,
    'configs/agents/assistant.yml': assistantConfig('provider: scripted'),
    'configs/spy.yml': '',
    'modules/spy.ts': SPY,
  })
})
afterEach(async () => {
  await system.stop()
  await model.stop()
})

async function park(id: string): Promise<string> {
  const answer = await system.assistant.chat({ message: 'Do it', conversation_id: id })
  expect(answer).toMatchObject({
    status: 'parked',
    reason: QUESTION,
    answer: expect.stringMatching(/^I ask/) as string,
  })
  expect(answer.steps).toMatchObject([{ tool: 'spy_touch', status: 'success' }])
  return answer.approval_id ?? ''
}

it('an approved turn goes on where it stood, with the results of its other calls', async () => {
  const approval = await park('a')
  expect(await system.assistant.parked()).toMatchObject([
    { approval_id: approval, conversation_id: 'a', question: QUESTION },
  ])
  const answer = await system.assistant.decide(approval, { approved: true, by: 'ada', note: 'go "on"' })
  expect(answer).toMatchObject({
    status: 'done',
    answer: expect.stringMatching(/told approved: true.*by: "ada"/) as string,
  })
  expect(answer.steps.map(({ tool }) => tool)).toEqual(['spy_touch', 'request_human_approval'])
  const results = model.asked().at(-1)?.at(-1)?.content ?? ''
  expect(results.indexOf('request_human_approval')).toBeLessThan(results.indexOf('spy_touch'))
  expect(await system.assistant.parked()).toEqual([])
  expect(await system.getApi<{ count(): number }>('spy').count()).toBe(1)
})

it('a denied turn goes on without, and hears why', async () => {
  const answer = await system.assistant.decide(await park('a'), { approved: false, by: 'ada', note: 'never' })
  expect(answer.answer).toMatch(/approved: false.*note: "never"/)
})

it('of many who decide one decides, and afterwards nobody', async () => {
  const approval = await park('a')
  const decisions = [true, false, true, false].map(async (approved) =>
    system.assistant.decide(approval, { approved, by: 'ada' }).then(
      () => 'done',
      (error: { code: string }) => error.code,
    ),
  )
  expect((await Promise.all(decisions)).toSorted()).toEqual([...Array<string>(3).fill('approval_decided'), 'done'])
  expect(model.asked()).toHaveLength(2)
  const again = system.assistant.decide(approval, { approved: true, by: 'bob' })
  await expect(again).rejects.toMatchObject({
    code: 'approval_decided',
    message: expect.stringContaining('ada') as string,
  })
  await expect(system.assistant.decide('none', { approved: true, by: 'bob' })).rejects.toMatchObject({
    code: 'approval_missing',
  })
})

it('is refused what is no decision', async () => {
  const approval = await park('a')
  for (const wrong of [
    {},
    { approved: 'yes', by: 'ada' },
    { approved: true, by: ' ' },
    { approved: true, by: 'a', note: 1 },
  ])
    await expect(system.assistant.decide(approval, wrong as never)).rejects.toMatchObject({ code: 'bad_arguments' })
  expect(await system.assistant.parked()).toHaveLength(1)
})

it('the conversation waits meanwhile, others do not, and a cancel ends the waiting', async () => {
  await park('a')
  await expect(system.assistant.chat({ message: 'And?', conversation_id: 'a' })).rejects.toMatchObject({
    code: 'chat_parked',
  })
  expect(await system.assistant.chat({ message: 'Hi', conversation_id: 'b' })).toMatchObject({ answer: 'Hello.' })
  expect(await system.assistant.cancel('a')).toBe(true)
  expect(await system.assistant.parked()).toEqual([])
  expect(await system.assistant.chat({ message: 'And?', conversation_id: 'a' })).toMatchObject({ answer: 'Hello.' })
})

it('a question without words, and a second one in a message, are refused to the model', async () => {
  model.script = (messages) => {
    if (messages.length > 2) return 'Well.'
    const id = `{id: ${markIn(messages)}}`
    return `\`\`\`tool\n{call: request_human_approval ${id} {params {question: " "}}}\n\`\`\``
  }
  const answer = await system.assistant.chat({ message: 'Do it', conversation_id: 'a' })
  expect(answer).toMatchObject({ status: 'done', steps: [{ tool: 'request_human_approval', status: 'error' }] })
  expect(model.asked().at(-1)?.at(-1)?.content).toContain('bad_params')
})

it('a reload of the assistant changes nothing for a parked turn', async () => {
  const approval = await park('a')
  expect(await system.reload('assistant')).toMatchObject({ ok: true })
  expect(await system.assistant.decide(approval, { approved: true, by: 'ada' })).toMatchObject({ status: 'done' })
})
