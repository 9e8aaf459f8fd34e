/** R2: the kernel is replaced again and again under load; nothing is dropped, nothing built again. */
import { afterEach, expect, it } from 'vitest'
import type { KernelPort } from '../../modules/contracts/kernel-port.ts'
import { startSystem, type TestSystem } from '../support/system.ts'

const SWAPS = 100
const SERVICES = 50
const CALLERS = 16

let system: TestSystem
let running: KernelPort
afterEach(async () => {
  await running.stop('test', 5_000)
  await system.stop()
})

const MODULE = `
export class Module {
  constructor(kernel) { this.kernel = kernel; this.count = 0 }
  next() { return ++this.count }
  async later(ms) { await this.kernel.sleep(ms); return ++this.count }
  async *some() { for (let item = 0; item < 3; item++) { await this.kernel.sleep(2); yield item } }
}
`

interface Service {
  next(): number
  later(ms: number): Promise<number>
  some(): AsyncGenerator<number>
}

it(`${SWAPS} swaps under load drop no call`, { timeout: 300_000 }, async () => {
  const files: Record<string, string> = { 'modules/m.ts': MODULE }
  for (let index = 0; index < SERVICES; index++) files[`configs/s${index}.yml`] = 'prog: m\n'
  system = await startSystem(files)
  running = system.kernel
  const handles = Array.from({ length: SERVICES }, (_one, index) => system.getApi<Service & object>(`s${index}`))
  const acknowledged = Array.from({ length: SERVICES }, () => 0)
  const failures: unknown[] = []
  const load = { goes: true, calls: 0 }
  const caller = async (first: number): Promise<void> => {
    for (let turn = first; load.goes; turn++) {
      const index = turn % SERVICES
      const handle = handles[index]
      if (handle === undefined) return
      load.calls++
      try {
        if (turn % 4 === 0) {
          await handle.later(turn % 7)
          acknowledged[index] = (acknowledged[index] ?? 0) + 1
        } else if (turn % 11 === 0) {
          const seen: number[] = []
          for await (const item of handle.some()) seen.push(item)
          if (seen.join() !== '0,1,2') failures.push(seen)
        } else {
          await handle.next()
          acknowledged[index] = (acknowledged[index] ?? 0) + 1
        }
      } catch (thrown) {
        failures.push(thrown)
      }
      if (turn % 8 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const callers = Array.from({ length: CALLERS }, (_one, index) => caller(index * 7))
  for (let swap = 1; swap <= SWAPS; swap++) {
    const ended = running.waitForShutdown()
    system.root.write(`configs/meta-v1.${swap}.0.yml`, 'prog: kernel\n')
    const next = await ended
    if (next === null) throw new Error('it stopped')
    running = next.kernel
    expect(running.version).toBe(`1.${swap}.0`)
    system.root.remove(`configs/meta-v1.${swap - 1}.0.yml`)
  }
  load.goes = false
  await Promise.all(callers)
  expect(failures).toEqual([])
  expect(load.calls).toBeGreaterThan(SWAPS * CALLERS)
  for (const [index, handle] of handles.entries()) expect(await handle.next()).toBe((acknowledged[index] ?? 0) + 1)
  const { services } = running.status()
  for (let index = 0; index < SERVICES; index++) expect(services[`s${index}`]).toEqual({ state: 'live', generation: 1 })
})
