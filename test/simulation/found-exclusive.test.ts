/** What the simulation found in versions that can share nothing with another, each told as shortly as it can be. */
import { expect, it } from 'vitest'
import { begin, end, events, liveNumber, moduleText } from './story.ts'
import { at } from './world.ts'

it('a version that can share nothing and is taken back under a call says first that the call is cut off', async () => {
  const world = await begin({
    'configs/m.yml': 'limits: {quiesce_ms: 50}',
    'modules/m.ts': moduleText({ mode: 'exclusive' }),
  })
  world.fs.replace(at('modules/m.ts'), moduleText({ mode: 'exclusive' }))
  await world.clock.advance(100)
  world.callFrom('one', 'm', 'slow', [5_000])
  world.askFrom('two', 'rollback', 'm')
  await world.clock.advance(100)
  expect(liveNumber(world, 'm')).toBe(3)
  expect(events(world, 'service.drain_overrun', 'm')).toMatchObject([{ generation: 2 }])
  expect(await end(world)).toEqual([])
})

it('two that fail by each other, and are made again each time, do not try for ever', async () => {
  const world = await begin({
    'configs/a.yml': '',
    'configs/b.yml': '',
    'modules/a.ts': moduleText({ mode: 'exclusive' }),
    'modules/b.ts': moduleText({ mode: 'exclusive' }),
  })
  world.fs.replace(at('modules/a.ts'), moduleText({ mode: 'exclusive', asks: 'b', breaks: 'init' }))
  world.fs.replace(at('modules/b.ts'), moduleText({ mode: 'exclusive', asks: 'a', breaks: 'init' }))
  await world.clock.advance(30_000)
  expect(events(world, 'service.starting', 'a').length).toBeLessThan(10)
  expect(await end(world)).toEqual([])
})

it('a version that is made again goes live like any other, and is told', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText({ mode: 'exclusive', state: true }) })
  world.fs.replace(at('modules/m.ts'), moduleText({ mode: 'exclusive', breaks: 'constructor' }))
  await world.clock.advance(1_000)
  expect(events(world, 'service.live', 'm')).toMatchObject([
    { state: 'none' },
    { state: 'restored', rolledBack: false },
  ])
  world.callFrom('one', 'm', 'now', [])
  expect(await end(world)).toEqual([])
})

it('a version that can share nothing waits for what still drains', async () => {
  const world = await begin({ 'configs/m.yml': '', 'modules/m.ts': moduleText() })
  world.callFrom('one', 'm', 'slow', [2_000])
  world.fs.replace(at('modules/m.ts'), moduleText())
  await world.clock.advance(100)
  world.fs.replace(at('modules/m.ts'), moduleText({ mode: 'exclusive' }))
  await world.clock.advance(500)
  expect(liveNumber(world, 'm')).toBe(2)
  await world.clock.advance(10_000)
  expect(liveNumber(world, 'm')).toBe(3)
  expect(await end(world)).toEqual([])
})

it.each([
  ['one asks the other', 'b', undefined, 3],
  ['each asks the other', 'b', 'a', 4],
])(
  'two that can share nothing change by one file, and %s while it starts: each follows by itself',
  async (_, a, b, last) => {
    const one = (asks: string | undefined): string =>
      moduleText({ use: ['shared.ts'], mode: 'exclusive', state: true, asks })
    const world = await begin({
      'configs/a.yml': '',
      'configs/b.yml': '',
      'modules/a.ts': one(undefined),
      'modules/b.ts': one(undefined),
      'modules/shared.ts': 'helper 1\n',
    })
    world.fs.replace(at('modules/a.ts'), one(a))
    world.fs.replace(at('modules/b.ts'), one(b))
    world.fs.replace(at('modules/shared.ts'), 'helper 2\n')
    await world.clock.advance(1_000)
    expect([liveNumber(world, 'a'), liveNumber(world, 'b')]).toEqual([3, last])
    expect(events(world, 'service.deferred', 'a')).toHaveLength(1)
    expect(events(world, 'service.refused', 'a')).toEqual([])
    expect(await end(world)).toEqual([])
  },
)

it('a way back to a version that can share nothing gives old work its time before the new work begins', async () => {
  const first = moduleText({ mode: 'exclusive', run_ms: 15 })
  const world = await begin({ 'configs/m.yml': 'limits: {quiesce_ms: 50}', 'modules/m.ts': first })
  world.fs.replace(at('modules/m.ts'), moduleText({ run_ms: 15, deaf_ms: 700 }))
  await world.clock.advance(500)
  world.askFrom('one', 'rollback', 'm')
  await world.clock.advance(5_000)
  expect(liveNumber(world, 'm')).toBe(3)
  expect(await end(world)).toEqual([])
})

it.each([
  [undefined, 'exclusive'],
  ['exclusive', undefined],
] as const)(
  'of two that can share nothing (%s, %s) the next waits for what was switched off and still drains',
  async (mode, next) => {
    const world = await begin({
      'configs/m.yml': 'restart: false',
      'modules/m.ts': moduleText({ mode, breaks: 'run', run_ms: 300 }),
    })
    world.callFrom('one', 'm', 'slow', [3_000])
    await world.clock.advance(1_000)
    expect(world.kernel.services.get('m')?.state).toBe('tripped')
    world.fs.replace(at('modules/m.ts'), moduleText({ mode: next }))
    world.callFrom('two', 'm', 'now', [])
    await world.clock.advance(1_000)
    expect(liveNumber(world, 'm')).toBeUndefined()
    await world.clock.advance(9_000)
    expect(liveNumber(world, 'm')).toBe(2)
    expect(await end(world)).toEqual([])
  },
)
