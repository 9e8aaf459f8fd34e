import { afterEach, beforeEach, expect, it } from 'vitest'
import { startSystem, type TestSystem } from '../support/system.ts'

const GOOD = `export class Module {
  constructor(private readonly kernel: { sleep(ms: number): Promise<void> }) {}
  version() { return 1 }
  async slow(ms: number) { await this.kernel.sleep(ms); return 'from 1' }
}
`

let system: TestSystem
beforeEach(async () => {
  system = await startSystem({
    'configs/m.yml': 'limits: {init_ms: 200, evaluate_ms: 200}',
    'modules/m.ts': GOOD,
    'modules/helper.ts': 'export const helper = 1',
  })
})
afterEach(() => system.stop())

const call = (name: string, ...args: unknown[]): Promise<unknown> =>
  (system.getApi('m')[name] as (...args: unknown[]) => Promise<unknown>)(...args)

/** Calls all the while `work` goes on; says how many there were and how many failed. */
async function underCalls(work: () => Promise<void>): Promise<{ calls: number; failed: unknown[] }> {
  const stop = new AbortController()
  const counts = { calls: 0, failed: [] as unknown[] }
  const callers = Array.from({ length: 8 }, async (_, index) => {
    while (!stop.signal.aborted) {
      counts.calls++
      try {
        await (index % 2 === 0 ? call('version') : call('slow', index))
      } catch (error) {
        counts.failed.push(error)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  await work()
  stop.abort()
  await Promise.all(callers)
  return counts
}

const BAD: [name: string, source: string, code: string, place: { line?: number; column?: number }][] = [
  ['a syntax error', 'export class Module {\n  version( { return 2 }\n}', 'source_syntax', { line: 2 }],
  [
    'a throw at the top',
    'const x: number = 1\nthrow new Error(`top ${x}`)\nexport class Module {}',
    'module_threw',
    { line: 2, column: 7 },
  ],
  ['a top level that never settles', 'await new Promise(() => {})\nexport class Module {}', 'module_timeout', {}],
  [
    'a throw in the constructor',
    'export class Module {\n  constructor() { throw new Error("ctor") }\n}',
    'constructor_threw',
    { line: 2, column: 25 },
  ],
  [
    'a throw in init',
    'export class Module {\n  async init() {\n    throw new Error("init")\n  }\n}',
    'init_threw',
    { line: 3, column: 11 },
  ],
  [
    'an init that never settles',
    'export class Module {\n  init() { return new Promise(() => {}) }\n}',
    'init_timeout',
    {},
  ],
  [
    'a selfTest that refuses',
    'export class Module {\n  selfTest() { throw new Error("not ready") }\n}',
    'self_test_failed',
    { line: 2, column: 22 },
  ],
  [
    'a missing import',
    'import { a } from "./none.ts"\nexport class Module { version() { return a } }',
    'import_missing',
    { line: 1 },
  ],
  [
    'a missing name',
    'import { nope } from "./helper.ts"\nexport class Module { version() { return nope } }',
    'export_missing',
    {},
  ],
  ['no class Module', 'export class Modul {}', 'no_module_class', {}],
  ['a method name of the handle', 'export class Module { as() {} }', 'reserved_method', {}],
  [
    'a tool without a description',
    'export class Module { getAspect(n: string) { return n === "tool" ? { t: { run() {} } } : this } }',
    'aspect_invalid',
    {},
  ],
  [
    'a config that does not fit',
    'import { z } from "zod"\nexport const configSchema = z.object({ size: z.number() })\nexport class Module {}',
    'config_invalid',
    {},
  ],
]

it.each(BAD)(
  '%s: the incumbent serves on, 0 failed calls, the reason has its place',
  async (_name, source, code, place) => {
    const { failed } = await underCalls(async () => {
      const refused = system.event('service.refused')
      system.root.write('modules/m.ts', source)
      const { error } = (await refused).data as { error: { code: string; file: string } }
      expect(error).toMatchObject({ code, ...place })
      expect(error.file).toBe(code === 'config_invalid' ? 'configs/m.yml' : 'modules/m.ts')
    })
    expect(failed).toEqual([])
    const shown = await system.show('m')
    expect(shown).toMatchObject({ state: 'live', generation: 1, stale: true, last_error: { code } })
    expect(shown.disk_hash).not.toBe(shown.source_hash)
    expect(await call('version')).toBe(1)
    system.root.write('modules/m.ts', GOOD.replace('return 1', 'return 2'))
    await system.live('m', 2)
    expect(await call('version')).toBe(2)
    expect(await system.show('m')).toMatchObject({ stale: false, last_error: null })
  },
)

it('a broken file that is put back as it was is no error any more, and no reload', async () => {
  const refused = system.event('service.refused')
  system.root.write('modules/m.ts', 'export class Module {')
  await refused
  system.root.write('modules/m.ts', GOOD)
  await expect.poll(async () => (await system.show('m')).stale).toBe(false)
  expect(await system.show('m')).toMatchObject({ generation: 1, last_error: null })
})

it('a call admitted on a version ends on it; the old version ends after it, the new one serves meanwhile', async () => {
  const slow = call('slow', 150)
  const drained = system.event('service.drained')
  system.root.write('modules/m.ts', GOOD.replace('return 1', 'return 2').replace('from 1', 'from 2'))
  await system.live('m', 2)
  expect(await call('version')).toBe(2)
  expect((await system.show('m')).draining).toEqual([{ generation: 1, in_flight: 1 }])
  expect(await slow).toBe('from 1')
  await drained
  expect((await system.show('m')).draining).toEqual([])
})

it('every kind of save ends live: in place, by rename, in pieces', async () => {
  const versions = { n: 1 }
  const next = (): string => GOOD.replace('return 1', `return ${++versions.n}`)
  for (const save of ['write', 'writeByRename', 'write', 'writeByRename'] as const) {
    system.root[save]('modules/m.ts', next())
    await system.live('m', versions.n)
    expect(await call('version')).toBe(versions.n)
  }
  const source = next()
  for (const end of [20, 60, source.length]) {
    system.root.write('modules/m.ts', source.slice(0, end))
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
  await expect.poll(() => call('version')).toBe(versions.n)
})

it('a changed helper reloads the service; an unchanged save does not', async () => {
  system.root.write(
    'modules/m.ts',
    `import { helper } from './helper.ts'\nexport class Module { version() { return helper } }`,
  )
  await system.live('m', 2)
  system.root.write('modules/helper.ts', 'export const helper = 42')
  await system.live('m', 3)
  expect(await call('version')).toBe(42)
  system.root.write('modules/helper.ts', 'export const helper = 42')
  system.root.write('modules/helper.ts', 'export const helper = 43')
  await system.live('m', 4)
  expect(await call('version')).toBe(43)
})

it('services that share a changed file are switched together, or none of them', async () => {
  const source = (name: string): string =>
    `import { helper } from './helper.ts'\nexport class Module { version() { return '${name}' + helper } }`
  system.root.write('modules/x.ts', source('x'))
  system.root.write('modules/y.ts', source('y'))
  system.root.write('configs/x.yml', '')
  system.root.write('configs/y.yml', '')
  await Promise.all([system.live('x'), system.live('y')])
  system.root.write('modules/helper.ts', 'export const other = 2')
  const refused = new Set<string>()
  while (refused.size < 2)
    refused.add(
      String((await system.event('service.refused', (data) => !refused.has(String(data['api'])))).data['api']),
    )
  for (const api of ['x', 'y']) {
    expect(await (system.getApi(api)['version'] as () => Promise<unknown>)()).toBe(`${api}1`)
  }
  system.root.write('modules/helper.ts', 'export const helper = 3')
  await Promise.all([system.live('x', 2), system.live('y', 2)])
  expect(await (system.getApi('x')['version'] as () => Promise<unknown>)()).toBe('x3')
})

it('a config edit is a new version; a broken config keeps the old one; a fixed one goes on', async () => {
  system.root.write(
    'modules/m.ts',
    'export class Module { constructor(_k: unknown, private config: { size?: number }) {} version() { return this.config.size } }',
  )
  await system.live('m', 2)
  system.root.write('configs/m.yml', 'size: 7')
  await system.live('m', 3)
  expect(await call('version')).toBe(7)
  const broken = system.event('config.error')
  system.root.write('configs/m.yml', 'size: [7')
  expect((await broken).data['error']).toMatchObject({ code: 'config_syntax', file: 'configs/m.yml', line: 1 })
  expect(await call('version')).toBe(7)
  expect((await system.show('m')).last_error).toMatchObject({ code: 'config_syntax' })
  system.root.write('configs/m.yml', 'size: 8')
  await system.live('m', 4)
  expect(await call('version')).toBe(8)
  expect((await system.show('m')).last_error).toBeNull()
})

it('a file that is gone for a moment stops nothing; one that stays gone stops the service', async () => {
  const text = system.root.read('configs/m.yml')
  const { failed } = await underCalls(async () => {
    for (let round = 0; round < 5; round++) {
      system.root.remove('configs/m.yml')
      await new Promise((resolve) => setTimeout(resolve, 60))
      system.root.write('configs/m.yml', text)
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
  })
  expect(failed).toEqual([])
  expect((await system.show('m')).generation).toBe(1)
  const stopped = system.event('service.stopped')
  system.root.remove('configs/m.yml')
  await stopped
  await expect(call('version')).rejects.toMatchObject({ code: 'service_not_found' })
  system.root.write('configs/m.yml', text)
  await system.live('m', 2)
  expect(await call('version')).toBe(1)
})

it('a higher version of the config takes over, and going back is removing it or a dot', async () => {
  system.root.write(
    'modules/m.ts',
    'export class Module { constructor(_k: unknown, private config: { size?: number }) {} version() { return this.config.size ?? 0 } }',
  )
  await system.live('m', 2)
  system.root.write('configs/m-v1.2.yml', 'size: 12')
  await system.live('m', 3)
  system.root.write('configs/m-v1.10.yml', 'size: 110')
  await system.live('m', 4)
  expect(await call('version')).toBe(110)
  system.root.remove('configs/m-v1.10.yml')
  await system.live('m', 5)
  expect(await call('version')).toBe(12)
})

it('asked to reload, it says what came of it', async () => {
  expect(await system.reload('m')).toMatchObject({
    ok: true,
    from: 1,
    generation: 2,
    failed_calls: 0,
    state: 'lost',
    error: null,
  })
  system.root.write('modules/m.ts', 'export class Module { constructor() { throw new Error("no") } }')
  expect(await system.reload('m')).toMatchObject({
    ok: false,
    from: 2,
    generation: 2,
    error: { code: 'constructor_threw', file: 'modules/m.ts', line: 1 },
  })
  await expect(system.reload('nobody')).rejects.toMatchObject({ code: 'service_not_found' })
})

it('a candidate that hangs does not keep a fixed file waiting', async () => {
  system.root.write('configs/m.yml', '')
  await system.live('m', 2)
  const starting = system.event('service.starting')
  system.root.write('modules/m.ts', 'export class Module { init() { return new Promise(() => {}) } }')
  await starting
  system.root.write('modules/m.ts', GOOD.replace('return 1', 'return 9'))
  await system.live('m', 3)
  expect(await call('version')).toBe(9)
})
