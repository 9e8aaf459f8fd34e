/**
 * What a service may expect wherever its versions run, and what a kernel may expect of the place. Run for each host on a
 * whole kernel, so that nothing but the seam stands between them. The modules are plain JavaScript without imports.
 */
import { afterEach, expect, it } from 'vitest'
import type { Handle } from '../../modules/contracts/module.ts'
import type { FaultListener, ModuleHost } from '../../modules/contracts/seams.ts'
import { underCalls } from '../support/load.ts'
import { rejection } from '../support/system.ts'
import { startBench, type Bench, type MakeKernel } from './bench.ts'
import { hosted, type Hosted } from './hosted-module.ts'

export interface HostUnderTest {
  kernel: MakeKernel
  /** undefined: what the kernel uses when it is given none */
  create(fault: FaultListener): ModuleHost | undefined
  /** how many versions' code is there */
  held: (bench: Bench) => number
}

export function moduleHostConformance({ kernel, create, held }: HostUnderTest): void {
  let bench: Bench
  afterEach(() => bench.dispose())

  const start = async (more = '', files: Record<string, string> = {}): Promise<Handle<Hosted>> => {
    const all = { 'configs/target.yml': 'setting: a\n', 'modules/target.ts': hosted(1, more), ...files }
    bench = await startBench(kernel, all, (fault) => {
      const host = create(fault)
      // The probe gives out what it was given: it has to run where the test is.
      return ({ api }) => (api === 'probe' ? undefined : host)
    })
    return bench.getApi<Hosted>('target')
  }
  const codeOf = async (work: Promise<unknown>): Promise<string> => (await rejection(work)).code
  const told = async (): Promise<string[]> =>
    (await bench.system.eventsSince(0, 'test.*')).map(
      ({ type, data }) => `${type.slice(5)} ${String(data['generation'])}`,
    )
  const reload = async (text: string) => {
    bench.root.write('modules/target.ts', text)
    return bench.system.reload('target')
  }

  it('values pass as they are, and undefined as undefined', async () => {
    const target = await start()
    const values = [
      1,
      'a',
      null,
      true,
      [1, [2]],
      { a: { b: 1 } },
      new Map([['a', 1]]),
      new Date(7),
      new Uint8Array([1, 2]),
    ]
    for (const value of values) expect(await target.echo(value)).toEqual(value)
    expect(await target.echo(undefined)).toBe(undefined)
    expect(await target.later(5, 'x')).toBe('x')
    expect(await target.setting()).toBe('a')
  })

  it('an error keeps its code and its message; one without a code has none', async () => {
    const target = await start()
    expect(await rejection(target.fail('my_code'))).toMatchObject({ code: 'my_code', message: 'no good' })
    expect(await rejection(target.reject())).toMatchObject({ message: 'not now' })
    expect(await bench.system.show('target')).toMatchObject({ errors: 2, calls: 2, state: 'live', in_flight: 0 })
  })

  it('a stream comes item by item, fails with its error, and ends where its reader leaves', async () => {
    const target = await start()
    const seen: number[] = []
    for await (const item of target.items(3)) seen.push(item)
    expect(seen).toEqual([1, 2, 3])
    for await (const item of target.items(100)) if (item === 2) break
    expect(await target.left()).toBe(2)
    expect((await rejection(target.broken().next())).code).toBe('torn')
    expect((await bench.system.show('target')).in_flight).toBe(0)
  })

  it('what is not offered is not reached: other names, private ones, the lifecycle, values', async () => {
    const target = (await start()) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
    const refused = async (method: string): Promise<string> => codeOf(target[method]?.() as Promise<unknown>)
    expect(await refused('nothing')).toBe('method_not_found')
    expect(await refused('_inside')).toBe('private_member')
    expect(await refused('shutdown')).toBe('lifecycle_member')
    expect(await refused('value')).toBe('not_a_method')
    expect(await target['echo']?.(1)).toBe(1)
  })

  it('a caller that gives up is answered at once; the late result is nobody’s, and is counted to its end', async () => {
    const target = await start()
    expect(await codeOf(target.with({ deadlineMs: 20 }).wait('a'))).toBe('deadline_exceeded')
    const stop = new AbortController()
    const aborted = codeOf(target.with({ signal: stop.signal }).wait('b'))
    await target.echo(1)
    stop.abort()
    expect(await aborted).toBe('call_aborted')
    expect((await bench.system.show('target')).in_flight).toBe(2)
    await target.open('a')
    await target.open('b')
    await expect.poll(async () => (await bench.system.show('target')).in_flight).toBe(0)
    expect(await bench.system.show('target')).toMatchObject({ errors: 0, calls: 5 })
  })

  it('what its class says counts: it is made when its needs are live', async () => {
    await start('', {
      'configs/second.yml': 'prog: needy\n',
      'modules/needy.ts': hosted(1, "static needs = ['first']"),
    })
    const second = bench.getApi<Hosted>('second')
    const waiting = second.echo('there')
    expect(bench.kernel.status().services['second']?.state).toBe('waiting')
    bench.root.write('configs/first.yml', 'prog: target\n')
    expect(await waiting).toBe('there')
  })

  it('it calls other services, and gets their results and their errors', async () => {
    const target = await start('', { 'configs/other.yml': 'prog: target\n' })
    expect(await target.ask('other', 'echo', { deep: [1] })).toEqual({ deep: [1] })
    expect(await codeOf(target.ask('other', 'fail', 'their_code'))).toBe('their_code')
    expect(await codeOf(target.ask('nobody', 'echo'))).toBe('service_not_found')
    expect(await bench.system.show('other')).toMatchObject({ calls: 2, errors: 1 })
  })

  it.each([
    ['it throws while it is evaluated', "throw new Error('no')\nexport class Module {}\n", /module_threw/],
    ['it has no class Module', 'export const x = 1\n', /no_module_class/],
    [
      'its constructor throws',
      "export class Module { constructor() { throw new Error('no') } }\n",
      /constructor_threw|init_threw/,
    ],
    ['its init throws', hosted(2, "init() { throw new Error('no') }"), /init_threw/],
    ['its self-test throws', hosted(2, "selfTest() { throw new Error('no') }"), /self_test_failed/],
    ['it takes no state', hosted(2, "takeOver() { throw new Error('no') }"), /hand_over_failed/],
  ])('a version is refused when %s, and the one before serves on with its state', async (_name, text, code) => {
    const target = await start()
    await target.next()
    const result = await reload(text)
    expect(result).toMatchObject({ ok: false, generation: 1 })
    expect(result.error?.code).toMatch(code)
    expect(await target.next()).toBe(2)
    expect(await target.mark()).toBe(1)
    expect((await reload(hosted(3))).error).toBe(null)
    expect(await target.next()).toBe(3)
  })

  it('state that cannot be copied is not handed over, and not lost', async () => {
    const target = await start('handOver() { return { count: this.count, open: () => {} } }')
    await target.next()
    const { error } = await reload(hosted(2))
    expect(error?.code).toMatch(/hand_over/)
    expect(await target.next()).toBe(2)
  })

  it('state is handed over under load: no call is lost, and none counts twice', async () => {
    const target = await start()
    const results: number[] = []
    const { calls, failed } = await underCalls(
      4,
      async () => results.push(await target.nextSlowly()),
      async () => {
        for (let version = 2; version <= 5; version++) {
          expect(await reload(hosted(version))).toMatchObject({ ok: true, state: 'carried', failed_calls: 0 })
          expect(await target.mark()).toBe(version)
        }
      },
    )
    expect(failed).toEqual([])
    expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: calls }, (_one, index) => index + 1))
  })

  it('its background work is told to end before the next begins, and its failure is the service’s', async () => {
    const working = (mark: number): string =>
      hosted(
        mark,
        'async run(signal) { await this.tell("begun"); await new Promise((resolve) => signal.addEventListener("abort", resolve)); await this.tell("over") }',
      )
    await start()
    await reload(working(2))
    await expect.poll(told).toContain('begun 2')
    const begun = bench.event('test.begun', ({ generation }) => generation === 3)
    await reload(working(3))
    await begun
    const both = (await told()).filter((one) => /begun|over/.test(one))
    expect(both).toEqual(['begun 2', 'over 2', 'begun 3'])
    const fault = bench.event('service.fault', ({ api }) => api === 'target')
    await reload(hosted(4, 'run() { throw new Error("no work") }'))
    expect(String((await fault).data['where'])).toContain('run()')
  })

  it('an error nobody awaits is told, with whose it is', async () => {
    const target = await start('late() { setTimeout(() => { throw new Error("too late") }, 0) }')
    const fault = bench.event('service.fault', ({ api }) => api === 'target')
    await target.late()
    expect((await fault).data).toMatchObject({ generation: 1 })
    expect((await bench.kernel.health()).unattributed_faults).toBe(0)
    expect(await target.echo(1)).toBe(1)
  })

  it('its end is in order: open calls, shutdown, what it owns from last to first; then nothing is called', async () => {
    const target = await start()
    const open = target.wait('a')
    await target.echo(1)
    const stopped = bench.event('service.stopped', ({ api }) => api === 'target')
    bench.root.remove('configs/target.yml')
    const refused = async (): Promise<string> => codeOf(target.echo(1))
    await expect.poll(refused).toBe('service_stopped')
    expect((await told()).filter((one) => /shutdown|released/.test(one))).toEqual([])
    instanceOf('target').open('a')
    expect(await open).toBe('opened')
    await stopped
    expect((await told()).filter((one) => /shutdown|released|second/.test(one))).toEqual([
      'shutdown 1',
      'second 1',
      'released 1',
    ])
    expect(await refused()).toBe('service_not_found')
  })

  const instanceOf = (api: string): Hosted => {
    const service = bench.kernel.exportState(bench.kernel.reads).services.get(api)
    const [draining] = service?.draining ?? []
    return (service?.live ?? draining)?.instance as unknown as Hosted
  }

  it('what has ended is gone', async () => {
    const target = await start()
    const base = held(bench)
    for (let version = 2; version <= 4; version++) await reload(hosted(version))
    expect(await target.mark()).toBe(4)
    await expect.poll(() => held(bench)).toBe(base)
    const stopped = bench.event('service.stopped', ({ api }) => api === 'target')
    bench.root.remove('configs/target.yml')
    await stopped
    await expect.poll(() => held(bench)).toBe(base - 1)
  })
}
