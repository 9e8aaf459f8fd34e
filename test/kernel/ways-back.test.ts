/** Rollback and undo, driven as a person does: files on disk, the service `kernel`, and what callers get afterwards. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import type { Handle } from '../../modules/contracts/module.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

const source = (version: number, more = ''): string => `
export class Module {
  #n = 0
  version() { return ${version} }
  async add() { await null; return ++this.#n }
  count() { return this.#n }
  handOver() { return { n: this.#n } }
  takeOver(state) { this.#n = state.n }
  ${more}
}`

let system: TestSystem
let kernel: Handle<KernelServiceApi>
beforeEach(async () => {
  system = await startSystem({ 'configs/m.yml': 'size: 1', 'modules/m.js': source(1) })
  kernel = system.getApi<KernelServiceApi>('kernel')
})
afterEach(() => system.stop())

const call = (name: string): Promise<unknown> => (system.getApi('m')[name] as () => Promise<unknown>)()

async function save(file: string, text: string, generation: number): Promise<void> {
  const live = system.event('service.live', (data) => data['generation'] === generation)
  system.root.write(file, text)
  await live
}

it('a rollback brings the version before, with the state of the one taken back, and leaves the disk alone', async () => {
  await call('add')
  await save('modules/m.js', source(2), 2)
  await call('add')
  const result = await kernel.rollback('m')
  expect(result).toMatchObject({ ok: true, generation: 3, from: 2, rolled_back: true, state: 'carried', error: null })
  expect(await call('version')).toBe(1)
  expect(await call('count')).toBe(2)
  expect(system.root.read('modules/m.js')).toBe(source(2))
  expect(await system.show('m')).toMatchObject({ stale: true, last_error: { code: 'version_refused' } })
})

it('a version that was taken back is not loaded again until its file changes', async () => {
  await save('modules/m.js', source(2), 2)
  await kernel.rollback('m')
  system.root.writeByRename('modules/m.js', source(2))
  await system.kernel.settled()
  expect(await call('version')).toBe(1)
  await save('modules/m.js', source(3), 4)
  expect(await call('version')).toBe(3)
  expect(JSON.parse(system.root.read('runtime/refused.json'))).toEqual({})
})

it('a version that was taken back is not loaded at the next start either, and an operator can insist', async () => {
  await save('modules/m.js', source(2), 2)
  await kernel.rollback('m')
  const refused = system.root.read('runtime/refused.json')
  const next = await startSystem({
    'configs/m.yml': 'size: 1',
    'modules/m.js': source(2),
    'runtime/refused.json': refused,
  })
  try {
    expect(await next.show('m')).toMatchObject({ state: 'quarantined', last_error: { code: 'version_refused' } })
    const refusal = await rejection((next.getApi('m')['version'] as () => Promise<unknown>)())
    expect(refusal.code).toBe('version_refused')
    expect(await next.reload('m')).toMatchObject({ ok: true, generation: 1 })
    expect(JSON.parse(next.root.read('runtime/refused.json'))).toEqual({})
  } finally {
    await next.stop()
  }
})

it('without an earlier version there is nothing to roll back, and an unknown service is said to be unknown', async () => {
  expect((await rejection(kernel.rollback('m'))).code).toBe('nothing_to_roll_back')
  expect((await rejection(kernel.rollback('nobody'))).code).toBe('service_not_found')
  expect((await rejection(kernel.undo('m'))).code).toBe('nothing_to_undo')
})

it('when the version taken back cannot hand over, the last state handed over before is restored', async () => {
  await call('add')
  await save('modules/m.js', source(2).replace('return { n: this.#n }', 'throw new Error("no")'), 2)
  await call('add')
  expect(await kernel.rollback('m')).toMatchObject({ ok: true, state: 'restored', rolled_back: true })
  expect(await call('count')).toBe(1)
})

it('a way back that takes its time is not given up because something else changes meanwhile', async () => {
  const gate = `export class Module {
  #shut = false
  #waiting = []
  shut() { this.#shut = true }
  pass() { return this.#shut ? new Promise((resolve) => this.#waiting.push(resolve)) : undefined }
  waiting() { return this.#waiting.length }
  open() { for (const resolve of this.#waiting) resolve() }
}`
  system.root.write('configs/gate.yml', 'prog: gate')
  system.root.write('modules/gate.js', gate)
  await system.live('gate')
  const passes = "constructor(kernel) { this.kernel = kernel } async init() { await this.kernel.getApi('gate').pass() }"
  await save('modules/m.js', source(2, passes), 2)
  await save('modules/m.js', source(3), 3)
  const at = system.getApi<{ shut(): void; open(): void; waiting(): number }>('gate')
  await at.shut()
  const back = kernel.rollback('m')
  await expect.poll(() => at.waiting()).toBe(1)
  system.root.write('configs/other.yml', 'prog: gate')
  await system.live('other')
  await at.open()
  expect(await back).toMatchObject({ ok: true, rolled_back: true, generation: 4 })
  expect(await call('version')).toBe(2)
})

it('an undo writes the bytes before back and they run', async () => {
  await call('add')
  await save('modules/m.js', source(2), 2)
  expect(await kernel.undo('m')).toMatchObject({ ok: true, generation: 3, state: 'carried' })
  expect(system.root.read('modules/m.js')).toBe(source(1))
  expect(await call('version')).toBe(1)
  expect(await call('count')).toBe(1)
  expect(await system.show('m')).toMatchObject({ stale: false, last_error: null })
  expect((await rejection(kernel.undo('m'))).code).toBe('nothing_to_undo')
})

it('undone one after the other, changes go back as they came', async () => {
  await save('modules/m.js', source(2), 2)
  await save('configs/m.yml', 'size: 2', 3)
  await save('modules/m.js', source(3), 4)
  const states = []
  for (let index = 0; index < 3; index++) {
    await kernel.undo('m')
    states.push([await call('version'), system.root.read('configs/m.yml')])
  }
  expect(states).toEqual([
    [2, 'size: 2'],
    [2, 'size: 1'],
    [1, 'size: 1'],
  ])
})

it('an undo never overwrites what was written since', async () => {
  await save('modules/m.js', source(2), 2)
  system.switchboard.frozen = 'all'
  system.root.write('modules/m.js', source(9))
  const refused = await rejection(kernel.undo('m'))
  expect(refused).toMatchObject({ code: 'file_changed', file: 'modules/m.js' })
  expect(system.root.read('modules/m.js')).toBe(source(9))
})

it('an undo of a broken save gives the file back the bytes that run', async () => {
  const refused = system.event('service.refused')
  system.root.write('modules/m.js', 'export class Module {')
  await refused
  expect(await kernel.undo('m')).toMatchObject({ ok: true })
  expect(system.root.read('modules/m.js')).toBe(source(1))
  expect(await system.show('m')).toMatchObject({ stale: false, last_error: null })
})

it('an undo after a rollback makes the disk equal to what runs', async () => {
  await save('modules/m.js', source(2), 2)
  await kernel.rollback('m')
  await kernel.undo('m')
  expect(system.root.read('modules/m.js')).toBe(source(1))
  expect(await system.show('m')).toMatchObject({ stale: false, last_error: null })
  expect((await rejection(kernel.undo('m'))).code).toBe('nothing_to_undo')
})

it('a service that was removed comes back by an undo, and one that was added goes', async () => {
  const stopped = system.event('service.stopped')
  system.root.remove('configs/m.yml')
  await stopped
  expect(await kernel.undo('m')).toMatchObject({ ok: true })
  expect(system.root.read('configs/m.yml')).toBe('size: 1')
  expect(await call('version')).toBe(1)

  const live = system.event('service.live', (data) => data['api'] === 'other')
  system.root.write('configs/other.yml', 'prog: m')
  await live
  await kernel.undo('other')
  expect(() => system.root.read('configs/other.yml')).toThrow()
  expect((await kernel.services()).map((one) => one.api)).not.toContain('other')
})

it('a shared helper that changed is undone for all who share it', async () => {
  const user = 'import { n } from "./helper.js"\nexport class Module { n() { return n } }'
  system.root.write('modules/helper.js', 'export const n = 1')
  for (const name of ['a', 'b']) {
    system.root.write(`modules/${name}.js`, user)
    system.root.write(`configs/${name}.yml`, '')
    await system.live(name)
  }
  const both = Promise.all(
    ['a', 'b'].map((api) => system.event('service.live', (data) => data['api'] === api && data['generation'] === 2)),
  )
  system.root.write('modules/helper.js', 'export const n = 2')
  await both
  await kernel.undo('a')
  const answers = await Promise.all(['a', 'b'].map((api) => (system.getApi(api)['n'] as () => Promise<unknown>)()))
  expect(answers).toEqual([1, 1])
})

it('ways back stay open while the system is frozen', async () => {
  await save('modules/m.js', source(2), 2)
  system.switchboard.frozen = 'all'
  expect(await kernel.undo('m')).toMatchObject({ ok: true })
  expect(await call('version')).toBe(1)
})

it('a config that took another name gets its old one back', async () => {
  const renamed = system.event('service.live', (data) => data['api'] === 'n')
  system.root.write('configs/m.yml', 'api: n\nprog: m')
  await renamed
  expect(await kernel.undo('n')).toMatchObject({ ok: true })
  await system.live('m')
  expect(system.root.read('configs/m.yml')).toBe('size: 1')
  expect(await call('version')).toBe(1)
  expect((await kernel.services()).map((one) => one.api)).toEqual(['kernel', 'm'])
})

it('as many changes are kept as their texts allow, and always the last one', async () => {
  const bounded = await startSystem({
    'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {changes_chars_max: 10}',
    'configs/m.yml': 'size: 1',
    'modules/m.js': source(1),
  })
  const undo = (): Promise<unknown> => bounded.getApi<KernelServiceApi>('kernel').undo('m')
  try {
    for (let n = 2; n <= 4; n++) {
      const live = bounded.event('service.live')
      bounded.root.write('configs/m.yml', `size: ${n}`)
      await live
    }
    await undo()
    expect(bounded.root.read('configs/m.yml')).toBe('size: 3')
    expect((await rejection(undo())).code).toBe('nothing_to_undo')
  } finally {
    await bounded.stop()
  }
})
