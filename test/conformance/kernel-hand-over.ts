/** The hand-over itself: what can be read, what is refused, pausing, going back, one after another. */
import { afterEach, expect, it } from 'vitest'
import type { KernelPort } from '../../modules/contracts/kernel-port.ts'
import type { KernelState } from '../../modules/contracts/kernel-state.ts'
import type { Handle } from '../../modules/contracts/module.ts'
import { rejection } from '../support/system.ts'
import { startBench, type Bench, type MakeKernel } from './bench.ts'
import { target, type Target } from './succession-target.ts'

export function handOver(first: MakeKernel, next: MakeKernel): void {
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

  it('fields it does not know are passed on as they came', async () => {
    await start()
    const before = bench.kernel
    const later = await bench.make(next)
    await before.pause(5_000)
    const state = before.exportState(later.reads)
    before.letGo()
    const unknown = { from: 'a later kernel' }
    await later.adopt({ ...state, unknown_to_all: unknown })
    expect(later.exportState(later.reads)['unknown_to_all']).toBe(unknown)
    const back = await bench.make(first)
    await later.pause(5_000)
    const given = later.exportState(back.reads)
    later.letGo()
    await back.adopt(given)
    expect(back.exportState(back.reads)['unknown_to_all']).toBe(unknown)
    await back.stop('test', 1_000)
  })

  it('a record nobody can read is refused before anything is touched', async () => {
    const handle = await start()
    const other: KernelPort = await bench.make(next)
    await bench.kernel.pause(5_000)
    expect(() => bench.kernel.exportState({ from: 98, to: 99 })).toThrow(
      expect.objectContaining({ code: 'kernel_state' }),
    )
    const state = bench.kernel.exportState(other.reads)
    const refused = (async () => other.adopt({ ...state, version: 99 }))()
    expect((await rejection(refused)).code).toBe('kernel_state')
    bench.kernel.resume()
    expect(await handle.next()).toBe(1)
    bench.root.write('modules/target.ts', target(2))
    await bench.live('target', 2)
    expect(await handle.mark()).toBe(2)
  })

  it('while it is paused calls go on and nothing begins; one pause at a time', async () => {
    const handle = await start()
    await bench.kernel.pause(1_000)
    expect((await rejection(bench.kernel.pause(1_000))).code).toBe('kernel_busy')
    bench.root.write('modules/target.ts', target(2))
    expect(await handle.sleep(200)).toBe('slept')
    expect(await handle.mark()).toBe(1)
    bench.kernel.resume()
    await bench.live('target', 2)
    expect(await handle.mark()).toBe(2)
  })

  it('it can be gone back from, with all that has happened meanwhile', async () => {
    const handle = await start()
    await handle.next()
    const before = bench.kernel
    await takeOver()
    await handle.next()
    bench.root.write('configs/added.yml', 'prog: target\n')
    await bench.live('added')
    await bench.handOver(before)
    expect(await handle.next()).toBe(3)
    expect(await bench.system.show('target')).toMatchObject({ calls: 3, generation: 1 })
    expect(await bench.getApi<Target>('added').next()).toBe(1)
    bench.root.write('modules/target.ts', target(2))
    await bench.live('target', 2)
    expect(await handle.mark()).toBe(2)
    expect(await times('test.constructed', 1)).toBe(2)
  })

  it('calls go on through one change after another', async () => {
    const handle = await start()
    const load = { goes: true, count: 0 }
    const failures: unknown[] = []
    const caller = async (): Promise<void> => {
      while (load.goes) {
        try {
          await handle.next()
          load.count++
          await handle.sleep(1)
        } catch (thrown) {
          failures.push(thrown)
        }
      }
    }
    const callers = Array.from({ length: 4 }, caller)
    for (let turn = 0; turn < 4; turn++) await bench.handOver(await bench.make(turn % 2 === 0 ? next : first))
    load.goes = false
    await Promise.all(callers)
    expect(failures).toEqual([])
    expect(await handle.next()).toBe(load.count + 1)
    expect((await bench.system.show('target')).calls).toBe(2 * load.count + 1)
  })
}
