/** Modules that cannot stand side by side: the old version ends first, and is built again when the new one fails. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { underCalls } from '../support/load.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

interface Options {
  version: number
  exclusive?: boolean
  failing?: string
}

/** It holds a file only one can hold, and writes down what happens to it. */
const locked = ({ version, exclusive = true, failing = '' }: Options): string => `
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
export class Module {
  ${exclusive ? 'static exclusive = true' : ''}
  n = 0
  k: any
  constructor(k: any) { this.k = k; this.note('constructed') }
  note(what: string) { appendFileSync(join(this.k.paths.runtime, 'notes'), '${version} ' + what + '\\n') }
  async init() {
    writeFileSync(join(this.k.paths.runtime, 'locked'), '', { flag: 'wx' })
    this.k.own(() => rmSync(join(this.k.paths.runtime, 'locked')), 'lock')
    ${failing}
  }
  version() { return ${version} }
  add() { return ++this.n }
  async slow() { this.k.events.emit('slow.began'); await this.k.sleep(80); this.note('slow ended'); return ${version} }
  handOver() { return this.n }
  takeOver(n: number) { this.n = n }
  shutdown() { this.note('ended') }
}`

interface Locked {
  version(): number
  add(): number
  slow(): Promise<number>
}

async function start(options: Options = { version: 1 }): Promise<TestSystem> {
  system = await startSystem({ 'configs/m.yml': '', 'modules/m.ts': locked(options) })
  return system
}

const notes = (running: TestSystem): string[] => running.root.read('runtime/notes').trim().split('\n')

/** Adds all the while; says what went wrong, and how often it was told that it had added. */
async function underAdds(running: TestSystem, work: () => Promise<void>): Promise<{ failed: string[]; added: number }> {
  const m = running.getApi<Locked>('m')
  let added = 0
  const { failed } = await underCalls(
    4,
    async () => {
      await m.add()
      added++
    },
    work,
  )
  return { failed, added }
}

it('the old version has ended before the new one is constructed; calls wait, and the state goes over', async () => {
  const running = await start()
  const m = running.getApi<Locked>('m')
  const { failed, added } = await underAdds(running, async () => {
    for (let version = 2; version <= 10; version++) {
      const began = running.event('slow.began')
      const slow = m.slow()
      await began
      running.root.write('modules/m.ts', locked({ version }))
      await running.live('m', version)
      expect(await slow).toBe(version - 1)
    }
  })
  expect(failed).toEqual([])
  expect(await m.add()).toBe(added + 1)
  const expected = ['1 constructed']
  for (let version = 2; version <= 10; version++)
    expected.push(`${version - 1} slow ended`, `${version - 1} ended`, `${version} constructed`)
  expect(notes(running)).toEqual(expected)
})

it('a version that fails when the old one has ended: the old one is built again, with its state', async () => {
  const running = await start()
  const m = running.getApi<Locked>('m')
  const { failed, added } = await underAdds(running, async () => {
    running.root.write('modules/m.ts', locked({ version: 2, failing: 'throw new Error("no")' }))
    const result = await running.reload('m')
    expect(result).toMatchObject({ ok: false, state: 'restored', failed_calls: 0, error: { code: 'init_threw' } })
    expect(await m.version()).toBe(1)
  })
  expect(failed).toEqual([])
  expect(await m.add()).toBe(added + 1)
  expect(notes(running)).toEqual(['1 constructed', '1 ended', '2 constructed', '1 constructed'])
  expect(await running.show('m')).toMatchObject({ state: 'live', stale: true, last_error: { code: 'init_threw' } })
  running.root.write('modules/m.ts', locked({ version: 3 }))
  await expect.poll(() => m.version()).toBe(3)
  expect(await m.add()).toBe(added + 2)
})

it('what can be seen before the old version ends does not end it', async () => {
  const running = await start()
  const m = running.getApi<Locked>('m')
  await m.add()
  const broken = [
    ['source_syntax', 'export class Module {'],
    ['import_missing', `import './none.ts'\n${locked({ version: 2 })}`],
    ['module_threw', `${locked({ version: 2 })}\nthrow new Error('top')`],
    [
      'config_invalid',
      `import { z } from 'zod'\nexport const configSchema = z.object({ size: z.number() })\n${locked({ version: 2 })}`,
    ],
  ]
  for (const [code = '', source = ''] of broken) {
    running.root.write('modules/m.ts', source)
    expect(await running.reload('m')).toMatchObject({ ok: false, generation: 1, error: { code } })
  }
  expect(notes(running)).toEqual(['1 constructed'])
  expect(await m.add()).toBe(2)
})

it('a hand-over that fails leaves the old version, which has not ended yet', async () => {
  system = await startSystem({
    'configs/m.yml': '',
    'modules/m.ts': locked({ version: 1 }).replace('return this.n }', 'throw new Error("not now") }'),
  })
  const m = system.getApi<Locked>('m')
  await m.add()
  system.root.write('modules/m.ts', locked({ version: 2 }))
  const result = await system.reload('m')
  expect(result).toMatchObject({ ok: false, generation: 1, error: { code: 'hand_over_failed' } })
  expect(await m.add()).toBe(2)
  expect(notes(system)).toEqual(['1 constructed'])
})

it('calls that do not end in time put the reload off; the old version has not ended', async () => {
  system = await startSystem({ 'configs/m.yml': 'limits: {quiesce_ms: 20}', 'modules/m.ts': locked({ version: 1 }) })
  const m = system.getApi<Locked>('m')
  await m.add()
  const began = system.event('slow.began')
  const slow = m.slow()
  await began
  system.root.write('modules/m.ts', locked({ version: 2 }))
  expect(await system.reload('m')).toMatchObject({ ok: false, deferred: true, error: { code: 'reload_deferred' } })
  expect(await m.add()).toBe(2)
  const live = system.live('m', 2)
  expect(await slow).toBe(1)
  await live
  expect(await m.add()).toBe(3)
})

it.each([
  ['becomes', { version: 1, exclusive: false }, { version: 2 }],
  ['was', { version: 1 }, { version: 2, exclusive: false }],
])('a module that %s exclusive with this edit is exclusive for it', async (_name, before, after) => {
  const running = await start(before)
  const m = running.getApi<Locked>('m')
  await m.add()
  running.root.write('modules/m.ts', locked(after))
  expect(await running.reload('m')).toMatchObject({ ok: true, state: 'carried' })
  expect([await m.version(), await m.add()]).toEqual([2, 2])
  expect(notes(running)).toEqual(['1 constructed', '1 ended', '2 constructed'])
})

it('when neither can be built, the service has failed and says so; a good file brings it back', async () => {
  const once = `if (existsSync(join(this.k.paths.runtime, 'never again'))) throw new Error('gone')`
  const old = locked({ version: 1, failing: once }).replace(
    'import { appendFileSync,',
    'import { existsSync, appendFileSync,',
  )
  system = await startSystem({ 'configs/m.yml': '', 'modules/m.ts': old })
  const m = system.getApi<Locked>('m')
  system.root.write('runtime/never again', '')
  system.root.write('modules/m.ts', locked({ version: 2, failing: 'throw new Error("no")' }))
  expect(await system.reload('m')).toMatchObject({
    ok: false,
    generation: null,
    state: 'lost',
    error: { code: 'init_threw' },
  })
  expect(await system.show('m')).toMatchObject({ state: 'failed', generation: null })
  await expect(m.version()).rejects.toMatchObject({ code: 'service_failed' })
  expect(existsSync(join(system.root.path, 'runtime/locked'))).toBe(false)
  system.root.write('modules/m.ts', locked({ version: 3 }))
  await system.live('m', 2)
  expect(await m.version()).toBe(3)
  expect(readFileSync(join(system.root.path, 'runtime/locked'), 'utf8')).toBe('')
})
