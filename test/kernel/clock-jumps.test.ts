/** R14: the wall clock is set while the system runs. Deadlines, timers and edits do not notice; jobs run as they should. */
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { JumpingClock } from '../support/jumping-clock.ts'
import { rejection, startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
afterEach(() => system.stop())

const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR
const LOOKS_OFTEN = { 'configs/meta-v1.0.0.yml': 'prog: kernel\nlimits: {cron_look_ms: 20}\n' }

const source = (version: number): string => `
export class Module {
  constructor(kernel) { this.kernel = kernel; kernel.every(10, () => kernel.events.emit('turn')) }
  version() { return ${version} }
  async slow(ms) { await this.kernel.sleep(ms); return ${version} }
  async run(signal) { await new Promise((resolve) => signal.addEventListener('abort', resolve)) }
}`

interface Service {
  version(): number
  slow(ms: number): Promise<number>
}

describe.each([
  ['an hour back', -HOUR],
  ['a year on', YEAR],
  ['a year back', -YEAR],
])('%s', (_name, ms) => {
  it('edits in place and by rename are applied, calls keep their deadlines, timed work goes on', async () => {
    const clock = new JumpingClock()
    system = await startSystem({ 'configs/m.yml': '', 'modules/m.js': source(1) }, { clock })
    const m = system.getApi<Service>('m')
    const open = m.slow(300)
    const bounded = m.with({ deadlineMs: 10_000 }).slow(300)
    const late = rejection(m.with({ deadlineMs: 30 }).slow(5_000))
    clock.jump(ms)
    expect((await late).code).toBe('deadline_exceeded')
    await system.event('turn')
    expect([await open, await bounded]).toEqual([1, 1])
    system.root.write('modules/m.js', source(2))
    await system.live('m', 2)
    clock.jump(-ms)
    system.root.writeByRename('modules/m.js', source(3))
    await system.live('m', 3)
    clock.jump(ms)
    system.root.write('configs/m.yml', 'x: 1')
    await system.live('m', 4)
    await system.event('turn')
    expect(await m.version()).toBe(3)
  })

  it('what fails is started anew after its pause, and too often is too often', async () => {
    const clock = new JumpingClock()
    system = await startSystem(
      {
        'configs/m.yml': 'restart: {pause_ms: 5, pause_ms_max: 10}',
        'modules/m.js': 'export class Module { run() { throw new Error("always") } }',
      },
      { clock, settle: false },
    )
    let restarts = 0
    const jumps = system.event('service.restarting', () => {
      clock.jump(ms)
      return ++restarts === 5
    })
    await jumps
    await system.happened('service.tripped')
  })

  it('a file that stays broken is told of', async () => {
    const clock = new JumpingClock()
    system = await startSystem({ 'configs/m.yml': '', 'modules/m.js': source(1) }, { clock })
    clock.jump(ms)
    const told = system.event('service.refused')
    system.root.write('modules/m.js', 'export class Module {')
    expect((await told).data).toMatchObject({ api: 'm', serving: 1 })
  })
})

it('a file from the future is applied, and again when it is changed with the same stamp', async () => {
  system = await startSystem({ 'configs/m.yml': '', 'modules/m.js': source(1) })
  const future = new Date(Date.now() + YEAR)
  for (const version of [2, 3]) {
    system.root.write('modules/m.js', source(version))
    utimesSync(join(system.root.path, 'modules/m.js'), future, future)
    await system.live('m', version)
    await expect.poll(() => system.getApi<Service>('m').version()).toBe(version)
  }
})

it('a job runs once for an hour that is skipped, not again for one that is repeated, and an own rhythm goes on', async () => {
  const clock = new JumpingClock()
  const runs = { hourly: 0, seconds: 0 }
  // Half past, whatever the time is now.
  clock.jump(HOUR - ((clock.now() + HOUR / 2) % HOUR))
  system = await startSystem(
    {
      ...LOOKS_OFTEN,
      'configs/m.yml': '',
      'modules/m.js': `export class Module {
        constructor(kernel) {
          kernel.cron('0 * * * *', () => kernel.events.emit('hourly'))
          kernel.cron('* * * * * *', () => kernel.events.emit('second'))
        }
      }`,
    },
    { clock },
  )
  system.kernel.events.on('hourly', () => runs.hourly++)
  system.kernel.events.on('second', () => runs.seconds++)
  const seconds = async (count: number): Promise<void> => {
    const until = runs.seconds + count
    await system.event('second', () => runs.seconds >= until)
  }
  const hour = system.event('hourly')
  clock.jump(HOUR)
  await hour
  clock.jump(-HOUR / 2)
  await seconds(2)
  clock.jump(HOUR / 4)
  await seconds(2)
  expect(runs.hourly).toBe(1)
  const next = system.event('hourly')
  clock.jump(HOUR)
  await next
  await seconds(1)
  expect(runs.hourly).toBe(2)
})
