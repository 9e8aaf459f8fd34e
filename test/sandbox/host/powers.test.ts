/** What a module in a sandbox may do to others, seen from outside: grants, refusals, and what is told of both. */
import { afterEach, expect, it } from 'vitest'
import { ScriptedEngine } from '../../support/scripted-engine.ts'
import { rejection } from '../../support/system.ts'
import { counter, startSandboxed, type Counter, type SandboxSystem } from './sandbox-system.ts'

let system: SandboxSystem
afterEach(() => system.stop())

const target = { 'configs/target.yml': '', 'modules/target.ts': counter() }
const module = (config: string, source = counter()): Record<string, string> => ({
  ...target,
  'configs/x.yml': `sandbox: {isolation: inline}\n${config}`,
  'modules/x.ts': source,
})
const start = async (config: string, source?: string, options = {}): Promise<void> => {
  system = await startSandboxed(module(config, source), options)
}
const x = () => system.getApi<Counter>('x')
const codeOf = async (work: Promise<unknown>): Promise<string> => (await rejection(work)).code
const failure = async () => {
  const { state, last_error: error } = await system.show('x')
  return { state, error }
}

it('what is not granted is refused, with what to write; it is counted, and told once', async () => {
  await start('')
  const refused = await rejection(x().ask('target', 'next'))
  expect(refused).toMatchObject({
    code: 'grant_denied',
    message: 'x may not use target.next',
    hint: 'Add `- target.next` under `grants:` in configs/x.yml, if it should have that power.',
  })
  for (let time = 0; time < 4; time++) expect(await codeOf(x().ask('target', 'next'))).toBe('grant_denied')
  expect((await system.show('x')).sandbox).toMatchObject({
    isolation: 'inline',
    granted: [],
    used: [],
    refused: [{ power: 'target.next', count: 5 }],
  })
  expect(system.log.filter(({ code }) => code === 'grant_denied')).toHaveLength(1)
  expect((await system.show('target')).calls).toBe(0)
})

it('what is granted works, and is shown as used; a changed grant is a new version', async () => {
  await start('grants: [target.next]\n')
  expect(await x().ask('target', 'next')).toBe(1)
  expect(await x().ask('target', 'next')).toBe(2)
  expect(await codeOf(x().ask('target', 'mark'))).toBe('grant_denied')
  expect((await system.show('x')).sandbox).toMatchObject({
    granted: ['target.next'],
    used: [{ power: 'target.next', count: 2 }],
    refused: [{ power: 'target.mark', count: 1 }],
  })
  system.root.write('configs/x.yml', 'sandbox: {isolation: inline}\ngrants: [target.mark]\n')
  await system.live('x', 2)
  expect(await x().ask('target', 'mark')).toBe(1)
  expect(await codeOf(x().ask('target', 'next'))).toBe('grant_denied')
})

it('a service may call itself; a handle’s own names and those of every object reach nothing', async () => {
  // A guest that says what it likes.
  await start('grants: [target.*]\n', undefined, { engine: new ScriptedEngine() })
  expect(await x().ask('x', 'mark')).toBe(1)
  for (const name of [
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    '_caller',
    'getStats',
    'as',
    'with',
    'a b',
  ])
    expect([name, await codeOf(x().ask('target', name))]).toEqual([name, 'method_not_found'])
  expect(await codeOf(x().ask('__proto__', 'x'))).toBe('grant_denied')
})

it('events have to be granted, but for those under its own name', async () => {
  await start(
    'grants: ["events.emit:shared.*"]\n',
    counter(1, 'say(type) { this.kernel.events.emit(type, { said: 1 }) }'),
  )
  const heard: string[] = []
  system.kernel.events.on('*', ({ type }) => heard.push(type))
  const say = system.getApi<{ say(type: string): void }>('x')
  for (const type of ['x.mine', 'shared.one', 'service.live', 'kernel.fault']) await say.say(type)
  expect(heard.filter((type) => /^(x|shared|service|kernel)\./.test(type))).toEqual(['x.mine', 'shared.one'])
  expect((await system.show('x')).sandbox?.refused).toMatchObject([{ power: 'events.emit', count: 2 }])
})

it('a prompt is a file: it has to be granted by its path', async () => {
  const source = counter(1, 'read(path) { return this.kernel.prompt(path) }')
  system = await startSandboxed({
    ...module('grants: ["kernel.prompt:prompts/a.txt"]\n', source),
    'prompts/a.txt': 'Be kind.',
    'prompts/b.txt': 'Be quick.',
  })
  const read = system.getApi<{ read(path: string): { text: string } }>('x')
  expect((await read.read('prompts/a.txt')).text).toBe('Be kind.')
  expect(await codeOf(read.read('prompts/b.txt'))).toBe('grant_denied')
  expect(await codeOf(read.read('configs/x.yml'))).toBe('grant_denied')
})

it('whoever calls tools for it is named by the kernel, not by itself', async () => {
  const catalogue = 'export class Module { invoke(name, params, options) { return options.caller } }'
  system = await startSandboxed({
    ...module('grants: ["tools.invoke:target_*"]\n'),
    'configs/tools.yml': 'prog: catalogue\n',
    'modules/catalogue.ts': catalogue,
  })
  expect(await x().ask('tools', 'invoke', 'target_next', {}, { caller: 'http' })).toBe('x')
  expect(await x().ask('tools', 'invoke', 'target_next')).toBe('x')
  expect(await codeOf(x().ask('tools', 'invoke', 'other'))).toBe('grant_denied')
})

it('a tool is told who calls it by the kernel too, whatever its arguments say', async () => {
  const tools = `export class Module {
    getAspect(name) { return name === 'tool' ? { who: { description: 'who', params: { type: 'object' }, run: (_given, { caller }) => caller } } : undefined }
  }`
  system = await startSandboxed({
    ...module(
      'grants: ["teller@tool.who"]\n',
      counter(1, "who(caller) { return this.kernel.getApi('teller').as('tool').who({}, { caller }) }"),
    ),
    'configs/teller.yml': '',
    'modules/teller.ts': tools,
  })
  expect(await system.getApi<{ who(caller: string): unknown }>('x').who('http')).toBe('x')
})

it('background work that is never done is bounded', async () => {
  await start(
    '',
    counter(1, "flood() { for (let n = 0; n < 1500; n++) this.kernel.spawn('forever', () => new Promise(() => {})) }"),
  )
  const fault = system.event('service.fault', ({ api }) => api === 'x')
  await system.getApi<{ flood(): void }>('x').flood()
  expect(JSON.stringify((await fault).data)).toContain('background work')
  expect((await system.show('x')).tasks).toBeLessThan(1_100)
})

const WRITER = counter(
  2,
  "save() { return this.kernel.getApi('target').mark() } keep() { return this.kernel.getApi('target').next() }",
)

it('a version that asks for more than is granted does not go live: the lines to add are named', async () => {
  await start('grants: [target.next]\n')
  system.root.write('modules/x.ts', WRITER)
  const { ok, error, generation } = await system.reload('x')
  expect({ ok, generation }).toEqual({ ok: false, generation: 1 })
  expect(error).toMatchObject({ code: 'power_not_granted', file: 'modules/x.ts' })
  expect(error?.hint).toBe('Add under `grants:` in configs/x.yml:\n  - target.mark')
  expect(await x().mark()).toBe(1)
  system.root.write('configs/x.yml', 'sandbox: {isolation: inline}\ngrants: [target.next, target.mark]\n')
  await system.live('x', 2)
  expect(await x().mark()).toBe(2)
})

it('a policy may add grants for one version; what it does not add stays refused', async () => {
  const asked: string[][] = []
  const approve = ({ powers }: { powers: readonly { method: string }[] }) => {
    asked.push(powers.map(({ method }) => method).sort())
    return Promise.resolve(asked.length === 1 ? ['target.mark'] : ['target.mark', 'target.next'])
  }
  await start('', WRITER, { approve })
  expect((await failure()).error?.code).toBe('power_not_granted')
  expect(await system.reload('x')).toMatchObject({ ok: true })
  expect(asked).toEqual([
    ['mark', 'next'],
    ['mark', 'next'],
  ])
  expect((await system.show('x')).sandbox?.granted).toEqual(['target.mark', 'target.next'])
  const rejecting = (): Promise<never> => Promise.reject(new Error('no policy today'))
  await system.stop()
  await start('', WRITER, { approve: rejecting })
  expect((await failure()).error?.code).toBe('power_not_granted')
})

it('a finding of the scan refuses the version, with its line and what to use instead', async () => {
  await start('')
  system.root.write('modules/x.ts', `import { spawn } from 'node:child_process'\n${counter(2, 'go() { spawn("ls") }')}`)
  const { error, generation } = await system.reload('x')
  expect(error).toMatchObject({ code: 'scan_refused', file: 'modules/x.ts', line: 1 })
  expect(error?.hint).toContain('rule import_forbidden')
  expect(generation).toBe(1)
  expect(await x().mark()).toBe(1)
})

it('the meta file’s list takes the place of the usual one', async () => {
  system = await startSandboxed({
    ...module('', `import 'zod'\n${counter()}`),
    'configs/meta-v1.0.0.yml': 'prog: kernel\nforbidden_imports: [zod]\n',
  })
  expect((await failure()).error).toMatchObject({ code: 'scan_refused', message: expect.stringContaining('zod') })
})

it.each([
  ['sandbox: {memory_mb: 1}\n', 'sandbox.memory_mb', 1, 11],
  ['sandbox:\n  isolation: alone\n', 'sandbox.isolation', 2, 3],
  ['sandbox:\n  cpu: 1\n', 'sandbox.cpu', 2, 3],
  ['sandbox: 7\n', 'sandbox', 1, 1],
  ['grants: {database: [query]}\n', 'grants', 1, 1],
  ['grants:\n  - database.query\n  - database\n', 'grants.1', 3, 5],
])('a wrong config is told by file, line and column: %j', async (config, key, line, column) => {
  system = await startSandboxed({ ...target, 'configs/x.yml': config, 'modules/x.ts': counter() })
  const [error] = system.kernel.status().config_errors
  expect(error).toMatchObject({ code: 'config_key', file: 'configs/x.yml', line, column })
  expect(error?.message).toContain(`\`${key}\``)
})

it('where no sandbox can be made the module does not run, and says how to mend it', async () => {
  await start('', undefined, { load: () => Promise.reject(new Error('no isolates on this platform')) })
  const { state, error } = await failure()
  expect(state).toBe('failed')
  expect(error).toMatchObject({ code: 'sandbox_unavailable', message: expect.stringContaining('no isolates') })
  expect(error?.hint).toContain('never runs without one')
  expect(await codeOf(x().next())).toBe('service_failed')
})
