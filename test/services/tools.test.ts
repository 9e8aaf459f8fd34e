/** The catalogue of tools follows the services: what is live is in it, under one folded name. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { ToolsApi } from '../../modules/contracts/services.ts'
import type { ToolResult } from '../../modules/contracts/tool.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
let tools: Handle<ToolsApi>

/** A module whose `tool` aspect is the given record. */
const withTools = (record: string): string => `import { tool } from 'meta-machine'
import { z } from 'zod'
export class Module {
  constructor(kernel) { this.kernel = kernel }
  getAspect(name) { return name === 'tool' ? ${record} : undefined }
}
`
const says = (text: string): string =>
  `tool({ description: 'Says ${text}.', params: z.object({}), run: () => '${text}' })`

async function start(files: Record<string, string>, config = ''): Promise<void> {
  system = await startSystem({ 'configs/tools.yml': `prog: services/tools\n${config}`, ...files })
  tools = system.getApi<ToolsApi>('tools')
}

/** One service `demo` with these tools. */
const startDemo = (record: string, config = ''): Promise<void> =>
  start({ 'configs/demo.yml': '', 'modules/demo.ts': withTools(record) }, config)

/** The names of the catalogue without the tools that are always there. */
async function names(): Promise<string[]> {
  const { tools: all } = await tools.list()
  return all.flatMap(({ name, api }) => (api === 'kernel' || api === 'tools' ? [] : [name]))
}

const stopped = (api: string): Promise<unknown> => system.event('service.stopped', (data) => data['api'] === api)

function errorOf(result: ToolResult): { code: string; message: string; hint: string } {
  if (result.status !== 'error') throw new Error(`it did not fail: ${JSON.stringify(result)}`)
  return result.error
}

afterEach(() => system.stop())

describe('the catalogue', () => {
  it('folds service and method to one snake_case name', async () => {
    await start({
      'configs/a.yml': 'api: My-Service/v2\nprog: demo\n',
      'configs/b.yml': 'api: mcp:remote.one\nprog: demo\n',
      'modules/demo.ts': withTools(`{ readAllFiles: ${says('a')}, HTTPGet: ${says('b')}, 'odd name!': ${says('c')} }`),
    })
    expect(await names()).toEqual([
      'mcp_remote_one_httpget',
      'mcp_remote_one_odd_name',
      'mcp_remote_one_read_all_files',
      'my_service_v2_httpget',
      'my_service_v2_odd_name',
      'my_service_v2_read_all_files',
    ])
    expect(await tools.invoke('my_service_v2_read_all_files', {})).toMatchObject({ status: 'success', value: 'a' })
  })

  it('has names of at most 64 characters', async () => {
    await start({
      'configs/a.yml': `api: ${'long-'.repeat(20)}name\nprog: demo\n`,
      'modules/demo.ts': withTools(`{ x: ${says('a')} }`),
    })
    expect((await names()).map((name) => name.length)).toEqual([64])
  })

  it('shows each tool with description, signature and JSON Schema', async () => {
    await startDemo(`{ greet: tool({
      description: 'Greet somebody.',
      params: z.object({ name: z.string().describe('who'), times: z.number().int().optional(), how: z.enum(['loud', 'soft']).default('soft') }),
      run: ({ name, times, how }) => [name, times, how],
    }) }`)
    const { tools: all } = await tools.list()
    expect(all.find(({ name }) => name === 'demo_greet')).toMatchObject({
      api: 'demo',
      method: 'greet',
      description: 'Greet somebody.',
      signature: 'demo_greet(name: string, times?: integer, how?: "loud" | "soft")',
      schema: { type: 'object', required: ['name'], properties: { name: { type: 'string', description: 'who' } } },
    })
    expect(await tools.invoke('demo_greet', { name: 'Ada' })).toMatchObject({ value: ['Ada', undefined, 'soft'] })
  })

  it('takes plain functions with a description and params as tools too', async () => {
    await startDemo(
      `{ plain: Object.assign(({ n }) => n + 1, { description: 'Adds one.', params: z.object({ n: z.number() }) }) }`,
    )
    expect(await tools.invoke('demo_plain', { n: 1 })).toEqual({ name: 'demo_plain', status: 'success', value: 2 })
  })

  it('gains the tools of a service that is added and loses those of one that is removed', async () => {
    await startDemo(`{ one: ${says('one')} }`)
    expect(await names()).toEqual(['demo_one'])
    system.root.write('modules/fresh.ts', withTools(`{ two: ${says('two')} }`))
    system.root.write('configs/fresh.yml', '')
    await system.live('fresh')
    expect(await names()).toEqual(['demo_one', 'fresh_two'])
    expect(await tools.invoke('fresh_two', {})).toMatchObject({ value: 'two' })
    const gone = stopped('demo')
    system.root.remove('configs/demo.yml')
    await gone
    expect(await names()).toEqual(['fresh_two'])
    expect(errorOf(await tools.invoke('demo_one', {})).code).toBe('tool_not_found')
  })

  it('follows a reload that renames a tool and changes what it does', async () => {
    await startDemo(`{ one: ${says('one')}, stays: ${says('old')} }`)
    expect(await names()).toEqual(['demo_one', 'demo_stays'])
    system.root.write('modules/demo.ts', withTools(`{ two: ${says('two')}, stays: ${says('new')} }`))
    await system.live('demo', 2)
    expect(await names()).toEqual(['demo_stays', 'demo_two'])
    expect(await tools.invoke('demo_stays', {})).toMatchObject({ value: 'new' })
  })

  it('is still right after a reload of the service tools itself', async () => {
    await startDemo(`{ one: ${says('one')} }`)
    await names()
    expect(await system.reload('tools')).toMatchObject({ ok: true })
    expect(await names()).toEqual(['demo_one'])
  })
})

describe('two tools that fold to one name', () => {
  const files = (first: string, second: string): Record<string, string> => ({
    'configs/first.yml': `api: ${first}\nprog: first\n`,
    'modules/first.ts': withTools(`{ run_it: ${says('first')} }`),
    'modules/second.ts': withTools(`{ runIt: ${says('second')} }`),
    'draft/second.yml': `api: ${second}\nprog: second\n`,
  })
  const addSecond = async (second: string): Promise<void> => {
    system.root.write('configs/second.yml', system.root.read('draft/second.yml'))
    await system.live(second)
  }

  it.each([
    ['a.b', 'a_b'],
    ['a_b', 'a.b'],
  ])('%s was there first, so it stays, and the conflict names both', async (first, second) => {
    await start(files(first, second))
    expect(await tools.invoke('a_b_run_it', {})).toMatchObject({ value: 'first' })
    await addSecond(second)
    const { conflicts, tools: all } = await tools.list()
    expect(all.filter(({ name }) => name === 'a_b_run_it')).toMatchObject([{ api: first }])
    expect(conflicts).toHaveLength(1)
    expect(system.log.map((line) => line.code)).toContain('tool_name_taken')
    expect(conflicts[0]).toContain(`${first}.run_it`)
    expect(conflicts[0]).toContain(`${second}.runIt`)
    expect(await tools.invoke('a_b_run_it', {})).toMatchObject({ value: 'first' })
  })

  it('are one again when the first goes', async () => {
    await start(files('a.b', 'a_b'))
    await addSecond('a_b')
    const gone = stopped('a.b')
    system.root.remove('configs/first.yml')
    await gone
    expect((await tools.list()).conflicts).toEqual([])
    expect(await tools.invoke('a_b_run_it', {})).toMatchObject({ value: 'second' })
  })
})
