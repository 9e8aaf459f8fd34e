/**
 * The whole zoo at once: six modules with state, tasks and sockets, three of which write to a fourth all the time, all
 * edited in the same moment, 50 times, under callers. As single services, and as one group that shares a helper.
 */
import { afterEach, expect, it } from 'vitest'
import type { MachineEvent } from '../../modules/contracts/module.ts'
import { underCalls } from '../support/load.ts'
import { startSystem, type TestSystem } from '../support/system.ts'
import { zoo, zooSource, type Animal, type Counter, type Journal, type Queue } from '../support/zoo.ts'

const ZOO: Animal[] = ['counter', 'cron', 'echo', 'journal', 'queue', 'steps']
const ROUNDS = 50

let system: TestSystem | undefined
afterEach(async () => {
  await system?.stop()
  system = undefined
})

const numbers = (to: number): number[] => Array.from({ length: to }, (_, n) => n + 1)
const helper = (version: number): string => `export const shared = ${version}`

/** What one round writes. */
const EDITS: Record<string, (version: number) => Record<string, string>> = {
  'each by itself': (version) =>
    Object.fromEntries(ZOO.map((name) => [`modules/${name}.ts`, zooSource(name, version)])),
  'as a group': (version) => ({ 'modules/shared.ts': helper(version) }),
}

function files(): Record<string, string> {
  const all: Record<string, string> = { ...zoo(...ZOO), 'modules/shared.ts': helper(1) }
  for (const name of ZOO) all[`modules/${name}.ts`] = `${zooSource(name)}\nexport { shared } from './shared.ts'\n`
  return { ...all, 'configs/cron.yml': 'every_ms: 3', 'configs/steps.yml': 'pause_ms: 1' }
}

async function reloadAll(running: TestSystem, edit: (version: number) => Record<string, string>): Promise<void> {
  for (let version = 2; version <= ROUNDS + 1; version++) {
    const live = ZOO.map((name) => running.live(name, version))
    for (const [file, text] of Object.entries(edit(version))) running.root.writeByRename(file, text)
    await Promise.all(live)
  }
}

it.each(Object.entries(EDITS))(
  'all edited at once, %s: nothing lost, nothing twice, nobody refused',
  async (_name, edit) => {
    const running = await startSystem(files())
    system = running
    const told: MachineEvent[] = []
    for (const type of ['service.live', 'service.deferred', 'service.failed'])
      running.kernel.events.on(type, (event) => told.push(event))
    const counter = running.getApi<Counter>('counter')
    const queue = running.getApi<Queue>('queue')
    const journal = running.getApi<Journal>('journal')
    const done = { added: 0, jobs: 0, noted: 0 }
    const { failed } = await underCalls(
      12,
      async (caller) => {
        if (caller % 3 === 0) {
          await counter.add(1)
          done.added++
        } else if (caller % 3 === 1) {
          await journal.append('note')
          done.noted++
        } else {
          await queue.push('job')
          done.jobs++
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      },
      () => reloadAll(running, edit),
    )
    expect(failed.slice(0, 5)).toEqual([])
    expect(await counter.get()).toBe(done.added)
    expect((await journal.list('note')).length).toBe(done.noted)
    await expect.poll(async () => (await queue.done()).length, { timeout: 60_000 }).toBe(done.jobs)
    expect(await queue.done()).toEqual(numbers(done.jobs))
    expect((await journal.list('job ')).map((entry) => Number(entry.split(' ')[1]))).toEqual(numbers(done.jobs))
    const steps = await journal.list('step ')
    expect(steps).toEqual(numbers(steps.length).map((n) => `step ${n}`))
    const ticks = await journal.list('tick ')
    expect(ticks).toEqual(
      numbers(Math.ceil(ticks.length / 2))
        .flatMap((n) => [`tick ${n} begins`, `tick ${n} ends`])
        .slice(0, ticks.length),
    )
    expect(told.filter(({ type }) => type !== 'service.live')).toEqual([])
    expect(told.length).toBe(ROUNDS * ZOO.length)
    const carried = told.filter(({ data }) => data['state'] === 'carried').length
    expect(carried).toBe(ROUNDS * (ZOO.length - 1))
  },
)
