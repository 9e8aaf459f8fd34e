/**
 * R10, the breaker as it stands by default: five restarts within ten seconds with a pause that doubles, then off; a version
 * that fails soon after it replaced another is taken back. The others serve meanwhile, and no call to them fails.
 */
import { afterEach, describe, expect, it } from 'vitest'
import type { MachineEvent } from '../../modules/contracts/module.ts'
import { failing, WAITS } from '../support/breaker.ts'
import { underCalls } from '../support/load.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
afterEach(() => system.stop())

const GOOD = {
  'configs/good.yml': '',
  'modules/good.js':
    'export class Module { n = 0; next() { return ++this.n } handOver() { return this.n } takeOver(n) { this.n = n } }',
}
const of = (type: string): MachineEvent[] =>
  system.kernel.events.since(0).filter((event) => event.type === type && event.data['api'] === 'm')

async function underLoad(work: () => Promise<void>): Promise<void> {
  const good = system.getApi<{ next(): number }>('good')
  const { calls, failed } = await underCalls(
    4,
    async () => {
      await good.next()
      await new Promise((resolve) => setTimeout(resolve, 1))
    },
    work,
  )
  expect(failed).toEqual([])
  expect(await good.next()).toBe(calls + 1)
}

/** Between each restart and the one before, at least the pause that was promised. */
function expectPauses(): void {
  const restarts = of('service.restarting')
  expect(restarts.map(({ data }) => data['ms'])).toEqual([100, 200, 400, 800, 1_600])
  const times = [...restarts, ...of('service.tripped')].map(({ time }) => time)
  for (const [index, ms] of [100, 200, 400, 800, 1_600].entries()) {
    expect((times[index + 1] ?? 0) - (times[index] ?? 0)).toBeGreaterThanOrEqual(ms - 5)
  }
}

describe.each(['import', 'constructor', 'init', 'run'] as const)('a service that fails at its %s', (where) => {
  it('each time it is started anew: five restarts, then it is off, until it gets a new config', async () => {
    system = await startSystem({ ...GOOD, 'configs/m.yml': '', 'modules/m.js': failing(where, 2) }, { settle: false })
    await system.live('good')
    await underLoad(async () => {
      await system.happened('service.tripped', ({ api }) => api === 'm')
    })
    expectPauses()
    expect(await system.show('m')).toMatchObject({ state: 'tripped', last_error: { code: 'service_tripped' } })
    const fixed = system.event('service.live', ({ api }) => api === 'm')
    system.root.write('modules/m.js', `export class Module { async run(signal) { ${WAITS} } starts() { return 0 } }`)
    await fixed
    system.root.write('configs/m.yml', 'x: 1')
    await system.event('service.live', ({ api }) => api === 'm')
    expect(await system.getApi<{ starts(): number }>('m').starts()).toBe(0)
  })
})

it('a trip is reset by a new config, and counts from nothing again', async () => {
  const broken = `export class Module { run() { throw new Error('always') } }`
  system = await startSystem({ ...GOOD, 'configs/m.yml': '', 'modules/m.js': broken }, { settle: false })
  await system.live('good')
  for (const text of ['x: 1', 'x: 2']) {
    await system.happened('service.tripped', ({ api }) => api === 'm')
    expect(of('service.restarting')).toHaveLength(text === 'x: 1' ? 5 : 10)
    const again = system.event('service.tripped', ({ api }) => api === 'm')
    system.root.write('configs/m.yml', text)
    await again
  }
  expect(of('service.restarting')).toHaveLength(15)
})

describe.each(['import', 'constructor', 'init'] as const)('a version that fails at its %s', (where) => {
  it('never serves: it is tried once, and the version before serves on', async () => {
    const before = 'export class Module { starts() { return -1 } }'
    system = await startSystem({ ...GOOD, 'configs/m.yml': '', 'modules/m.js': before })
    await underLoad(async () => {
      const refused = system.event('service.refused')
      system.root.write('modules/m.js', failing(where, 0).replaceAll('Starts', 'Versions'))
      await refused
      system.root.write('configs/good.yml', 'x: 1')
      await system.live('good', 2)
    })
    expect((globalThis as Record<string, unknown>)[`${where}Versions`]).toBe(1)
    expect(of('service.restarting')).toEqual([])
    expect(await system.getApi<{ starts(): number }>('m').starts()).toBe(-1)
  })
})

it('a version that fails soon after it replaced another: the one before is back within a second, with its state', async () => {
  const counter = (fails: string): string => `
export class Module {
  #n = 0
  next() { return ++this.#n }
  break() { setTimeout(() => { throw new Error('late') }, 1) }
  async run(signal) { ${fails} ${WAITS} }
  handOver() { return this.#n }
  takeOver(n) { this.#n = n }
}`
  system = await startSystem({ ...GOOD, 'configs/m.yml': '', 'modules/m.js': counter('') })
  const m = system.getApi<{ next(): number; break(): void }>('m')
  await m.next()
  await underLoad(async () => {
    system.root.write('modules/m.js', counter('this.newer = true;'))
    await system.live('m', 2)
    expect(await m.next()).toBe(2)
    const back = system.event('service.rolled_back')
    for (let n = 0; n < 3; n++) await m.break()
    const last = performance.now()
    expect((await back).data).toMatchObject({ api: 'm', generation: 3 })
    expect(performance.now() - last).toBeLessThan(5_000)
  })
  expect(await m.next()).toBe(3)
  expect(of('service.restarting')).toEqual([])
  expect(await system.show('m')).toMatchObject({ state: 'live', stale: true, last_error: { code: 'version_refused' } })
})
