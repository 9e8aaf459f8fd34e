/** What the simulation found where one kernel follows another, each told as shortly as it can be. */
import { expect, it } from 'vitest'
import { coded } from '../../modules/lib/errors.ts'
import { KERNEL_FILE, writeKernel } from './kernels.ts'
import { diskError } from './memory-fs.ts'
import { begin, end, events, liveNumber, moduleText } from './story.ts'
import { at } from './world.ts'

const FILES = { 'configs/m.yml': '', 'modules/m.ts': moduleText({ state: true }) }

it.each(['constructor', 'adopt', 'adopted'] as const)('a kernel that fails at %s costs no service', async (fault) => {
  const world = await begin(FILES)
  world.callFrom('one', 'm', 'slow', [2_000])
  world.fs.replace(at(KERNEL_FILE), writeKernel(1, fault))
  await world.clock.advance(5_000)
  expect(world.kernelText).toBe(writeKernel(0))
  expect(events(world, 'service.starting', 'm')).toHaveLength(1)
  expect(await end(world)).toEqual([])
})

it('a kernel that is saved while another takes over runs next', async () => {
  const world = await begin(FILES)
  world.callFrom('one', 'm', 'slow', [4_000])
  world.fs.replace(at('modules/m.ts'), moduleText({ state: true }))
  await world.clock.advance(500)
  world.fs.replace(at(KERNEL_FILE), writeKernel(1))
  await world.clock.advance(1_000)
  world.fs.replace(at(KERNEL_FILE), writeKernel(2))
  await world.clock.advance(20_000)
  expect(world.kernelText).toBe(writeKernel(2))
  expect(await end(world)).toEqual([])
})

it.each(['rollback', 'undo'])(
  'who asked for the %s of a service that is being stopped is told by the next kernel',
  async (what) => {
    const world = await begin(FILES)
    world.fs.replace(at('modules/m.ts'), moduleText({ state: true }))
    await world.clock.advance(500)
    world.callFrom('one', 'm', 'slow', [8_000])
    world.fs.delete(at('configs/m.yml'))
    await world.clock.advance(1_000)
    world.askFrom('two', what, 'm')
    world.fs.replace(at(KERNEL_FILE), writeKernel(1))
    await world.clock.advance(2_000)
    expect(world.kernelText).toBe(writeKernel(1))
    expect(await end(world)).toEqual([])
  },
)

it('a meta file that cannot be read for a moment is no reason to go back to an older kernel', async () => {
  const newer = 'configs/meta-v1.1.0.yml'
  const world = await begin({ ...FILES, [newer]: 'prog: kernel' })
  world.fs.fault = (call, path) => (call === 'read' && path === at(newer) ? diskError('EIO', call) : undefined)
  world.fs.onChange(at(newer), true)
  await world.clock.advance(5_000)
  expect(world.kernel.status().meta_file).toBe(newer)
  world.fs.fault = undefined
  await world.clock.advance(5_000)
  expect(world.history.entries.filter((entry) => entry.kind === 'machine' && entry.type === 'kernel.swapped')).toEqual(
    [],
  )
  expect(liveNumber(world, 'm')).toBe(1)
  expect(await end(world)).toEqual([])
})

it('what had to end for a version that fails, and cannot be built again, runs its last good version', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText({ mode: 'exclusive' }) })
  await world.clock.advance(90_000)
  world.fs.replace(at('modules/m.ts'), moduleText({ mode: 'exclusive' }))
  await world.clock.advance(1_000)
  world.fs.replace(at('modules/m.ts'), moduleText({ mode: 'exclusive', init_ms: 40, breaks: 'init' }))
  await world.clock.advance(30)
  let failures = 1
  world.loader.fault = (path) =>
    failures-- > 0 ? coded('file_failed', { path, reason: 'EMFILE' }, { file: path }) : undefined
  await world.clock.advance(5_000)
  expect(events(world, 'service.last_good', 'm')).toHaveLength(1)
  expect(await end(world)).toEqual([])
})

it('what had to end for a version that is put off, and cannot be built again, comes back when it can', async () => {
  const world = await begin({
    'configs/a.yml': '',
    'configs/b.yml': '',
    'modules/a.ts': moduleText({ use: ['shared.ts'], mode: 'exclusive' }),
    'modules/b.ts': moduleText({ use: ['shared.ts'], state: true }),
    'modules/shared.ts': 'helper 1\n',
  })
  world.callFrom('one', 'b', 'slow', [9_000])
  world.fs.replace(at('modules/shared.ts'), 'helper 2\n')
  await world.clock.advance(500)
  world.loader.fault = (path) => coded('file_failed', { path, reason: 'EMFILE' }, { file: path })
  await world.clock.advance(6_000)
  world.loader.fault = undefined
  expect(await end(world)).toEqual([])
})
