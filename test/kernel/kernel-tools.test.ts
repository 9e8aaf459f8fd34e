/** The kernel's tools: what a model sees of the system, and the ways back it may take. */
import { afterEach, expect, it } from 'vitest'
import { errorOf, startTools, valueOf, withTools, type ToolSystem } from '../support/tools.ts'

let system: ToolSystem
afterEach(() => system.stop())

const says = (word: string): string =>
  withTools(`{ say: tool({ description: 'x', params: z.object({}), run: () => '${word}' }) }`)
const call = async (name: string, params: Record<string, unknown> = {}): Promise<unknown> =>
  valueOf(await system.tools.invoke(name, params, { caller: 'assistant' }))

it('a change can be undone on disk, or gone back from in memory', async () => {
  system = await startTools('{}', '', { 'modules/demo.ts': says('one'), 'configs/demo.yml': '' })
  system.root.write('modules/demo.ts', says('two'))
  await system.live('demo', 2)
  expect(await call('kernel_undo_change', { service: 'demo' })).toMatchObject({ ok: true })
  expect([await call('demo_say'), system.root.read('modules/demo.ts')]).toEqual(['one', says('one')])
  system.root.write('modules/demo.ts', says('three'))
  await system.live('demo', 4)
  expect(await call('kernel_rollback_service', { service: 'demo' })).toMatchObject({ ok: true })
  expect([await call('demo_say'), system.root.read('modules/demo.ts')]).toEqual(['one', says('three')])
  expect(await call('kernel_pending_changes')).toMatchObject({
    changes: [{ api: 'demo', error: { code: 'version_refused' } }],
  })
})

it('what is on disk and does not run is listed with the reason', async () => {
  system = await startTools('{}', '', { 'modules/demo.ts': says('one') })
  expect(await call('kernel_pending_changes')).toEqual({ changes: [] })
  const refused = system.event('service.refused')
  system.root.write('modules/demo.ts', 'export class Module { constructor() { throw new Error("no luck") } }')
  await refused
  expect(await call('kernel_pending_changes')).toMatchObject({
    changes: [{ api: 'demo', error: { code: 'constructor_threw' } }],
  })
})

it('configs are shown with their origin, secrets as written', async () => {
  system = await startTools('{}', '', { 'configs/demo.yml': 'key: ${HOME}\nother: 5\n' })
  expect(await call('kernel_show_config', { service: 'demo' })).toMatchObject({
    configs: [
      {
        file: 'configs/demo.yml',
        values: [
          { key: 'key', value: '${HOME}' },
          { key: 'other', value: 5 },
        ],
      },
    ],
  })
})

it('the last events are shown, those asked for', async () => {
  system = await startTools('{}', '', { 'modules/demo.ts': says('one') })
  await call('demo_say')
  const { events } = (await call('kernel_recent_events', { pattern: 'tool.*', count: 1 })) as { events: object[] }
  expect(events).toMatchObject([{ type: 'tool.called', data: { tool: 'demo_say', caller: 'assistant' } }])
})

it('a service that is not there is told with near names', async () => {
  system = await startTools('{}', '', { 'modules/demo.ts': says('one') })
  for (const tool of ['show_service', 'show_config', 'reload_service', 'rollback_service']) {
    const error = errorOf(await system.tools.invoke(`kernel_${tool}`, { service: 'demmo' }))
    expect([tool, error.code, error.message]).toEqual([
      tool,
      'service_not_found',
      expect.stringContaining('near: demo'),
    ])
  }
})
