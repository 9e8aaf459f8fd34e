/** What the simulation found where one kernel follows another, each told as shortly as it can be. */
import { expect, it } from 'vitest'
import { coded } from '../../modules/lib/errors.ts'
import { KERNEL_FAULTS, KERNEL_FILE, writeKernel } from './kernels.ts'
import { diskError } from './memory-fs.ts'
import { check } from './checker.ts'
import { stop } from './run.ts'
import { begin, end, events, liveNumber, moduleText } from './story.ts'
import { at } from './world.ts'

const FILES = { 'configs/m.yml': '', 'modules/m.ts': moduleText({ state: true }) }

it.each(KERNEL_FAULTS)('a kernel that is sick (%s) costs no service', async (fault) => {
  const world = await begin(FILES)
  world.callFrom('one', 'm', 'slow', [2_000])
  world.fs.replace(at(KERNEL_FILE), writeKernel(1, fault))
  await world.clock.advance(20_000)
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

it('a way back that waits for a service to end waits on when the kernel is replaced and gone back to at once', async () => {
  const world = await begin(FILES)
  world.fs.replace(at('modules/m.ts'), moduleText({ state: true }))
  await world.clock.advance(500)
  world.callFrom('one', 'm', 'slow', [5_000])
  world.fs.delete(at('configs/m.yml'))
  await world.clock.advance(1_500)
  world.askFrom('two', 'rollback', 'm')
  world.fs.put(at('configs/m.yml'), '')
  world.fs.replace(at(KERNEL_FILE), writeKernel(1, 'adopted'))
  await world.clock.advance(20_000)
  expect(world.kernelText).toBe(writeKernel(0))
  expect(await end(world)).toEqual([])
})

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

it('a version that a sick kernel was building when it was gone back from is dropped, and who asked is told', async () => {
  const world = await begin(FILES)
  world.callFrom('one', 'm', 'slow', [6_000])
  world.fs.replace(at(KERNEL_FILE), writeKernel(1, 'sick'))
  await world.clock.advance(1_000)
  expect(world.kernelText).toBe(writeKernel(1, 'sick'))
  // It waits for the call when its kernel goes.
  world.fs.replace(at('modules/m.ts'), moduleText({ state: true }))
  world.askFrom('two', 'reload', 'm')
  await world.clock.advance(10_000)
  expect(world.kernelText).toBe(writeKernel(0))
  expect(liveNumber(world, 'm')).toBe(2)
  expect(await end(world)).toEqual([])
})

it('a kernel that was replaced on probation is on probation again when its successor is gone back from', async () => {
  const world = await begin(FILES)
  world.fs.replace(at(KERNEL_FILE), writeKernel(1, 'sick'))
  await world.clock.advance(800)
  world.fs.replace(at(KERNEL_FILE), writeKernel(2, 'sick'))
  await world.clock.advance(10_000)
  expect(world.kernelText).toBe(writeKernel(0))
  expect(await end(world)).toEqual([])
})

it('a kernel that has not been accepted yet hands over to no other', async () => {
  const world = await begin(FILES)
  world.fs.replace(at(KERNEL_FILE), writeKernel(1, 'hangs'))
  await world.clock.advance(2_000)
  world.fs.replace(at(KERNEL_FILE), writeKernel(2, 'hangs'))
  await world.clock.advance(1_000)
  world.fs.replace(at(KERNEL_FILE), writeKernel(3))
  await world.clock.advance(60_000)
  expect(world.kernelText).toBe(writeKernel(3))
  expect(events(world, 'service.starting', 'm')).toHaveLength(1)
  expect(await end(world)).toEqual([])
})

it('a system that is stopped while a sick kernel takes over stays stopped', async () => {
  const world = await begin(FILES)
  world.fs.replace(at(KERNEL_FILE), writeKernel(1, 'hangs'))
  await world.clock.advance(3_000)
  await stop(world)
  expect(events(world, 'service.starting', 'm')).toHaveLength(1)
  expect(check(world.history.entries)).toEqual([])
})

it('a meta file that was removed while all was frozen is missed after the thaw', async () => {
  const newer = 'configs/meta-v1.1.0.yml'
  // Seen by a sweep only; then everything is frozen while it is waited for.
  const world = await begin({ ...FILES, [newer]: 'prog: kernel' }, 1)
  world.fs.delete(at(newer))
  await world.clock.advance(1_000)
  world.switchboard.frozen = 'all'
  await world.clock.advance(5_000)
  expect(world.kernel.status().meta_file).toBe(newer)
  world.switchboard.frozen = 'none'
  await world.clock.advance(5_000)
  expect(world.kernel.status().meta_file).toBe('configs/meta-v1.0.0.yml')
  expect(await end(world)).toEqual([])
})

it('a start anew that was under way when another kernel took over is not forgotten', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText({ init_ms: 3_000, breaks: 'run' }) })
  await world.clock.advance(4_000)
  world.fs.replace(at(KERNEL_FILE), writeKernel(1))
  await world.clock.advance(60_000)
  const starts = events(world, 'service.restarting', 'm').length
  await world.clock.advance(60_000)
  expect(events(world, 'service.restarting', 'm').length).toBeGreaterThan(starts)
  expect(await end(world)).toEqual([])
})

it.each([
  ['was being built', { init_ms: 3_000 }],
  ['had failed, and the one before was being made again', { breaks: 'init' as const }],
])(
  'what stood down for a version that %s when its kernel was gone back from serves again with its state',
  async (_, next) => {
    const mine = { mode: 'exclusive' as const, state: true, run_ms: 15 }
    const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText({ ...mine, init_ms: 700 }) })
    await world.clock.advance(1_000)
    world.callFrom('one', 'm', 'add', [1])
    world.fs.replace(at(KERNEL_FILE), writeKernel(1, 'sick'))
    await world.clock.advance(1_200)
    expect(world.kernelText).toBe(writeKernel(1, 'sick'))
    world.fs.replace(at('modules/m.ts'), moduleText({ ...mine, ...next }))
    await world.clock.advance(5_000)
    expect(world.kernelText).toBe(writeKernel(0))
    expect(events(world, 'service.live', 'm')[1]).toMatchObject({ state: 'restored' })
    expect(await end(world)).toEqual([])
  },
)
