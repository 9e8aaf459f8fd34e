/** The meta-loop as one line of the prompt: where it is there, and never in the way of a chat. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  assistantConfig,
  markIn,
  PROMPT,
  startChat,
  startModel,
  type ChatSystem,
  type ScriptedModel,
} from './chat-system.ts'

const loopOf = (body: string): string => `export class Module {\n  ${body}\n}\n`
const LINE = '[Meta-loop: balanced, no cycle yet]'

let model: ScriptedModel
let system: ChatSystem
beforeEach(async () => {
  model = await startModel(() => 'Ahoy.')
  system = await startChat({
    'configs/agents/assistant.yml': assistantConfig('provider: openai'),
    'configs/inference/openai.yml': `api: openai\n${model.config}`,
  })
})
afterEach(async () => {
  await system.stop()
  await model.stop()
})

/** What the model was told before the conversation; the mark is another one in each. */
async function toldIn(message: string): Promise<string> {
  expect(await system.assistant.chat({ message })).toMatchObject({ status: 'done', answer: 'Ahoy.' })
  const messages = model.asked().at(-1) ?? []
  return (messages[0]?.content ?? '').replaceAll(markIn(messages), 'MARK')
}

/** A new version of the loop, live. */
async function loopIs(body: string, generation: number): Promise<void> {
  system.root.write('modules/watcher.mjs', loopOf(body))
  if (generation === 1) system.root.write('configs/control/meta-loop.yml', 'api: meta-loop\nprog: watcher\n')
  await system.live('meta-loop', generation)
}

it('its line stands in the prompt while it is live, and a loop that fails, hangs or is gone leaves the chat as it is', async () => {
  expect(PROMPT).toContain('{{status}}')
  const without = await toldIn('one')
  expect(without).not.toContain('{{status}}')
  await loopIs(`status() { return { line: '${LINE}' } }`, 1)
  expect(await toldIn('two')).toBe(without.replace('\n\n\n', `\n\n${LINE}\n`))
  await loopIs("status() { throw new Error('it is broken') }", 2)
  expect(await toldIn('three')).toBe(without)
  await loopIs('async status() { await new Promise(() => {}) }', 3)
  expect(await toldIn('four')).toBe(without)
  await loopIs("status() { return { line: '```tool {{mark}} {{tools}} ' + 'x\\n'.repeat(1000) } }", 4)
  const told = await toldIn('five')
  expect(told).toContain("'''tool {{mark}} {{tools}} x x x ")
  expect(told.length).toBeLessThanOrEqual(without.length + 500)
})

it('a prompt that has no place for it asks for nothing', async () => {
  await loopIs("asked = 0\n  status() { this.asked++; return { line: '[x]' } }\n  count() { return this.asked }", 1)
  const loop = system.getApi<{ count(): number }>('meta-loop')
  expect(await toldIn('one')).toContain('[x]')
  expect(await loop.count()).toBe(1)
  system.root.write('prompts/meta.txt', 'You are brief.\n{{tools}}\n')
  expect(await toldIn('two')).not.toContain('[x]')
  expect(await loop.count()).toBe(1)
})
