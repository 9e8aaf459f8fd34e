/** One kernel after another: what is passed on, and what nobody may notice. `first` runs, `next` takes over. */
import { afterEach, describe, expect, it } from 'vitest'
import type { ServiceDetail } from '../../modules/contracts/kernel.ts'
import type { KernelState } from '../../modules/contracts/kernel-state.ts'
import type { Handle } from '../../modules/contracts/module.ts'
import { rejection } from '../support/system.ts'
import { startBench, type Bench, type MakeKernel } from './bench.ts'
import { handOver } from './kernel-hand-over.ts'
import { target, type Opens, type Target } from './succession-target.ts'

/** What must be the same before and after, but for the moment it is read at. */
const digest = ({ uptime_s: _uptime, owned, ...rest }: ServiceDetail): object => ({
  ...rest,
  latency_ms: null,
  owned: owned.map(({ label, kind }) => `${kind} ${label}`),
})

/** A stream that waits for its service is read by `for await`. */
async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item
  return undefined
}

export function succession(first: MakeKernel, next: MakeKernel): void {
  describe('what is taken over', () => takenOver(first, next))
  describe('the hand-over', () => handOver(first, next))
}

function takenOver(first: MakeKernel, next: MakeKernel): void {
  let bench: Bench
  afterEach(() => bench.dispose())

  const start = async (config = '', files: Record<string, string> = {}): Promise<Handle<Target>> => {
    const all = { 'configs/target.yml': config, 'modules/target.ts': target(1), ...files }
    bench = await startBench(first, all)
    return bench.getApi<Target>('target')
  }
  const takeOver = async (): Promise<KernelState> => bench.handOver(await bench.make(next, 'configs/meta-v2.0.0.yml'))
  const times = async (type: string, generation: number): Promise<number> =>
    (await bench.system.eventsSince(0, type)).filter(({ data }) => data['generation'] === generation).length

  it('the state of every service is the same, handles work on, and nothing is constructed again', async () => {
    const handle = await start()
    await handle.next()
    await rejection(handle.fail())
    const before = digest(await bench.system.show('target'))
    const stats = handle.getStats()
    await takeOver()
    expect(digest(await bench.system.show('target'))).toEqual(before)
    expect({ ...handle.getStats(), last_access: 0, latency_ms: 0 }).toEqual({ ...stats, last_access: 0, latency_ms: 0 })
    expect(await handle.next()).toBe(2)
    expect(bench.getApi('target')).toBe(handle)
    expect(await bench.system.show('target')).toMatchObject({ calls: 3, errors: 1, generation: 1, stale: false })
    expect(handle.getStats().access_count).toBe(3)
    expect(await times('test.constructed', 1)).toBe(1)
    expect(bench.kernel.status().services['target']).toEqual({ state: 'live', generation: 1 })
  })

  it('a call that is open ends with its answer, and counts as in flight until then', async () => {
    const handle = await start()
    const open = handle.wait('a')
    await takeOver()
    expect((await bench.system.show('target')).in_flight).toBe(1)
    await handle.open('a')
    expect(await open).toBe('opened')
    expect(await bench.system.show('target')).toMatchObject({ in_flight: 0, calls: 2 })
    expect(await handle.sleep(1)).toBe('slept')
  })

  it('streams that are open go on, of a service and of the events', async () => {
    const handle = await start()
    const items = handle.items()
    const one = items.next()
    while ((await bench.system.show('target')).in_flight === 0) await handle.mark()
    await handle.open('item')
    expect((await one).value).toBe(0)
    const events = bench.system.events('test.after')
    const event = events.next()
    const second = items.next()
    await takeOver()
    expect((await bench.system.show('target')).in_flight).toBe(1)
    await handle.open('item')
    expect((await second).value).toBe(1)
    await items.return(undefined)
    expect((await bench.system.show('target')).in_flight).toBe(0)
    bench.api.events.emit('test.after')
    expect((await event).value?.type).toBe('test.after')
    await events.return(undefined)
  })

  it('calls and streams that wait for a service wait on, in their order and with their deadline', async () => {
    await start('', {
      'configs/late.yml': 'prog: target\nneeds: [first]\n',
      'configs/never.yml': 'prog: target\nneeds: [nobody]\nlimits: { queue_ms: 400 }\n',
    })
    const late = bench.getApi<Target>('late')
    const calls = [late.next(), late.next()]
    const item = firstOf(late.items())
    const soon = rejection(bench.getApi<Target>('never').next())
    const patient = rejection(late.with({ deadlineMs: 200 }).next())
    await takeOver()
    expect((await patient).code).toBe('deadline_exceeded')
    expect((await soon).code).toBe('queue_timeout')
    bench.root.write('configs/first.yml', 'prog: target\n')
    expect(await Promise.all(calls)).toEqual([1, 2])
    while ((await bench.system.show('late')).in_flight === 0) await late.mark()
    await late.open('item')
    expect(await item).toBe(0)
    expect(await late.next()).toBe(3)
  })

  it('handles with options that were made before work after', async () => {
    const handle = await start()
    const patient = handle.with({ deadlineMs: 300, detail: true })
    const late = rejection(handle.with({ deadlineMs: 300 }).wait('never'))
    await takeOver()
    expect(await patient['next']?.()).toMatchObject({ result: 1, generation: 1, traceId: undefined })
    expect((await late).code).toBe('deadline_exceeded')
    expect(await handle.as<Target>('default').next()).toBe(2)
  })

  it('what is held stays the same thing, and reaches its service as it is now', async () => {
    const handle = await start()
    const thing = await handle.thing()
    await takeOver()
    expect(await thing.route('_inside')).toBe(1)
    bench.root.write('modules/target.ts', target(2))
    await bench.live('target', 2)
    expect(await thing.route('_inside')).toBe(2)
    expect(await handle.thing()).toBe(thing)
  })

  it('timers, tasks and subscribers go on, once each, and end with their version', async () => {
    await start()
    await bench.event('test.turn')
    await takeOver()
    await bench.event('test.turn')
    const pong = bench.event('test.pong')
    bench.api.events.emit('test.ping')
    await pong
    const ended = bench.event('test.owned', ({ generation }) => generation === 1)
    bench.root.write('modules/target.ts', target(2))
    await bench.live('target', 2)
    await ended
    const turns = await times('test.turn', 1)
    await bench.event('test.turn', ({ generation }) => generation === 2)
    await bench.event('test.turn', ({ generation }) => generation === 2)
    expect(await times('test.turn', 1)).toBe(turns)
    for (const once of ['ended', 'owned', 'shutdown', 'pong'])
      expect([once, await times(`test.${once}`, 1)]).toEqual([once, 1])
  })

  it('a version that drains drains on, and ends after its last call', async () => {
    const handle = await start()
    const open = handle.wait('a')
    const drained = bench.event('service.drained', ({ api }) => api === 'target')
    bench.root.write('modules/target.ts', target(2))
    await bench.live('target', 2)
    await takeOver()
    expect((await bench.system.show('target')).draining).toEqual([{ generation: 1, in_flight: 1 }])
    expect(await times('test.shutdown', 1)).toBe(0)
    const { services } = bench.kernel.exportState(bench.kernel.reads)
    for (const old of services.get('target')?.draining ?? []) (old.instance as unknown as Opens).open('a')
    expect(await open).toBe('opened')
    await drained
    expect(await times('test.shutdown', 1)).toBe(1)
    expect((await bench.system.show('target')).draining).toEqual([])
  })

  it('the limit of a version that drains is kept', async () => {
    const handle = await start('limits: { drain_ms: 500 }\n')
    const told = rejection(handle.with({}).wait('never'))
    bench.root.write('modules/target.ts', target(2))
    await bench.live('target', 2)
    await takeOver()
    expect((await told).code).toBe('generation_retired')
  })

  it.each([
    ['whose tasks have ended', 0],
    ['whose tasks end later', 300],
  ])('a service that is being stopped, %s, ends when its last call does', async (_name, linger) => {
    const handle = await start()
    await handle.endLate(linger)
    const open = handle.wait('a')
    const { services } = bench.kernel.exportState(bench.kernel.reads)
    const instance = services.get('target')?.live?.instance as unknown as Opens
    const asked = bench.event('test.asked')
    const ended = bench.event('test.ended')
    bench.root.remove('configs/target.yml')
    await asked
    await takeOver()
    await ended
    // Whoever waited for that has gone on by now.
    await new Promise((resolve) => setImmediate(resolve))
    expect((await rejection(handle.mark())).code).toBe('service_stopped')
    const stopped = bench.event('service.stopped', ({ api }) => api === 'target')
    instance.open('a')
    expect(await open).toBe('opened')
    await stopped
    const order = (await bench.system.eventsSince(0)).filter(({ type }) => /test\.(ended|shutdown|owned)/.test(type))
    expect(order.map(({ type }) => type)).toEqual(['test.ended', 'test.shutdown', 'test.owned'])
    bench.root.write('configs/target.yml', '')
    await bench.live('target', 2)
    expect(await handle.next()).toBe(1)
  })
}
