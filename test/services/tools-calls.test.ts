/** A call of a tool gives a result for whatever happens, and never rejects. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { ToolsApi } from '../../modules/contracts/services.ts'
import type { ToolResult } from '../../modules/contracts/tool.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
let tools: Handle<ToolsApi>

/** A module whose `tool` aspect is the given record. */
const withTools = (record: string): string => `import { tool, CodedError } from 'meta-machine'
import { z } from 'zod'
export class Module {
  constructor(kernel) { this.kernel = kernel }
  getAspect(name) { return name === 'tool' ? ${record} : undefined }
}
`
const says = (text: string): string =>
  `tool({ description: 'Says ${text}.', params: z.object({}), run: () => '${text}' })`

/** One service `demo` with these tools. */
async function startDemo(record: string, config = ''): Promise<void> {
  system = await startSystem({
    'configs/tools.yml': `prog: services/tools\n${config}`,
    'configs/demo.yml': 'limits: {drain_ms: 10}\n',
    'modules/demo.ts': withTools(record),
  })
  tools = system.getApi<ToolsApi>('tools')
}

function errorOf(result: ToolResult): { code: string; message: string; hint: string } {
  if (result.status !== 'error') throw new Error(`it did not fail: ${JSON.stringify(result)}`)
  return result.error
}

afterEach(() => system.stop())

describe('a call that cannot be made', () => {
  const GREET = `{ greet: tool({
    description: 'Greet.', params: z.object({ name: z.string(), deep: z.object({ list: z.array(z.number()) }).optional() }), run: ({ name }) => name,
  }) }`

  it('of an unknown tool names the near ones', async () => {
    await startDemo(GREET)
    const error = errorOf(await tools.invoke('demo_great', {}))
    expect(error.code).toBe('tool_not_found')
    expect(error.message).toContain('demo_great')
    expect(error.message).toContain('demo_greet')
    expect(errorOf(await tools.invoke(undefined as never, {})).code).toBe('tool_not_found')
    expect(errorOf(await tools.invoke('__proto__', {})).code).toBe('tool_not_found')
  })

  it('with wrong parameters names the parameter and how the tool is called', async () => {
    await startDemo(GREET)
    const samples: [params: unknown, named: string][] = [
      [{}, '`name`'],
      [{ name: true }, '`name`'],
      [{ name: 'Ada', deep: { list: [1, 'x'] } }, '`deep.list.1`'],
      [null, '`name`'],
      ['text', '`(all)`'],
    ]
    for (const [params, named] of samples) {
      const error = errorOf(await tools.invoke('demo_greet', params as never))
      expect([params, error.code]).toEqual([params, 'bad_params'])
      expect(error.message).toContain(named)
      expect(error.hint).toContain('greet(name: string')
    }
  })

  it('with wrong parameters names the tool as the caller knows it', async () => {
    await startDemo(GREET)
    const error = errorOf(await tools.invoke('demo_greet', {}))
    expect(error.message).toContain('`demo_greet`')
    expect(error.hint).toContain('demo_greet(name: string')
  })
})

describe('an error of the tool is its result', () => {
  it('whatever it throws', async () => {
    await startDemo(`{
      error: tool({ description: 'x', params: z.object({}), run: () => { throw new Error('it broke') } }),
      text: tool({ description: 'x', params: z.object({}), run: () => { throw 'just text' } }),
      nothing: tool({ description: 'x', params: z.object({}), run: () => Promise.reject(undefined) }),
      coded: tool({ description: 'x', params: z.object({}), run: async () => { throw new CodedError('no_luck', 'None left', 'Try tomorrow.') } }),
      hostile: tool({ description: 'x', params: z.object({}), run: () => { throw { get message() { throw new Error('again') } } } }),
      ring: tool({ description: 'x', params: z.object({}), run: () => { const ring = {}; ring.self = ring; return ring } }),
    }`)
    expect(errorOf(await tools.invoke('demo_error', {}))).toMatchObject({ code: 'callee_error', message: 'it broke' })
    expect(errorOf(await tools.invoke('demo_text', {})).message).toBe('just text')
    expect(errorOf(await tools.invoke('demo_nothing', {})).code).toBe('callee_error')
    expect(errorOf(await tools.invoke('demo_coded', {}))).toEqual({
      code: 'no_luck',
      message: 'None left',
      hint: 'Try tomorrow.',
    })
    expect(errorOf(await tools.invoke('demo_hostile', {})).code).toBe('callee_error')
    expect(errorOf(await tools.invoke('demo_ring', {})).code).not.toBe('')
  })

  it('also when its service goes while it works', async () => {
    await startDemo(
      `{ hang: tool({ description: 'x', params: z.object({}), run: () => { this.kernel.events.emit('demo.entered'); return new Promise(() => undefined) } }) }`,
    )
    const entered = system.event('demo.entered')
    const call = tools.invoke('demo_hang', {}, { deadline_ms: 600_000 })
    await entered
    system.root.remove('configs/demo.yml')
    expect(errorOf(await call).code).toBe('generation_retired')
  })

  it('a result of nothing is null', async () => {
    await startDemo(`{ quiet: tool({ description: 'x', params: z.object({}), run: () => undefined }) }`)
    expect(await tools.invoke('demo_quiet', {})).toEqual({ name: 'demo_quiet', status: 'success', value: null })
  })
})

describe('limits', () => {
  const HANG = `{ hang: tool({ description: 'x', params: z.object({}), run: () => new Promise(() => undefined) }) }`

  it('a tool that does not answer ends at the deadline of the call, or of the config', async () => {
    await startDemo(HANG, 'deadline_ms: 40\n')
    expect(errorOf(await tools.invoke('demo_hang', {}, { deadline_ms: 20 }))).toMatchObject({
      code: 'deadline_exceeded',
    })
    expect(errorOf(await tools.invoke('demo_hang', {})).message).toContain('40 ms')
  })

  it('a caller may give up', async () => {
    await startDemo(HANG)
    const stop = new AbortController()
    const call = tools.invoke('demo_hang', {}, { signal: stop.signal })
    stop.abort()
    expect(errorOf(await call).code).toBe('call_aborted')
  })

  it('a result over what may be kept is refused with its size', async () => {
    await startDemo(
      `{ big: tool({ description: 'x', params: z.object({ n: z.number() }), run: ({ n }) => 'ä'.repeat(n) }) }`,
      'result_bytes_max: 100\nkept_bytes_max: 100\n',
    )
    expect(await tools.invoke('demo_big', { n: 49 })).toMatchObject({ status: 'success' })
    const error = errorOf(await tools.invoke('demo_big', { n: 50 }))
    expect(error).toMatchObject({ code: 'tool_output_limit', message: expect.stringContaining('102') as string })
  })
})

describe('what a tool is told and called', () => {
  it('a tool knows who asked', async () => {
    await startDemo(`{ who: tool({ description: 'x', params: z.object({}), run: (_, context) => context.caller }) }`)
    expect(await tools.invoke('demo_who', {}, { caller: 'assistant' })).toMatchObject({ value: 'assistant' })
    expect(await tools.invoke('demo_who', {})).toMatchObject({ value: 'tools' })
  })

  it('a tool may have a name a module method cannot have', async () => {
    await startDemo(`{ run: ${says('run')}, init: ${says('init')}, shutdown: ${says('shutdown')} }`)
    for (const name of ['run', 'init', 'shutdown']) {
      expect(await tools.invoke(`demo_${name}`, {})).toEqual({ name: `demo_${name}`, status: 'success', value: name })
    }
  })

  it.each(['with', 'as', 'then', 'getStats'])(
    'a tool called %s would hide a part of the handle, so it is refused',
    async (name) => {
      await startDemo(`{ ${name}: ${says(name)}, other: ${says('other')} }`)
      expect(await system.show('demo')).toMatchObject({ state: 'failed', last_error: { code: 'reserved_method' } })
    },
  )

  it('a tool without a description, or with params that are no zod object, keeps its version from going live', async () => {
    await startDemo(`{ bad: tool({ params: z.object({}), run: () => 1 }) }`)
    expect(await system.show('demo')).toMatchObject({ state: 'failed', last_error: { code: 'aspect_invalid' } })
    system.root.write(
      'modules/demo.ts',
      withTools(`{ bad: { description: 'x', params: { name: 'string' }, run: () => 1 } }`),
    )
    await system.event('service.refused', ({ error }) => String((error as { message: string }).message).includes('zod'))
    system.root.write('modules/demo.ts', withTools(`{ good: ${says('good')} }`))
    await system.live('demo')
    expect(await tools.invoke('demo_good', {})).toMatchObject({ value: 'good' })
  })
})
