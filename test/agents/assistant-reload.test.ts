/** A conversation that changes the very thing it runs on: the turn that asked for it ends, and the change is in force. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fence } from '../../modules/bracket/index.ts'
import { packageRoot } from '../support/root.ts'
import { assistantConfig, startChat, startModel, type ChatSystem, type ScriptedModel } from './chat-system.ts'

const OWN = `export { Module, configSchema } from '${packageRoot}/modules/agents/assistant/index.ts'\n`
const CONFIG = 'prog: own\nprovider: scripted\n'
/** Writes a file, and answers when the change has been applied. */
const EDITOR = `import { tool } from 'meta-machine'
import { writeFileSync, rmSync } from 'node:fs'
import { z } from 'zod'
export class Module {
  constructor(kernel) { this.kernel = kernel }
  getAspect(name) {
    if (name !== 'tool') return undefined
    const write = tool({ description: 'Writes.', params: z.object({ path: z.string(), text: z.string(), wait: z.string() }), run: ({ path, text, wait }) =>
      new Promise((resolve) => {
        const stop = this.kernel.events.on(wait, ({ data }) => {
          if (data.api !== 'assistant') return
          stop()
          resolve(data.generation ?? 'gone')
        })
        if (text !== '') return writeFileSync(this.kernel.paths.root + '/' + path, text)
        rmSync(this.kernel.paths.root + '/' + path)
        resolve('removed')
      }) })
    return { write }
  }
}
`

let model: ScriptedModel
let system: ChatSystem

beforeEach(async () => {
  model = await startModel(() => 'Done.')
  system = await startChat({
    'configs/scripted.yml': model.config,
    'configs/agents/assistant.yml': assistantConfig(CONFIG),
    'modules/own.ts': OWN,
    'configs/editor.yml': '',
    'configs/services/config.yml': 'api: config\nprog: services/workshop/config\n',
    'modules/editor.ts': EDITOR,
  })
})
afterEach(async () => {
  await system.stop()
  await model.stop()
})

/** First this call, then another look, then the answer. */
function calls(call: string): void {
  let asked = 0
  model.script = () => {
    const next = [call, '{call: filesystem_list_files {params {}}}'][asked++]
    return next === undefined ? 'Done.' : fence('tool', next)
  }
}

const write = (path: string, text: string): string =>
  `{call: editor_write {params {path: "${path}"} {text: ${JSON.stringify(text)}} {wait: "service.live"}}}`

it.each([
  ['its config', () => write('configs/agents/assistant.yml', assistantConfig(`${CONFIG}steps_max: 5`)), 2],
  ['its code', () => write('modules/own.ts', `${OWN}// by the model\n`), 2],
  [
    'its config, with the tool for that',
    () => '{call: config_edit {params {service: "assistant"} {set {steps_max: 5}}}}',
    2,
  ],
  ['its version, by the tool for that', () => '{call: kernel_reload_service {params {service: "assistant"}}}', 2],
])('a turn that changes %s goes on to its answer', async (_what, call, generation) => {
  calls(call())
  const answer = await system.assistant.chat({ message: 'Improve yourself', conversation_id: 'a' })
  expect(answer).toMatchObject({
    status: 'done',
    answer: 'Done.',
    steps: [{ status: 'success' }, { status: 'success' }],
  })
  expect((await system.show('assistant')).generation).toBe(generation)
  expect(await system.assistant.chat({ message: 'And?', conversation_id: 'a' })).toMatchObject({ answer: 'Done.' })
  expect(model.asked().at(-1)).toHaveLength(8)
})

it('a turn that removes its own assistant is answered, and its conversation is there when it comes back', async () => {
  const state = async (): Promise<string> => (await system.show('assistant')).state
  let asked = 0
  model.script = async () => {
    if (++asked === 1) return fence('tool', write('configs/agents/assistant.yml', ''))
    await expect.poll(state).toBe('draining')
    return 'Done.'
  }
  const gone = system.event('service.stopped', ({ api }) => api === 'assistant')
  const turn = system.assistant.chat({ message: 'Leave', conversation_id: 'a' })
  expect(await turn).toMatchObject({ status: 'done', answer: 'Done.' })
  await gone
  system.root.write('configs/agents/assistant.yml', assistantConfig(CONFIG))
  await system.live('assistant')
  expect((await system.assistant.messages('a')).map(({ content }) => content)).toContain('Leave')
})

it('a message that comes meanwhile waits for the turn, and is answered by the new version', async () => {
  calls(write('modules/own.ts', `${OWN}// by the model\n`))
  const turn = system.assistant.chat({ message: 'Improve yourself', conversation_id: 'a' })
  await system.live('assistant', 2)
  const next = system.assistant.chat({ message: 'And?', conversation_id: 'a' })
  expect(await turn).toMatchObject({ status: 'done' })
  expect(await next).toMatchObject({ status: 'done' })
  const asked = (await system.assistant.messages('a')).map(({ content }) => content)
  expect(asked.indexOf('And?')).toBeGreaterThan(asked.indexOf('Done.'))
})
