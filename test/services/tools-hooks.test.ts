/** Hooks see each call before it is made and after; what cannot be asked lets nothing through. */
import { afterEach, describe, expect, it } from 'vitest'
import { errorOf, startTools, valueOf, type ToolSystem } from '../support/tools.ts'

let system: ToolSystem
afterEach(() => system.stop())

const ECHO = `{ echo: tool({ description: 'x', params: z.object({ n: z.int().default(0), list: z.array(z.int()).optional() }), run: (given) => { this.kernel.events.emit('demo.ran'); if (given.n === 13) throw new Error('unlucky'); return given } }) }`
const hook = (members: string): string => `export class Module {
  told = []
  constructor(kernel) { this.kernel = kernel }
  seen() { return this.told }
  ${members}
}
`
const TELLS = hook(`
  before_call(call) { this.told.push(['before', call]) }
  after_call(call, result, ms) { this.told.push(['after', call, result, ms]) }
`)

async function start(members: string, config = 'hooks: [guard]\n'): Promise<void> {
  system = await startTools(ECHO, config, { 'configs/guard.yml': '', 'modules/guard.ts': members })
}

const ran = (): number => system.kernel.events.since(0).filter(({ type }) => type === 'demo.ran').length

it('a hook is told the call as it will be made, and what it came to', async () => {
  await start(TELLS)
  await system.tools.invoke('demo_echo', { n: '4' }, { caller: 'someone', trace: 't1', id: 'i1' })
  await system.tools.invoke('demo_echo', { n: 13 })
  const told = (await system.getApi('guard')['seen']?.()) as unknown[]
  const call = { name: 'demo_echo', params: { n: 4 }, caller: 'someone', trace: 't1', id: 'i1' }
  expect(told).toMatchObject([
    ['before', call],
    ['after', call, { status: 'success', value: { n: 4 } }, expect.any(Number)],
    ['before', { params: { n: 13 } }],
    ['after', { params: { n: 13 } }, { status: 'error', error: { message: 'unlucky' } }, expect.any(Number)],
  ])
})

it('a hook may refuse with a reason: the tool does not run, and the hook hears of it', async () => {
  await start(
    hook(`
    before_call(call) { if (call.params.n > 1) return { refuse: 'more than one' } }
    after_call(call, result) { this.told.push(result.error?.code ?? result.status) }
  `),
  )
  const error = errorOf(await system.tools.invoke('demo_echo', { n: 2 }))
  expect(error).toMatchObject({
    code: 'tool_refused',
    message: expect.stringMatching(/demo_echo.*guard.*more than one/) as string,
  })
  expect(ran()).toBe(0)
  expect(valueOf(await system.tools.invoke('demo_echo', { n: 1 }))).toEqual({ n: 1 })
  expect(await system.getApi('guard')['seen']?.()).toEqual(['tool_refused', 'success'])
})

it('a hook may change the parameters, which is told; they are checked again', async () => {
  await start(hook(`before_call(call) { return { params: { ...call.params, n: call.params.n === 5 ? 'five' : 9 } } }`))
  expect(await system.tools.invoke('demo_echo', { n: 1 })).toMatchObject({
    value: { n: 9 },
    warnings: ['the parameters were changed by guard'],
  })
  expect(errorOf(await system.tools.invoke('demo_echo', { n: 5 })).code).toBe('bad_params')
})

it('a hook gets copies: what it does to them changes nothing', async () => {
  await start(
    hook(`
    before_call(call) { call.params.n = 99; call.params.list.push(4); call.name = 'other' }
    after_call(call, result) { result.value = 'other'; result.status = 'error' }
  `),
  )
  expect(await system.tools.invoke('demo_echo', { n: 1, list: [1] })).toMatchObject({
    name: 'demo_echo',
    status: 'success',
    value: { n: 1, list: [1] },
  })
})

it('hooks are asked in their order, each with what the one before made of it', async () => {
  const add = (n: number): string => hook(`before_call(call) { return { params: { n: call.params.n * 10 + ${n} } } }`)
  system = await startTools(ECHO, 'hooks: [one, two]\n', {
    'configs/one.yml': '',
    'modules/one.ts': add(1),
    'configs/two.yml': '',
    'modules/two.ts': add(2),
  })
  expect(valueOf(await system.tools.invoke('demo_echo', { n: 3 }))).toEqual({ n: 312 })
})

describe('nothing is let through by a hook', () => {
  it.each([
    ['that throws', `before_call() { throw new Error('out of order') }`, 'out of order'],
    ['that is late', `before_call() { return new Promise(() => undefined) }`, '50 ms'],
    ['that answers nonsense', `before_call() { return false }`, 'boolean'],
    ['whose reason is no text', `before_call() { return { refuse: true } }`, 'refuse'],
    ['whose parameters are no map', `before_call() { return { params: [1] } }`, 'params'],
    ['that answers what cannot be copied', `before_call() { return { params: { n() {} } } }`, 'could not be cloned'],
    ['that is none', `other() {}`, 'before_call'],
    [
      'that throws as if it were none',
      `before_call() { throw Object.assign(new Error('x'), { code: 'method_not_found' }) }`,
      'x',
    ],
  ])('%s', async (_name, members, reason) => {
    await start(hook(members), 'hooks: [guard]\nhook_ms: 50\n')
    const error = errorOf(await system.tools.invoke('demo_echo', {}))
    expect(error.code).toBe('tool_hook_failed')
    expect(error.message).toContain(reason)
    expect(ran()).toBe(0)
  })

  it('that is not there, until it is', async () => {
    system = await startTools(ECHO, 'hooks: [guard]\n')
    expect(errorOf(await system.tools.invoke('demo_echo', {})).code).toBe('tool_hook_failed')
    system.root.write('modules/guard.ts', TELLS)
    system.root.write('configs/guard.yml', '')
    await system.live('guard')
    expect(valueOf(await system.tools.invoke('demo_echo', {}))).toEqual({ n: 0 })
  })
})

it('a hook that fails afterwards changes nothing, and it is written down', async () => {
  await start(hook(`after_call() { throw new Error('full') }`))
  expect(valueOf(await system.tools.invoke('demo_echo', { n: 1 }))).toEqual({ n: 1 })
  expect(system.log.filter(({ level }) => level === 'warn').map(({ message }) => message)).toContainEqual(
    expect.stringContaining('full'),
  )
})

it('a hook that gains a method by a reload is asked from then on', async () => {
  await start(hook(`after_call() {}`))
  expect(await system.tools.invoke('demo_echo', {})).toMatchObject({ status: 'success' })
  system.root.write('modules/guard.ts', hook(`before_call() { return { refuse: 'closed' } }`))
  await system.live('guard', 2)
  expect(errorOf(await system.tools.invoke('demo_echo', {})).code).toBe('tool_refused')
})
