/** What the simulation found in the kernel, each told as shortly as it can be. */
import { expect, it } from 'vitest'
import { coded } from '../../modules/lib/errors.ts'
import { diskError } from './memory-fs.ts'
import { stop } from './run.ts'
import { begin, end, events, liveNumber, moduleText } from './story.ts'
import { at, type World } from './world.ts'

const textOf = (world: World, path: string): string => world.fs.textOf(path) ?? ''

it('who reads a stream that is refused gets the reason', async () => {
  const world = await begin({})
  const code = await world.call('one', world.handle('one', 'nobody'), 'nobody', 'stream', [1, 0])
  expect(code).toBe('service_not_found')
  expect(await end(world)).toEqual([])
})

it('two who ask for a way back at once get one each, or are told that there is none', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText({ init_ms: 40 }) })
  world.fs.replace(at('modules/m.ts'), moduleText({ init_ms: 40 }))
  await world.clock.advance(200)
  world.askFrom('one', 'reload', 'm')
  await world.clock.advance(10)
  for (const what of ['rollback', 'undo', 'rollback', 'undo']) world.askFrom('two', what, 'm')
  await world.clock.advance(10)
  world.fs.delete(at('configs/m.yml'))
  expect(await end(world)).toEqual([])
})

it('a service whose file changed while nobody told it follows, though another has read the file since', async () => {
  const files = { 'configs/a.yml': 'prog: m', 'configs/b.yml': 'prog: m', 'modules/m.ts': moduleText() }
  const world = await begin(files, 1)
  world.fs.replace(at('modules/m.ts'), moduleText())
  await world.clock.advance(100)
  world.askFrom('one', 'reload', 'b')
  await world.clock.advance(3_000)
  expect([liveNumber(world, 'a'), liveNumber(world, 'b')]).toEqual([2, 2])
  expect(await end(world)).toEqual([])
})

it('a config that changed while nobody told it is seen, though somebody else has read the file since', async () => {
  const world = await begin({ 'configs/m.yml': 'size: 1', 'modules/m.ts': moduleText() }, 1)
  world.fs.replace(at('configs/m.yml'), 'size: 2')
  await world.clock.advance(50)
  world.kernel.readPrompt(at('configs/m.yml'))
  await world.clock.advance(3_000)
  expect(world.kernel.services.get('m')?.live?.desired.params).toEqual({ size: 2 })
  expect(await end(world)).toEqual([])
})

it('a version that was held back because its neighbor failed goes live when the neighbor can', async () => {
  const world = await begin({
    'configs/a.yml': '',
    'configs/b.yml': '',
    'modules/a.ts': moduleText({ use: ['shared.ts'] }),
    'modules/b.ts': moduleText({ use: ['shared.ts'] }),
    'modules/shared.ts': 'helper 1\n',
  })
  world.fs.replace(at('modules/b.ts'), moduleText({ use: ['shared.ts'], breaks: 'init' }))
  world.fs.replace(at('modules/shared.ts'), 'helper 2\n')
  await world.clock.advance(5_000)
  expect([liveNumber(world, 'a'), liveNumber(world, 'b')]).toEqual([1, 1])
  world.fs.replace(at('modules/b.ts'), moduleText({ use: ['shared.ts'] }))
  await world.clock.advance(5_000)
  expect([liveNumber(world, 'a'), liveNumber(world, 'b')]).toEqual([2, 2])
  expect(await end(world)).toEqual([])
})

it('a way back that could not wait for old work gives it its time before the new work begins', async () => {
  const world = await begin({
    'configs/m.yml': 'limits: {quiesce_ms: 50}',
    'modules/m.ts': moduleText({ state: true, run_ms: 15 }),
  })
  world.fs.replace(at('modules/m.ts'), moduleText({ state: true, run_ms: 15, deaf_ms: 900 }))
  await world.clock.advance(500)
  world.askFrom('one', 'rollback', 'm')
  await world.clock.advance(5_000)
  expect(liveNumber(world, 'm')).toBe(3)
  expect(await end(world)).toEqual([])
})

it('what was kept is looked for again when its folder could not be listed at first', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText() })
  await stop(world)
  const files = Object.fromEntries(
    world.fs.paths(at('')).map((path) => [path.slice(at('').length), textOf(world, path)]),
  )
  const next = await begin({ ...files, 'configs/m.yml': 'prog: [' }, 0, (call, path) =>
    call === 'list' && path.endsWith('last-good') ? diskError('EIO', call) : undefined,
  )
  expect(liveNumber(next, 'm')).toBeUndefined()
  next.fs.fault = undefined
  await next.clock.advance(3_000)
  expect(liveNumber(next, 'm')).toBe(1)
  expect(await end(next)).toEqual([])
})

it('who reloads a service whose config is broken is told what is wrong with it', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText() }, 1)
  world.fs.replace(at('configs/m.yml'), 'prog: [')
  await world.clock.advance(2_000)
  await expect(world.kernel.reload('m')).rejects.toMatchObject({ code: 'config_syntax', file: 'configs/m.yml' })
  world.fs.replace(at('configs/m.yml'), 'size: 3')
  void world.kernel.reload('m')
  await world.clock.advance(100)
  expect(liveNumber(world, 'm')).toBe(2)
  expect(await end(world)).toEqual([])
})

it('a load that fails once is tried again', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText() })
  world.loader.fault = (path) => coded('file_failed', { path, reason: 'EMFILE' }, { file: path })
  world.fs.replace(at('modules/m.ts'), moduleText())
  await world.clock.advance(2_000)
  expect(world.kernel.services.get('m')).toMatchObject({ state: 'live', refusal: { code: 'file_failed' } })
  world.loader.fault = undefined
  await world.clock.advance(10_000)
  expect(liveNumber(world, 'm')).toBe(2)
  expect(await end(world)).toEqual([])
})

it('defaults whose file could not be read at once hold when it can', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText() }, 1)
  const meta = at('configs/meta-v1.0.0.yml')
  let failures = 1
  world.fs.fault = (call, path) =>
    path === meta && call === 'read' && failures-- > 0 ? diskError('EIO', call) : undefined
  world.fs.replace(meta, 'prog: kernel\ndefaults: {size: 5}\n')
  await world.clock.advance(3_000)
  expect(world.kernel.services.get('m')?.live).toMatchObject({ number: 2, desired: { params: { size: 5 } } })
  expect(await end(world)).toEqual([])
})

it.each(['stat', 'read', 'list'] as const)('nothing breaks when each %s fails while files change', async (failing) => {
  const world = await begin({
    '.git/HEAD': '',
    'configs/m.yml': '',
    'modules/m.ts': moduleText(),
    'prompts/p.md': 'one',
  })
  world.kernel.readPrompt(at('prompts/p.md'))
  world.fs.fault = (call) => (call === failing ? diskError('EIO', call) : undefined)
  world.fs.put(at('.git/index.lock'), '')
  for (const path of ['prompts/p.md', 'configs/meta-v1.0.0.yml', 'configs/m.yml', 'modules/m.ts']) {
    world.fs.onChange(at(path), true)
  }
  await world.clock.advance(5_000)
  world.fs.delete(at('.git/index.lock'))
  world.callFrom('one', 'm', 'now', [])
  await world.clock.advance(5_000)
  expect(await end(world)).toEqual([])
})

it('what a service holds is made anew only when the last version that drains is gone', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText({ holds: 'port' }) })
  world.callFrom('one', 'm', 'slow', [9_000])
  world.fs.replace(at('modules/m.ts'), moduleText({ holds: 'port' }))
  await world.clock.advance(1_000)
  world.fs.delete(at('configs/m.yml'))
  await world.clock.advance(1_000)
  world.fs.put(at('configs/m.yml'), '')
  await world.clock.advance(20_000)
  expect(liveNumber(world, 'm')).toBe(3)
  expect(await end(world)).toEqual([])
})

it('a file that gives its name up for another starts under the new one, whatever becomes of the old', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText({ breaks: 'init' }) })
  world.fs.replace(at('modules/m.ts'), moduleText())
  world.fs.put(at('configs/m.yml'), 'api: other\n')
  world.fs.put(at('configs/n.yml'), 'prog: m\napi: m\n')
  world.fs.put(at('configs/k.yml'), 'prog: m\napi: m\n')
  await world.clock.advance(5_000)
  expect(liveNumber(world, 'other')).toBe(1)
  expect(await end(world)).toEqual([])
})

it('a version that is put off rests until it is due, though what it waited for is live', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText() })
  world.callFrom('one', 'm', 'slow', [3_000])
  world.fs.replace(at('modules/m.ts'), moduleText())
  await world.clock.advance(500)
  world.fs.replace(at('modules/m.ts'), moduleText({ mode: 'exclusive', needs: ['other'] }))
  await world.clock.advance(500)
  world.fs.put(at('configs/other.yml'), '')
  world.fs.put(at('modules/other.ts'), moduleText())
  await world.clock.advance(1_000)
  expect(events(world, 'service.deferred', 'm').length).toBeLessThan(6)
  await world.clock.advance(9_000)
  expect(liveNumber(world, 'm')).toBe(3)
  expect(await end(world)).toEqual([])
})

it('a service whose file is gone ends, though another file asked for its name and now wants a name it cannot have', async () => {
  const world = await begin({
    'configs/b.yml': 'prog: m',
    'configs/a.yml': 'prog: m',
    'modules/m.ts': moduleText({ mode: 'quiesce' }),
  })
  world.callFrom('one', 'b', 'slow', [9_000])
  world.fs.delete(at('configs/b.yml'))
  world.fs.put(at('configs/c.yml'), 'prog: m\napi: b\nsize: 3\n')
  await world.clock.advance(500)
  world.fs.replace(at('configs/c.yml'), 'prog: m\napi: a\n')
  await world.clock.advance(20_000)
  expect(world.kernel.services.get('b')).toBeUndefined()
  expect(await end(world)).toEqual([])
})

it('a first version that was dropped waits for the next one, whatever becomes of its file', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText({ init_ms: 3_000 }) })
  world.fs.put(at('configs/n.yml'), 'prog: m\napi: m\n')
  await world.clock.advance(1_000)
  world.askFrom('one', 'rollback', 'm')
  await world.clock.advance(10_000)
  expect(world.kernel.services.get('m')?.state).toBe('waiting')
  expect(await end(world)).toEqual([])
})

it('after a way back to another module its own code is read again', async () => {
  const files = { 'configs/m.yml': 'prog: one', 'modules/one.ts': moduleText(), 'modules/two.ts': moduleText() }
  const world = await begin(files)
  world.fs.replace(at('configs/m.yml'), 'prog: two')
  await world.clock.advance(1_000)
  // What is saved while all is frozen is looked at after the thaw, when the version before serves again.
  world.switchboard.frozen = 'all'
  world.fs.replace(at('configs/m.yml'), 'prog: one\nsize: 2\n')
  await world.clock.advance(100)
  world.askFrom('two', 'rollback', 'm')
  await world.clock.advance(1_000)
  world.switchboard.frozen = 'none'
  world.fs.put(at('prompts/p.md'), 'anything')
  await world.clock.advance(5_000)
  expect(world.kernel.services.get('m')?.live?.scan.entry).toBe(at('modules/one.ts'))
  expect(await end(world)).toEqual([])
})

it('a service that fails and cannot be started anew is switched off, however long each start takes', async () => {
  const hangs = moduleText({ breaks: 'init_hangs' })
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText({ run_ms: 2_000, breaks: 'run' }) })
  world.fs.replace(at('modules/m.ts'), hangs)
  await world.clock.advance(300_000)
  expect(events(world, 'service.restarting', 'm').length).toBeLessThanOrEqual(10)
  expect(events(world, 'service.tripped', 'm')).toHaveLength(1)
  expect(await end(world)).toEqual([])
})

it('a version that fails in the place of one that was taken back is started anew itself, until it is switched off', async () => {
  const fails = (): string => moduleText({ run_ms: 20, breaks: 'run' })
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': fails() })
  world.fs.replace(at('modules/m.ts'), fails())
  await world.clock.advance(300_000)
  expect(events(world, 'service.rolled_back', 'm')).toHaveLength(1)
  expect(events(world, 'service.tripped', 'm')).toHaveLength(1)
  expect(await end(world)).toEqual([])
})
