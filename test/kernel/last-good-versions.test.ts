/** Last good versions in a running kernel: when they stand in, and what is said of it. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { KernelServiceApi } from '../../modules/contracts/kernel.ts'
import { createRoot } from '../support/root.ts'
import { say, saying, useRestarts } from '../support/restarts.ts'
import { startSystem } from '../support/system.ts'

const on = useRestarts()

it('who calls while it starts is answered by the last good version, not refused', async () => {
  const asks = `export class Module {
  constructor(kernel) { this.kernel = kernel }
  async init() { this.heard = await this.kernel.getApi('x').say() }
  say() { return this.heard }
}`
  on.put({ 'configs/x.yml': '', 'configs/asks.yml': '', 'modules/x.ts': saying('one'), 'modules/asks.ts': asks })
  await on.stop(await on.start())
  on.root.write('modules/x.ts', saying('two', "  async init() { throw new Error('no') }\n"))
  const system = await on.start()
  expect(await say(system, 'asks')).toBe('one')
  expect(system.log.filter((line) => line.message.startsWith('asks  refused'))).toEqual([])
})

it('it waits for what it needs, says so, and starts when that is there', async () => {
  on.put({
    'configs/x.yml': '',
    'configs/base.yml': '',
    'modules/x.ts': `import { Module as M } from './m.ts'\nexport class Module extends M { static needs = ['base'] }\n`,
    'modules/m.ts': saying('one'),
    'modules/base.ts': saying('base'),
  })
  await on.stop(await on.start())
  on.root.write('modules/x.ts', 'export class')
  on.root.remove('configs/base.yml')
  const system = await on.start()
  expect(await system.show('x')).toMatchObject({
    state: 'waiting',
    waiting_for: ['base'],
    last_error: { code: 'source_syntax' },
  })
  on.root.write('configs/base.yml', '')
  await system.happened('service.last_good')
  expect(await say(system)).toBe('one')
})

it('when it does not start either, both reasons are told, and it is tried once', async () => {
  const fragile = saying(
    'one',
    "  init() { if (process.env['LAST_GOOD_TEST'] === 'sick') throw new Error('me too') }\n",
  )
  on.put({ 'configs/x.yml': '', 'modules/x.ts': fragile })
  await on.stop(await on.start())
  on.root.write('modules/x.ts', saying('two', "  init() { throw new Error('not me') }\n"))
  process.env['LAST_GOOD_TEST'] = 'sick'
  const system = await on.start()
  expect(await system.show('x')).toMatchObject({ state: 'failed', stale: false, last_good: null })
  const { last_error } = await system.show('x')
  expect(last_error?.message).toMatch(/not me; nor does its last good version: .*me too/)
  on.put({ 'configs/other.yml': 'prog: y\n', 'modules/y.ts': saying('y') })
  await system.live('other')
  const starts = system.kernel.events.since(0).filter((one) => one.type === 'service.starting')
  expect(starts.filter((one) => one.data['api'] === 'x')).toHaveLength(2)
  delete process.env['LAST_GOOD_TEST']
  on.root.write('modules/x.ts', saying('three'))
  await system.live('x')
  expect(await say(system)).toBe('three')
})

it('a changed version that fails soon after the boot is taken back to the last good one, also in the next start', async () => {
  on.put({ 'configs/x.yml': '', 'modules/x.ts': saying('one') })
  await on.stop(await on.start())
  on.root.write('modules/x.ts', saying('two', "  async run() { throw new Error('no') }\n"))
  const system = await on.start()
  await system.happened('service.rolled_back')
  expect(await say(system)).toBe('one')
  expect(await system.show('x')).toMatchObject({ stale: true, last_error: { code: 'version_refused' } })
  await on.stop(system)
  const again = await on.start()
  expect(await say(again)).toBe('one')
  expect(await again.show('x')).toMatchObject({ state: 'live', stale: true, last_error: { code: 'version_refused' } })
})

it('an operator can go back to it when nothing else is left of the version before', async () => {
  on.put({ 'configs/x.yml': '', 'modules/x.ts': saying('one') })
  await on.stop(await on.start())
  on.root.write('modules/x.ts', saying('two'))
  const system = await on.start()
  expect(await say(system)).toBe('two')
  const kernel = system.getApi<KernelServiceApi>('kernel')
  expect(await kernel.rollback('x')).toMatchObject({ ok: true, rolled_back: true, generation: 2 })
  expect(await say(system)).toBe('one')
  await expect(kernel.rollback('x')).rejects.toMatchObject({ code: 'nothing_to_roll_back' })
})

it('a last good version that trips is not started again for the same files', async () => {
  on.put({
    'configs/x.yml': 'restart: {max: 0}\n',
    'modules/x.ts': saying(
      'one',
      '  async run() { if (globalThis.process.env.LAST_GOOD_TEST) throw new Error("late") }\n',
    ),
  })
  await on.stop(await on.start())
  on.root.write('modules/x.ts', 'export class')
  process.env['LAST_GOOD_TEST'] = 'sick'
  const system = await on.start()
  await system.happened('service.tripped')
  delete process.env['LAST_GOOD_TEST']
  on.put({ 'configs/other.yml': 'prog: y\n', 'modules/y.ts': saying('y') })
  await system.live('other')
  await system.kernel.settled()
  const lives = system.kernel.events.since(0).filter((one) => one.type === 'service.live' && one.data['api'] === 'x')
  expect(lives).toHaveLength(1)
  expect((await system.show('x')).generation).toBeNull()
})

it('while everything is frozen too, what does not start is stood in for', async () => {
  on.put({ 'configs/x.yml': '', 'modules/x.ts': saying('one') })
  await on.stop(await on.start())
  on.root.write('modules/x.ts', 'export class')
  const system = await on.start({ settle: false })
  system.switchboard.frozen = 'all'
  await system.kernel.settled()
  expect(await say(system)).toBe('one')
})

it('packages that are other ones now are named', async () => {
  const pack = (version: string): Record<string, string> => ({
    'node_modules/own/package.json': `{"name": "own", "version": "${version}", "type": "module", "main": "index.js"}`,
    'node_modules/own/index.js': 'export const own = 1',
  })
  on.put({ ...pack('1.0.0'), 'configs/x.yml': '', 'modules/x.ts': `import 'own'\n${saying('one')}` })
  await on.stop(await on.start())
  on.put({ ...pack('2.0.0'), 'modules/x.ts': 'export class' })
  const system = await on.start()
  expect(await say(system)).toBe('one')
  expect(system.log.map((line) => line.message)).toContainEqual(
    expect.stringContaining('(it ran with own 1.0.0, now 2.0.0)'),
  )
})

it('a root that was moved keeps its last good versions', async () => {
  on.put({ 'configs/x.yml': '', 'modules/x.ts': saying('one', "  boom() { throw new Error('where?') }\n") })
  await on.stop(await on.start())
  const other = createRoot()
  other.write('configs/x.yml', '')
  cpSync(on.folder, join(other.path, 'runtime/last-good'), { recursive: true })
  other.write('modules/x.ts', 'export class')
  const system = await startSystem(other)
  const thrown = await system
    .getApi<{ boom(): void }>('x')
    .boom()
    .catch((error: unknown) => error)
  expect((thrown as Error).stack).toContain(`${join(other.path, 'modules/x.ts')}:3:`)
  await system.stop()
})
