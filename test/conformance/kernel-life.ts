/** Services: how they start, change and end, and what they are given meanwhile. */
import { afterEach, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import { rejection } from '../support/system.ts'
import { startBench, type Bench, type MakeKernel } from './bench.ts'

/** Tells what happens to it through events, since a version that has ended cannot be asked. */
const module = (answer: string, more = ''): string => `
class Base {
  constructor(kernel, config) {
    this.kernel = kernel
    this.config = config
    this.tell('constructed')
  }
  tell(what) { this.kernel.events.emit('test.' + what, { generation: this.kernel.generation }) }
  init() { this.tell('init') }
  answer() { return ${answer} }
  async later(ms) { await this.kernel.sleep(ms); return ${answer} }
  setting() { return this.config.setting }
  shutdown() { this.tell('shutdown') }
}
export class Module extends Base {
  ${more}
}
`

interface Target {
  answer(): unknown
  later(ms: number): Promise<unknown>
  setting(): unknown
  [method: string]: (...args: never[]) => unknown
}

export function lifePromises(make: MakeKernel): void {
  let bench: Bench
  afterEach(() => bench.dispose())

  const start = async (text = module('1'), files: Record<string, string> = {}): Promise<Handle<Target>> => {
    bench = await startBench(make, { 'configs/target.yml': 'setting: a\n', 'modules/target.ts': text, ...files })
    return bench.getApi<Target>('target')
  }
  const told = async (): Promise<string[]> =>
    (await bench.system.eventsSince(0, 'test.*')).map(
      ({ type, data }) => `${type.slice(5)} ${String(data['generation'])}`,
    )

  it('a start that is broken names its reason, and everything else comes up', async () => {
    await start(module('1'), {
      'configs/bad.yml': 'prog: [\n',
      'configs/worse.yml': 'prog: worse\n',
      'modules/worse.ts': 'export class Module { constructor() { throw new Error("no") } }\n',
    })
    const status = bench.kernel.status()
    expect(status.services).toMatchObject({ target: { state: 'live' }, worse: { state: 'failed', generation: null } })
    expect(status.config_errors).toMatchObject([{ code: 'config_syntax', file: 'configs/bad.yml' }])
    expect((await bench.system.show('worse')).last_error?.code).toBe('constructor_threw')
    expect((await rejection(bench.getApi<Target>('worse').answer())).code).toBe('service_failed')
  })

  it('a changed source goes live while a call that is open ends where it began; then the old version ends', async () => {
    const target = await start()
    const open = target.later(200)
    const ended = bench.event('service.drained', ({ api }) => api === 'target')
    bench.root.write('modules/target.ts', module('2'))
    await bench.live('target', 2)
    expect(await target.answer()).toBe(2)
    expect(await open).toBe(1)
    await ended
    expect(await told()).toEqual(['constructed 1', 'init 1', 'constructed 2', 'init 2', 'shutdown 1'])
    expect(await bench.system.show('target')).toMatchObject({ generation: 2, calls: 2, errors: 0, draining: [] })
  })

  it('a changed config gives new values; a changed key of another service touches nothing', async () => {
    const target = await start()
    expect(await target.setting()).toBe('a')
    bench.root.write('configs/target.yml', 'setting: b\n')
    await bench.live('target', 2)
    expect(await target.setting()).toBe('b')
    expect(bench.kernel.status().services['probe']).toEqual({ state: 'live', generation: 1 })
  })

  it.each([
    ['source_syntax', 'export class Module {'],
    ['module_threw', 'throw new Error("no")\nexport class Module {}\n'],
    ['no_module_class', 'export const x = 1\n'],
    ['constructor_threw', 'export class Module { constructor() { throw new Error("no") } }\n'],
    ['init_threw', 'export class Module { init() { throw new Error("no") } }\n'],
    ['self_test_failed', 'export class Module { selfTest() { throw new Error("no") } }\n'],
  ])('a version that is no good (%s) leaves the one before serving, until it is mended', async (code, text) => {
    const target = await start()
    bench.root.write('modules/target.ts', text)
    const result = await bench.system.reload('target')
    expect(result).toMatchObject({ ok: false, error: { code } })
    expect(await target.answer()).toBe(1)
    expect(await bench.system.show('target')).toMatchObject({ state: 'live', generation: 1, stale: true })
    bench.root.write('modules/target.ts', module('3'))
    await bench.live('target', 2)
    expect(await target.answer()).toBe(3)
    expect(await bench.system.show('target')).toMatchObject({ stale: false, last_error: null })
  })

  it('state is handed over when nothing is under way: no call is lost, none runs beside it', async () => {
    const counting = (step: number): string =>
      module(
        'this.count',
        `count = 0
  async next() { const seen = this.count; await this.kernel.sleep(1); this.count = seen + ${step}; return this.count }
  handOver() { return { count: this.count } }
  takeOver(state) { this.count = state.count }`,
      )
    const target = await start(counting(1))
    let last = 0
    const load = { goes: true }
    const calls = (async () => {
      while (load.goes) last = (await target['next']?.()) as number
    })()
    for (let turn = 2; turn <= 4; turn++) {
      bench.root.write('modules/target.ts', `${counting(1)}// ${turn}\n`)
      await bench.live('target', turn)
    }
    load.goes = false
    await calls
    const { calls: counted } = await bench.system.show('target')
    expect(last).toBe(counted)
    expect(await target.answer()).toBe(last)
  })

  it('a config that goes takes its service along, after its calls; one that comes back counts on', async () => {
    const target = await start()
    const open = target.later(300)
    const stopped = bench.event('service.stopped', ({ api }) => api === 'target')
    bench.root.remove('configs/target.yml')
    await stopped
    expect(await open).toBe(1)
    expect(bench.kernel.status().services['target']).toBe(undefined)
    expect((await rejection(target.answer())).code).toBe('service_not_found')
    bench.root.write('configs/target.yml', 'setting: c\n')
    await bench.live('target', 2)
    expect(await target.setting()).toBe('c')
  })

  it('what a version owns is released with it, last acquired first; its tasks are told to end', async () => {
    const owning = (mark: string): string =>
      module(
        `'${mark}'`,
        `
  init() {
    for (const name of ['first', 'second']) this.kernel.own(() => this.tell(name), name)
    this.kernel.every(5, () => this.tell('turn'))
    this.kernel.spawn('spawned', (signal) => this.ends('spawned', signal))
  }
  ends(name, signal) { return new Promise((resolve) => signal.addEventListener('abort', () => { this.tell(name); resolve() })) }
  run(signal) { return this.ends('run', signal) }`,
      )
    await start(owning('1'))
    await bench.event('test.turn')
    const labels = (await bench.system.show('target')).owned.map(({ label }) => label)
    expect(labels).toEqual(expect.arrayContaining(['run()', 'spawned', 'first', 'second']))
    const released = bench.event('test.first', ({ generation }) => generation === 1)
    bench.root.write('modules/target.ts', owning('2'))
    await released
    const first = (await told()).filter((one) => one.endsWith(' 1') && !one.startsWith('turn'))
    expect(first.slice(-5).sort()).toEqual(['first 1', 'run 1', 'second 1', 'shutdown 1', 'spawned 1'])
    expect(first.slice(-2)).toEqual(['second 1', 'first 1'])
    const last = bench.event('test.turn', ({ generation }) => generation === 2)
    await last
    const after = (await bench.system.eventsSince(0, 'test.*')).map(
      ({ type, data }) => `${type} ${String(data['generation'])}`,
    )
    const end = after.lastIndexOf('test.first 1')
    expect(after.slice(end).filter((one) => one === 'test.turn 1')).toEqual([])
  })

  it('what a service holds is made once, kept over its versions, and released when the service goes', async () => {
    const holding = (mark: string): string =>
      module(
        `this.held`,
        `
  async init() {
    this.held = await this.kernel.hold('thing', (route) => { this.tell('made'); return { mark: '${mark}', route } }, () => this.tell('released'))
  }
  _inside(value) { return value + '${mark}' }`,
      )
    const target = await start(holding('1'))
    const held = (await target.answer()) as { mark: string; route: (method: string, value: string) => Promise<string> }
    expect(await held.route('_inside', 'by ')).toBe('by 1')
    bench.root.write('modules/target.ts', holding('2'))
    await bench.live('target', 2)
    expect(await target.answer()).toBe(held)
    expect(await held.route('_inside', 'by ')).toBe('by 2')
    const stopped = bench.event('service.stopped', ({ api }) => api === 'target')
    bench.root.remove('configs/target.yml')
    await stopped
    expect((await told()).filter((one) => /^(made|released)/.test(one))).toEqual(['made 1', 'released 1'])
    expect((await rejection(held.route('_inside', 'by '))).code).toBe('service_stopped')
  })

  it('an error nobody awaited is counted against its service, or against nobody', async () => {
    const target = await start(module('1', `late() { setTimeout(() => { throw new Error('late') }, 0) }`))
    const fault = bench.event('service.fault', ({ api }) => api === 'target')
    await target['late']?.()
    await fault
    expect(await bench.system.show('target')).toMatchObject({ state: 'live', errors: 1 })
    expect(bench.kernel.fault(new Error('of the target'), 'rejection', { service: 'target', generation: 1 })).toBe(
      'target',
    )
    expect(bench.kernel.fault(new Error('of nobody'), 'exception')).toBe(undefined)
    expect((await bench.kernel.health()).unattributed_faults).toBe(1)
  })

  it('a service whose task fails is started anew, and switched off when that does not help', {
    timeout: 30_000,
  }, async () => {
    await start(module('1', `run() { throw new Error('no work today') }`))
    const target = bench.getApi<Target>('target')
    const tripped = (): boolean => bench.kernel.status().services['target']?.state === 'tripped'
    await expect.poll(tripped).toBe(true)
    expect((await rejection(target.answer())).code).toBe('service_tripped')
    bench.root.write('modules/target.ts', module('2'))
    await bench.live('target', 2)
    expect(await target.answer()).toBe(2)
  })

  it('a subscriber that throws disturbs nobody; a reader of events gets what was kept, and what comes', async () => {
    await start(module('1', `init() { this.kernel.events.on('test.*', () => { throw new Error('deaf') }) }`))
    bench.api.events.emit('test.one', { generation: 0 })
    const seen: string[] = []
    for await (const event of bench.system.events('test.*', 0)) {
      seen.push(event.type)
      if (event.type === 'test.one') bench.api.events.emit('test.two', { generation: 0 })
      if (event.type === 'test.two') break
    }
    expect(seen).toEqual(expect.arrayContaining(['test.one', 'test.two']))
    expect(bench.kernel.status().services['target']?.state).toBe('live')
  })

  it('prompts are read from the root as they stand, and nowhere else', async () => {
    await start(module('1'), { 'prompts/hello.txt': 'hello' })
    expect(bench.api.prompt('prompts/hello.txt').text).toBe('hello')
    bench.root.write('prompts/hello.txt', 'good evening')
    expect(bench.api.prompt('prompts/hello.txt').text).toBe('good evening')
    expect(() => bench.api.prompt('../outside.txt')).toThrow(expect.objectContaining({ code: 'path_outside' }))
    expect(() => bench.api.prompt('prompts/none.txt')).toThrow(expect.objectContaining({ code: 'prompt_missing' }))
  })

  it('what is wrong in a root is found without starting anything', async () => {
    await start(module('1'), { 'configs/bad.yml': 'prog: [\n', 'configs/lost.yml': 'prog: nowhere\n' })
    const { services, errors } = await (await bench.make(make)).check()
    expect(services).toBe(3)
    expect(errors.map(({ code }) => code).sort()).toEqual(['config_syntax', 'prog_not_found'])
    expect(await told()).toEqual(['constructed 1', 'init 1'])
  })

  it('the orderly end comes once: calls end, everything is released, and nothing is called after', async () => {
    const target = await start()
    const ended = bench.kernel.waitForShutdown()
    const open = target.later(100)
    const stops = [bench.kernel.stop('one', 5_000), bench.kernel.stop('two', 5_000)]
    expect(bench.kernel.status().status).toBe('stopping')
    await Promise.all(stops)
    expect(await ended).toBe(null)
    expect(await open).toBe(1)
    expect((await rejection(target.answer())).code).toMatch(/kernel_stopping|service_stopped|caller_stopped/)
    expect((await bench.kernel.health()).ok).toBe(true)
  })
}
